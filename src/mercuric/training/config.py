"""How is a network trained?"""

from typing import Annotated, Literal

from pydantic import Field

from mercuric.config import Config

Positive = Annotated[int, Field(strict=True, ge=1)]


class TrainingConfig(Config):
    """The training loop's settings.

    Attributes:
        epochs: passes over the training examples.
        batch_size: examples a step; those left over at an epoch's end wait for another epoch.
        optimizer: ``"sgd"`` (Nesterov momentum) or ``"adamw"``.
        learning_rate: the schedule's peak.
        momentum: of SGD.
        weight_decay: of either optimizer.
        schedule: ``"one-cycle"`` (linear warm-up over a fifth of the steps, then cosine to zero),
            ``"cosine"``, ``"step"`` (a tenth at half and at three quarters) or ``"constant"``.
        clip_norm: gradients are scaled down to this norm, taken over all parameters; None clips nothing.
        label_smoothing: of the cross entropy, 0 to 1.
        augment: random crops and mirror images; of image data alone.
        test_every: epochs from one test to the next; the last epoch is always tested.
        checkpoint_every: steps from one checkpoint to the next, beside one an epoch.
    """

    epochs: Positive = 1
    batch_size: Positive = 64
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Annotated[float, Field(gt=0)] = 0.02
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    schedule: Literal["one-cycle", "cosine", "step", "constant"] = "one-cycle"
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augment: bool = False
    test_every: Positive = 1
    checkpoint_every: Positive = 100
