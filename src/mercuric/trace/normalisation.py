"""By which statistics does a simulated network normalise?"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.parameter import is_lazy

from mercuric.errors import ArgumentError
from mercuric.reuse.modes import evaluating
from mercuric.trace.workload import Inputs, call

Statistics = Literal["batch", "data", "stored"]
"""Of each batch itself, as in a training step; of all batches, taken first; those that the model has."""
Normalisation = Statistics | Literal["none"]
"""``"none"``: no layer of the network keeps statistics of what it reads."""

SHOWN: dict[str, str] = {
    "batch": "by each batch's own statistics, as a training step does",
    "data": "by statistics of these data, taken first, for random weights have none",
    "stored": "by the statistics that are stored with the weights",
    "none": "no layer normalises by statistics of a batch",
}
"""How tables and reports say it."""

_KEPT = ("running_mean", "running_var")


def normalisation_of(model: nn.Module, training: bool, wanted: Statistics | None = None) -> Normalisation:
    """The statistics that a simulation of ``model`` normalises by.

    Args:
        model: any network.
        training: a training step normalises by its batch, whatever the weights.
        wanted: where given, what the user asks for.

    Returns:
        ``wanted``, else ``"batch"`` for training; for inference ``"data"`` where no layer's statistics have
        been touched since it was made, for they normalise nothing, and ``"stored"`` where one's have.

    Raises:
        ValueError: ``wanted`` is no such word.
    """
    if wanted is not None and wanted not in get_args(Statistics):
        known = ", ".join(map(repr, get_args(Statistics)))
        raise ArgumentError(f"normalisation was {wanted!r}, but must be one of {known}")
    layers = _keeping(model)
    if not layers:
        return "none"
    if wanted is not None:
        return wanted
    if training:
        return "batch"
    return "data" if all(map(_untouched, layers.values())) else "stored"


@contextmanager
def normalised(model: nn.Module, by: Normalisation, batches: Iterable[Inputs] = ()) -> Iterator[None]:
    """Within the block layers that keep statistics normalise as said; the model is left as it was.

    Only these layers are switched: others, as dropout, are in the mode that the model is in.

    Args:
        model: any network, in any mode.
        by: what :func:`normalisation_of` gave.
        batches: what statistics ``"data"`` are taken from, in one pass without gradients.
    """
    layers = _keeping(model)
    with ExitStack() as stack:
        if by == "batch":
            for name, module in layers.items():
                _hook(stack, module, _BatchStatistics(name, keep=False))
        elif by == "data":
            taken = _taken(model, layers, batches)
            for name, module in layers.items():
                stack.callback(module._buffers.update, dict(module._buffers))
                module._buffers.update(taken[name])
        yield


def _keeping(model: nn.Module) -> dict[str, nn.Module]:
    """Layers with running statistics: PyTorch's, timm's, and others that name them as these do."""
    return {
        name or type(module).__name__: module
        for name, module in model.named_modules()
        if hasattr(module, "momentum") and any(module._buffers.get(kept) is not None for kept in _KEPT)
    }


def _untouched(module: nn.Module) -> bool:
    mean, variance = (module._buffers.get(kept) for kept in _KEPT)
    return _holds(mean, 0) and _holds(variance, 1)


def _holds(statistics: Tensor | None, value: int) -> bool:
    return statistics is None or is_lazy(statistics) or bool((statistics == value).all())


def _taken(
    model: nn.Module, layers: dict[str, nn.Module], batches: Iterable[Inputs]
) -> dict[str, dict[str, Tensor | None]]:
    """Buffers of each layer after a pass over the batches: means of the batches' statistics."""
    found = {name: _BatchStatistics(name, keep=True) for name in layers}
    with ExitStack() as stack, torch.no_grad(), evaluating(model):
        for name, module in layers.items():
            _hook(stack, module, found[name])
        for inputs in batches:
            call(model, inputs)
    return {name: one.kept for name, one in found.items()}


def _hook(stack: ExitStack, module: nn.Module, statistics: "_BatchStatistics") -> None:
    before = module.register_forward_pre_hook(statistics.before, with_kwargs=True)
    after = module.register_forward_hook(statistics.after, with_kwargs=True, always_call=True)
    stack.callback(before.remove)
    stack.callback(after.remove)


class _BatchStatistics:
    """One layer's calls: each normalises what it reads by its own statistics.

    The layer works on copies of its buffers, so nothing of a call is left in it, NaN neither.

    Args:
        name: the layer's, for what is said of it.
        keep: whether the mean of the calls' statistics is kept.
    """

    def __init__(self, name: str, keep: bool) -> None:
        self.kept: dict[str, Tensor | None] = {}
        self._name, self._keep = name, keep
        self._calls, self._stored = 0, False
        self._before: tuple[bool, Any, dict[str, Tensor | None]] | None = None

    def before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        (x,) = (*args, *kwargs.values())[:1]
        self._before = (module.training, module.momentum, dict(module._buffers))
        self._stored = _values(module, x) < 2
        if self._stored:
            module.training = False
            self._say_stored()
            return
        start = self.kept or module._buffers
        module._buffers.update({name: None if one is None else one.clone() for name, one in start.items()})
        share = 1 / (1 + self._calls)
        if isinstance(module, nn.SyncBatchNorm):
            # In training mode it would wait for other processes, which don't simulate.
            module.training = False
            self._give(module, x, share)
            return
        if self._keep:
            module.__dict__["momentum"] = share
        module.training = True

    def after(self, module: nn.Module, *_: Any) -> None:
        if self._before is None:
            return
        if not self._stored:
            self._calls += 1
            if self._keep and not isinstance(module, nn.SyncBatchNorm):
                self.kept = dict(module._buffers)
        module.training, module.momentum, buffers = self._before
        module._buffers.update(buffers)
        self._before = None

    def _give(self, module: nn.SyncBatchNorm, x: Tensor, share: float) -> None:
        """Statistics of ``x`` in place of the stored ones."""
        over = [dimension for dimension in range(x.dim()) if dimension != 1]
        variance, mean = torch.var_mean(x.detach().float(), over, correction=0)
        count = _values(module, x)
        if self._keep:
            unbiased = variance * (count / (count - 1))
            kept = [self.kept.get(name) for name in _KEPT]
            for name, old, new in zip(_KEPT, kept, (mean, unbiased), strict=True):
                self.kept[name] = new if old is None else old + (new - old) * share
        module._buffers.update(running_mean=mean, running_var=variance)

    def _say_stored(self) -> None:
        warnings.warn(
            f"layer {self._name!r} normalised by its stored statistics: it read one value a channel, which "
            "has no variance; run more images at once, or larger ones",
            stacklevel=2,
        )


def _values(module: nn.Module, x: Tensor) -> int:
    """Values of one channel that are normalised together."""
    if isinstance(module, _InstanceNorm):
        unbatched: int = module._get_no_batch_dim()  # type: ignore[no-untyped-call]
        return prod(x.shape[i] for i in range(1 - unbatched, 0))
    return x.numel() // x.shape[1] if x.dim() > 1 and x.shape[1] else 0
