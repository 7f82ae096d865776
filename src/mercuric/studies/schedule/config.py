"""What is trained in which forms, for how many seconds?"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from mercuric.config import require_once
from mercuric.errors import ArgumentError
from mercuric.studies.bench.settings import Clocked, Precision
from mercuric.studies.schedule.forms import DENSE, FORMS
from mercuric.subjects.config import DataConfig, ImageNetworkName, Seed
from mercuric.training.config import Positive

SHARES = (0.25, 0.35, 0.5, 1.0)


def _known(name: str) -> str:
    if name not in FORMS:
        raise ArgumentError(f"form was {name!r}, but must be one of {', '.join(FORMS)}")
    return name


FormName = Annotated[str, AfterValidator(_known)]
Share = Annotated[float, Field(gt=0, le=1)]


class ScheduleConfig(Clocked, DataConfig):
    """What is trained, and how that is tuned and timed.

    Attributes:
        network: of the zoo.
        train_examples: the first so many of a fixed shuffle; all by default.
        augment: random crops and mirror images.
        epochs: of dense's whole schedule, in batches of ``batch``; 1 by default.
        seconds: that dense's whole schedule takes, instead of ``epochs``.
        forms: names of :data:`~mercuric.studies.schedule.forms.FORMS`; dense is always among them.
        shares: of dense's seconds, which schedules fill.
        seeds: of weights and order, one after another.
        trials: learning rates and batches that are tried for each form.
        tuned_at: share of dense's seconds that a trial takes.
        learning_rates: least and most that are tried, as the peak of a one-cycle schedule.
        batch: images a step of dense's whole schedule; each form's first trial has it.
        batches: images a step that are tried.
        rank: of forms in fewer directions or ranks, as a share of a layer's filters.
        width: channels of the narrower network, times this.
        bits: of MERCURY's signatures.
        precisions: that are timed; each form has the one that is faster for it.
        compiled: time ``torch.compile`` as well; each form has the faster of the two.
        rounds: measurements of each form's step, beside dense's in turn.

    Raises:
        ValueError: an unknown name, a number out of range, or something that is named twice.
    """

    network: ImageNetworkName = "vgg13"
    train_examples: Positive | None = None
    augment: bool = False
    epochs: Positive | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    forms: tuple[FormName, ...] = tuple(FORMS)
    shares: tuple[Share, ...] = SHARES
    seeds: tuple[Seed, ...] = (0,)
    trials: Positive = 8
    tuned_at: Share = 0.25
    learning_rates: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.005, 0.3)
    batch: Annotated[int, Field(strict=True, ge=2)] = 64
    batches: tuple[Annotated[int, Field(strict=True, ge=2)], ...] = (32, 64, 128)
    rank: Annotated[float, Field(gt=0, lt=1)] = 0.25
    width: Annotated[float, Field(gt=0, lt=1)] = 0.5
    bits: Annotated[int, Field(strict=True, ge=1, le=64)] = 20
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    compiled: bool = True
    rounds: Positive = 5

    @model_validator(mode="after")
    def _dense_and_each_once(self) -> Self:
        if self.epochs is not None and self.seconds is not None:
            raise ArgumentError(f"epochs was {self.epochs}, but must be None where seconds are given")
        for name in ("forms", "shares", "seeds", "batches", "precisions"):
            values = getattr(self, name)
            if not values:
                raise ArgumentError(f"{name} was empty, but must hold at least one")
            require_once(name, values)
        if DENSE not in self.forms:
            raise ArgumentError(f"forms was {', '.join(self.forms)}, but must hold {DENSE}")
        if self.batch not in self.batches:
            raise ArgumentError(f"batch was {self.batch}, but must be one of batches: {self.batches}")
        least, most = self.learning_rates
        if least >= most:
            raise ArgumentError(f"learning_rates was {least:g}, {most:g}, but the first must be less")
        return self

    def described(self) -> str:
        """Network, data and dense's schedule, as titles name them."""
        examples = "" if self.train_examples is None else f"{self.train_examples:,} images of "
        size = "" if self.image_size is None else f" at {self.image_size} x {self.image_size}"
        epochs = self.epochs or 1
        length = (
            f"{epochs} epoch{'s' if epochs > 1 else ''}" if self.seconds is None else f"{self.seconds:g} s"
        )
        seeds = f"{len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}"
        return f"{self.network} on {examples}{self.data}{size}, {length} of dense training, {seeds}"
