"""Where do the figures of a training run go while it runs?"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import ConfigDict

from mercuric.errors import MercuricError
from mercuric.files.reading import MOST_LOG, parse_json, read_bytes
from mercuric.files.writing import write_text
from mercuric.saved_state import Figure, SavedState, Text, Whole, mapping
from mercuric.training.events import EventFile

EVENTS = ("step", "epoch", "diverged")
"""Lines of other events, as another version may write them, are passed over."""


class MetricsLine(SavedState):
    """A line of ``metrics.jsonl``: what happened when, in which run, and figures by name.

    Attributes:
        event: ``"step"``, ``"epoch"`` or ``"diverged"``.
        run: ``"dense"``, ``"reuse"``, or another name.
        seed: of the run.
        epoch: counted from 0.
        step: steps done.
        seconds: of training so far.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Figure]

    event: Literal["step", "epoch", "diverged"]
    run: Text
    seed: Whole
    epoch: Whole
    step: Whole
    seconds: Figure

    @property
    def figures(self) -> dict[str, float]:
        """What was measured, by name."""
        return dict(self.__pydantic_extra__)

    def text(self) -> str:
        """One line of JSON."""
        head = {"event", "run", "seed", "epoch", "step"}
        first = self.model_dump(include=head)
        return json.dumps({**first, **self.figures, "seconds": self.seconds})


class MetricsLog:
    """Appends to ``metrics.jsonl`` and to TensorBoard event files, a run and seed at a time.

    Args:
        folder: the run's folder.
        run: ``"dense"`` or ``"reuse"``.
        seed: the run's seed.
        step: steps already done; later lines of the same run and seed are taken out, for a killed
            run wrote past its last checkpoint.
    """

    def __init__(self, folder: Path, run: str, seed: int, step: int) -> None:
        self._run, self._seed = run, seed
        self._path = folder / "metrics.jsonl"
        _drop_later(self._path, run, seed, step)
        self._events = EventFile(folder / "events" / f"{run}-{seed}", step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.close()

    def step(self, epoch: int, step: int, loss: float, rate: float, seconds: float) -> None:
        """Log one training step."""
        figures = {"loss": loss, "lr": rate}
        self._write("step", epoch, step, figures, seconds)

    def epoch(self, epoch: int, step: int, figures: dict[str, float], seconds: float) -> None:
        """Log the end of an epoch."""
        self._write("epoch", epoch, step, figures, seconds)

    def diverged(self, epoch: int, step: int, total: int, seconds: float) -> None:
        """Log that the loss of a step of a training of ``total`` steps is no longer finite."""
        self._line("diverged", epoch, step, {"total": total}, seconds)

    def _write(
        self,
        event: Literal["step", "epoch"],
        epoch: int,
        step: int,
        figures: dict[str, float],
        seconds: float,
    ) -> None:
        self._line(event, epoch, step, figures, seconds)
        self._events.add(figures, step)

    def _line(
        self, event: Literal["step", "epoch", "diverged"], epoch: int, step: int, figures: dict[str, float],
        seconds: float,
    ) -> None:  # fmt: skip
        line = MetricsLine(
            event=event, run=self._run, seed=self._seed, epoch=epoch, step=step, seconds=round(seconds, 3),
            **figures,
        )  # fmt: skip
        # Another training of the same folder, which takes turns with this one, may have replaced the file.
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(line.text() + "\n")


def _drop_later(path: Path, run: str, seed: int, step: int) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    kept = [line for line in read_lines(path) if (line.run, line.seed) != (run, seed) or line.step <= step]
    write_text(path, "".join(line.text() + "\n" for line in kept))


def read_lines(path: Path) -> list[MetricsLine]:
    """The lines of ``metrics.jsonl``; see :func:`numbered_lines`."""
    return [line for _, line in numbered_lines(path)]


def numbered_lines(path: Path) -> Iterator[tuple[int, MetricsLine]]:
    """The lines of ``metrics.jsonl``, counted from 1; without a last one that a kill cut off.

    Raises:
        MercuricError: another line is broken; names the file and the line.
    """
    if not path.exists():
        return
    texts = read_bytes(path, MOST_LOG).decode("utf-8", errors="replace").split("\n")
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        name = f"line {number}"
        try:
            content = mapping(parse_json(text, name, infinite=True), name)
            if isinstance(content.get("event"), str) and content["event"] not in EVENTS:
                continue
            line = MetricsLine.of(content, name)
        except ValueError as error:
            if number == len(texts):
                return
            raise MercuricError(f"{path}: {error}") from None
        yield number, line
