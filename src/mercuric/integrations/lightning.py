"""How does Lightning's Trainer train with reuse?"""

# ruff: noqa: ARG002 - the Trainer calls with all of these

from contextlib import ExitStack
from typing import Any, Literal

import mercuric.torchvision_operators  # noqa: F401 - Lightning imports torchvision

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
    from lightning.pytorch.trainer.states import TrainerFn
except ModuleNotFoundError as error:
    raise ImportError(
        f"mercuric.integrations.lightning needs Lightning ({error}); install it with: pip install lightning"
    ) from error

from mercuric.reuse import CostModel, ReuseConfig, ReuseHandle, restore_, reuse_
from mercuric.reuse.replacement import FilterFunction


class MercuricCallback(Callback):
    """Turns reuse on before the optimizer is made, adapts after each training batch, and resumes.

    Logs ``reuse/hit_rate`` (of the batch's input vectors) and ``reuse/bits``. Validation reuses as
    well, but is not counted. The handle's state travels in Lightning's checkpoint.

    Args:
        config: how similarity is found; :class:`ReuseConfig` by default.
        filter_fn: as for :func:`mercuric.reuse_`.
        cost: as for :func:`mercuric.reuse_`.
        restore: take reuse off when ``fit`` ends; validation, test and prediction outside of ``fit``
            then run without.

    Attributes:
        handle: the handle of the module's reuse layers; None before the first ``setup``.
    """

    def __init__(
        self,
        config: ReuseConfig | None = None,
        filter_fn: FilterFunction | None = None,
        cost: CostModel | Literal["milliseconds"] | None = None,
        *,
        restore: bool = False,
    ) -> None:
        self.handle: ReuseHandle | None = None
        self._config = config or ReuseConfig()
        self._filter_fn = filter_fn
        self._cost = cost
        self._restore = restore
        self._module: LightningModule | None = None
        self._saved: dict[str, Any] | None = None
        self._counted = 0, 0
        self._evaluation = ExitStack()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Turn reuse on; a module that has it from this callback already keeps it.

        Raises:
            ValueError: see :func:`mercuric.reuse_`.
        """
        if self._module is pl_module or (self._restore and stage != TrainerFn.FITTING):
            return
        self.handle = reuse_(pl_module, self._config, self._filter_fn, self._cost)
        self._module = pl_module
        if self._saved is not None:
            self.handle.load_state_dict(self._saved)

    def on_train_batch_start(self, *_: Any, **__: Any) -> None:
        """Remember what was counted before."""
        self._counted = self._hits_and_vectors()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Adapt to the batch's loss, and log.

        Raises:
            ValueError: ``training_step`` gave no loss to adapt to, the loss is not finite, or ranks disagree.
        """
        handle = self._started()
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            # Lightning has divided the loss by the batches whose gradients accumulate.
            parts = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            handle.step(loss.detach() * parts)
        elif not pl_module.automatic_optimization and handle.config.adaptation is not None:
            raise ValueError("training_step returned no loss, but adaptation needs it; return the mean loss")
        hits, vectors = (
            now - before for now, before in zip(self._hits_and_vectors(), self._counted, strict=True)
        )
        pl_module.log("reuse/hit_rate", hits / max(1, vectors))
        pl_module.log("reuse/bits", float(max(state.bits for state in handle.layers.values())))

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop counting where validation interrupts training."""
        if trainer.state.fn == TrainerFn.FITTING:
            self._evaluation.enter_context(self._started().uncounted())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count again."""
        self._evaluation.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Count again after a validation that failed."""
        self._evaluation.close()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take reuse off, if that was asked for; the handle still reports what happened."""
        if self._restore and self._module is pl_module:
            self._saved = self._started().state_dict()
            restore_(pl_module)
            self._module = None

    def state_dict(self) -> dict[str, Any]:
        """The handle's state, for the checkpoint."""
        return {} if self.handle is None else {"handle": self.handle.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            ValueError: it is of another configuration or of other layers.
        """
        self._saved = state_dict.get("handle")
        if self.handle is not None and self._saved is not None:
            self.handle.load_state_dict(self._saved)

    def _started(self) -> ReuseHandle:
        if self.handle is None:
            raise RuntimeError("MercuricCallback.setup has not run")
        return self.handle

    def _hits_and_vectors(self) -> tuple[int, int]:
        counts = [state.counts for state in self._started().layers.values()]
        return sum(one.hit for one in counts), sum(one.vectors for one in counts)
