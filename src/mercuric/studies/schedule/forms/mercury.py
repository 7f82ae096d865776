"""How does a network train with MERCURY: in whole patches on this machine, and in the paper's form?"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from torch import nn

from mercuric.reuse import Alike, ReuseConfig, reuse_
from mercuric.studies.bench.layer_times import reuse_config
from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit


class Reusing(Learner):
    """A network whose layers reuse.

    Args:
        network: plain.
        config: how.

    Attributes:
        handle: of its layers.
    """

    def __init__(self, network: nn.Module, config: ReuseConfig) -> None:
        super().__init__(network)
        self.handle = reuse_(network, config)

    def after_step(self, loss: float) -> None:
        """See :meth:`Learner.after_step`."""
        self.handle.step(loss)

    def testing(self) -> AbstractContextManager[object]:
        """See :meth:`Learner.testing`."""
        return self.handle.uncounted()


class Mercury(Form):
    """Alike vectors share results.

    Args:
        name: see :class:`Form`.
        shown: the same.
        source: the same.
        config: how layers reuse, by the bits of a signature.
    """

    compiles = False

    def __init__(self, name: str, shown: str, source: str, config: Callable[[int], ReuseConfig]) -> None:
        self.name, self.shown, self.source, self._config = name, shown, source, config

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        self.learner(ground, 0)
        return (Stage("whole"),)

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`; layers in which a signature can't pay are dense."""
        learner = Reusing(ground.build(), self._config(ground.bits))
        off = learner.handle.switch_off_losing()
        if len(off) == len(learner.handle.layers):
            raise Unfit(f"a signature of {ground.bits} bits can't pay in any layer of {ground.network}")
        return learner


PATCHES = Mercury(
    "mercury",
    "MERCURY, patches",
    "Janfaza and others, HPCA 2023, in windows of all channels, by this machine's kernels",
    reuse_config,
)
PAPER = Mercury(
    "mercury-paper",
    "MERCURY, the paper's form",
    "Janfaza and others, HPCA 2023; its seconds are those of an emulation of its hardware",
    lambda bits: Alike.paper(bits=bits),
)
