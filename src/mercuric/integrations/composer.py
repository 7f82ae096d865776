"""How does Composer's Trainer train with reuse?"""

# ruff: noqa: ARG002 - the Trainer calls with all of these

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError

try:
    from composer.core import Callback
except ModuleNotFoundError as error:
    raise ImportError(
        f"mercuric.integrations.composer needs Composer ({error}); install it with: pip install mosaicml"
    ) from error

from mercuric.reuse import Alike, CostModel, ReuseConfig, ReuseHandle, restore_, reuse_, similarity_rates
from mercuric.reuse.layer_filter import LayerFilter


class MercuricCallback(Callback):  # type: ignore[misc]  # Composer may be absent, and is then of no type
    """Turns reuse on when the fit starts, adapts after each batch, and resumes.

    Logs ``reuse/hit_rate``, of all vectors so far, and ``reuse/bits``, which Composer's loggers pass on.
    Evaluation within the fit reuses, but is not counted. The handle's state travels in Composer's checkpoint.

    Args:
        config: how layers compute, as :func:`~mercuric.reuse_` takes it; :class:`~mercuric.Alike` by default.
        filter_fn: as for :func:`mercuric.reuse_`.
        cost: as for :func:`mercuric.reuse_`.
        restore: take reuse off when the fit ends.

    Attributes:
        handle: the handle of the model's reuse layers; None before the fit starts.
    """

    def __init__(
        self,
        config: ReuseConfig | None = None,
        filter_fn: LayerFilter | None = None,
        cost: CostModel | Literal["milliseconds"] | None = None,
        *,
        restore: bool = False,
    ) -> None:
        super().__init__()
        self.handle: ReuseHandle | None = None
        self._config = config or Alike()
        self._filter_fn = filter_fn
        self._cost = cost
        self._restore = restore
        self._model: nn.Module | None = None
        self._losses: list[Tensor] = []
        self._saved: dict[str, Any] | None = None
        self._evaluation = ExitStack()

    def fit_start(self, state: Any, logger: Any) -> None:
        """Turn reuse on, and go on from the checkpoint that was loaded.

        Raises:
            ValueError: see :func:`mercuric.reuse_`, or the checkpoint is of another configuration.
        """
        self._evaluation.close()
        if self.handle is None or self._model is not state.model:
            self.handle, self._model = (
                reuse_(state.model, self._config, self._filter_fn, self._cost),
                state.model,
            )
        if self._saved is not None:
            self.handle.load_state_dict(self._saved)
            self._saved = None

    def batch_start(self, state: Any, logger: Any) -> None:
        """Forget the losses of a batch before."""
        self._losses.clear()

    def after_loss(self, state: Any, logger: Any) -> None:
        """Keep the loss of a microbatch; of several losses their sum."""
        loss = state.loss
        if isinstance(loss, Mapping):
            loss = loss["total"] if "total" in loss else list(loss.values())
        if isinstance(loss, Sequence):
            loss = torch.stack([one.detach() for one in loss]).sum()
        self._losses.append(loss.detach())

    def batch_end(self, state: Any, logger: Any) -> None:
        """Adapt to the mean loss of the microbatches, and log.

        Raises:
            ValueError: there is no loss to adapt to, it is not finite, or ranks disagree.
        """
        handle = self._started()
        if self._losses:
            handle.step(torch.stack(self._losses).mean())
        elif handle.needs_loss:
            raise ArgumentError("the batch had no loss, but adaptation needs it; let the model return one")
        bits = max(layer.bits for layer in handle.layers.values())
        rate = similarity_rates(handle.report())["hit_rate"]
        logger.log_metrics({"reuse/hit_rate": rate, "reuse/bits": bits})

    def eval_start(self, state: Any, logger: Any) -> None:
        """Stop counting where evaluation interrupts training."""
        if self.handle is not None:
            self._evaluation.enter_context(self.handle.uncounted())

    def eval_end(self, state: Any, logger: Any) -> None:
        """Count again."""
        self._evaluation.close()

    def fit_end(self, state: Any, logger: Any) -> None:
        """Take reuse off, if that was asked for; the handle still reports what happened."""
        if self._restore and self._model is not None:
            self._saved = self._started().state_dict()
            restore_(self._model)
            self._model = None

    def state_dict(self) -> dict[str, Any]:
        """The handle's state, for the checkpoint."""
        if self._saved is not None:
            return {"handle": self._saved}
        return {} if self.handle is None else {"handle": self.handle.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint, as soon as the fit starts."""
        self._saved = state.get("handle")

    def _started(self) -> ReuseHandle:
        if self.handle is None:
            raise RuntimeError("MercuricCallback.fit_start has not run")
        return self.handle
