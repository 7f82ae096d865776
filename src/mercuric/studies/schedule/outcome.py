"""What came of one training?"""

from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import Field

from mercuric.errors import MalformedError
from mercuric.files.json_text import json_text
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.saved_state import Finite, SavedState, Text, Whole
from mercuric.studies.schedule.pace import Seconds
from mercuric.studies.schedule.trainee import Recipe

State = TypeVar("State", bound=SavedState)


class Outcome(SavedState):
    """One training in a form.

    Attributes:
        form: its name.
        share: of dense's seconds that it filled.
        seed: of weights and order.
        learning_rate: the peak.
        batch: images a step.
        steps: done.
        planned: seconds by which its schedule went.
        wall: seconds by the wall's clock, tests left out.
        cpu: seconds of the processor.
        accuracy: on images that it was not trained on; None: it diverged, or was never begun.
        diverged: the step whose loss, or whose network's outputs, were no longer finite; None.
        too_short: why it was not begun; empty where it was.
        parameters: of the network at the end.
        at_once: trainings that shared machines with it, itself among them.
        facts: what the form found or chose.
    """

    form: Text
    share: Finite
    seed: Whole
    learning_rate: Finite
    batch: Whole
    steps: Whole = 0
    planned: Seconds = 0.0
    wall: Seconds = 0.0
    cpu: Seconds = 0.0
    accuracy: Finite | None = None
    diverged: Whole | None = None
    too_short: Text = ""
    parameters: Whole = 0
    at_once: Whole = 1
    facts: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def begun(cls, form: str, share: float, seed: int, recipe: Recipe) -> Self:
        """Of a training that has done nothing yet."""
        return cls(form=form, share=share, seed=seed, learning_rate=recipe.learning_rate, batch=recipe.batch)

    @property
    def recipe(self) -> Recipe:
        """What it was trained with."""
        return Recipe(self.learning_rate, self.batch)


def write_state(path: Path, state: SavedState) -> None:
    """Write a state as a JSON file, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    write_text(path, json_text(state.plain()) + "\n")


def read_state(kind: type[State], path: Path) -> State | None:
    """The state in a JSON file, checked; None where there is no such file.

    Raises:
        MercuricError: the file is broken; names it.
    """
    try:
        return kind.of(read_json_object(path), path.name)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise MalformedError(f"{path} is broken ({error}); remove it to have it made again") from None
