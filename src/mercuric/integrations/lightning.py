"""How does Lightning's Trainer train with reuse?"""

# ruff: noqa: ARG002 - the Trainer calls with all of these

from contextlib import ExitStack, suppress
from typing import Any, Literal

from torch import nn

from mercuric.errors import ArgumentError

with suppress(ImportError):  # Lightning imports torchvision where it is there
    import mercuric.torchvision_operators  # noqa: F401

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
    from lightning.pytorch.trainer.states import TrainerFn
except ModuleNotFoundError as error:
    raise ImportError(
        f"mercuric.integrations.lightning needs Lightning ({error}); install it with: pip install lightning"
    ) from error

from mercuric.reuse import Alike, CostModel, ReuseConfig, ReuseHandle, restore_, reuse_
from mercuric.reuse.swap import FilterFunction, is_reuse_layer


class MercuricCallback(Callback):
    """Turns reuse on before the first batch, adapts after each training batch, and resumes.

    By then the module has its layers, whether ``__init__``, ``setup`` or ``configure_model`` makes them.

    Logs ``reuse/hit_rate`` (of the batch's input vectors) and ``reuse/bits``. Validation reuses as
    well, but is not counted. The handle's state travels in Lightning's checkpoint.

    Args:
        config: how layers compute, as :func:`~mercuric.reuse_` takes it; :class:`~mercuric.Alike` by default.
        filter_fn: as for :func:`mercuric.reuse_`.
        cost: as for :func:`mercuric.reuse_`.
        restore: take reuse off when ``fit`` ends; validation, test and prediction outside of ``fit``
            then run without.

    Attributes:
        handle: the handle of the module's reuse layers; None before the first start.
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
        self._config = config or Alike()
        self._filter_fn = filter_fn
        self._cost = cost
        self._restore = restore
        self._layers: list[nn.Module] = []
        self._saved: dict[str, Any] | None = None
        self._taken_off: LightningModule | None = None
        self._counted = 0, 0
        self._evaluation = ExitStack()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Turn reuse on; layers that have it from this callback already keep it.

        Raises:
            ValueError: see :func:`mercuric.reuse_`, or the checkpoint is of another configuration or of
                other layers.
        """
        self._evaluation.close()
        self._turn_on(pl_module)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Turn reuse on, as :meth:`on_fit_start` does."""
        self._turn_on_outside_of_fit(pl_module)

    on_predict_start = on_test_start

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on from a checkpoint that was read after the fit had started."""
        self._go_on()

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
        elif not pl_module.automatic_optimization and handle.needs_loss:
            raise ArgumentError(
                "training_step returned no loss, but adaptation needs it; return the mean loss"
            )
        hits, vectors = (
            now - before for now, before in zip(self._hits_and_vectors(), self._counted, strict=True)
        )
        pl_module.log("reuse/hit_rate", hits / max(1, vectors))
        pl_module.log("reuse/bits", float(max(state.bits for state in handle.layers.values())))

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop counting where validation interrupts training; elsewhere turn reuse on."""
        if trainer.state.fn == TrainerFn.FITTING:
            self._evaluation.enter_context(self._started().uncounted())
        else:
            self._turn_on_outside_of_fit(pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count again."""
        self._evaluation.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Count again after a validation that failed."""
        self._evaluation.close()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take reuse off, if that was asked for; the handle still reports what happened."""
        if self._restore and self._layers:
            self._saved, self._taken_off = self._started().state_dict(), pl_module
            restore_(pl_module)
            self._layers = []

    def state_dict(self) -> dict[str, Any]:
        """The handle's state, for the checkpoint."""
        if self._saved is not None:
            return {"handle": self._saved}
        return {} if self.handle is None else {"handle": self.handle.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint, as soon as the module has its layers."""
        self._saved, self._taken_off = state_dict.get("handle"), None

    def _turn_on_outside_of_fit(self, module: LightningModule) -> None:
        if not self._restore:
            self._turn_on(module)

    def _turn_on(self, module: LightningModule) -> None:
        if not self._layers or self._layers != _reuse_layers(module):
            # Other layers than last time, perhaps in part: setup may make them anew.
            restore_(module)
            self.handle = reuse_(module, self._config, self._filter_fn, self._cost)
            self._layers = _reuse_layers(module)
        if self._taken_off not in (None, module):
            self._saved = None
        self._go_on()

    def _go_on(self) -> None:
        if self._saved is not None:
            self._started().load_state_dict(self._saved)
            self._saved = self._taken_off = None

    def _started(self) -> ReuseHandle:
        if self.handle is None:
            raise RuntimeError("MercuricCallback.on_fit_start has not run")
        return self.handle

    def _hits_and_vectors(self) -> tuple[int, int]:
        counts = [state.counts for state in self._started().layers.values()]
        return sum(one.hit for one in counts), sum(one.vectors for one in counts)


def _reuse_layers(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if is_reuse_layer(layer)]
