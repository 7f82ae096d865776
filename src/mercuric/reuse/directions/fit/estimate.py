"""How does a trained network get directions without training on?"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.reuse.directions.basis import sampled_rows
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.fit.arguments import checked_batches
from mercuric.reuse.directions.fit.sensitivity import Batch, called
from mercuric.reuse.directions.layer import DirectionsLayer
from mercuric.reuse.directions.part import without_bias
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.modes import evaluating


def fit_directions_(model: nn.Module, handle: ReuseHandle, batches: Iterable[Batch]) -> None:
    """Give each layer of a trained network, in place, the directions that its configuration asks for.

    Dense passes over the batches show in which directions outputs lie. The weights of layers that get
    directions change to ``U U^T W``, and ``restore_`` leaves them so; keep a copy where the trained ones
    are needed. Layers that are off, for which no rank pays, or whose weight is no parameter of their own,
    stay as they are. :func:`~mercuric.fit_ranks_` asks what the network's output can bear instead.

    Args:
        model: with reuse, on the batches' device.
        handle: its handle, of :class:`~mercuric.Directions`.
        batches: a pass's arguments each: what the network will read.

    Raises:
        ValueError: there is no batch, layers without directions or of another model, or an argument of
            another kind than it must be.
    """
    estimate_directions(model, handle, checked_batches(model, handle, batches))
    use_directions_(model, handle)


def estimate_directions(model: nn.Module, handle: ReuseHandle, batches: Iterable[Batch]) -> None:
    """Find the layers' directions, and change nothing yet; arguments as :func:`fit_directions_` has them."""
    given = list(batches)
    layers = check_fitted(model, handle, given)
    seen: dict[str, list[tuple[Tensor, int]]] = {}
    sampling = _sampled(model, layers, seen, len(given))
    with evaluating(model), handle.uncounted(), handle.off(), sampling, torch.no_grad():
        for batch in given:
            called(model, batch)
    for name, samples in seen.items():
        part, weight = layers[name].principal, model.get_submodule(name).weight
        rows = torch.cat([rows for rows, _ in samples])
        if bool((rows != 0).any()):
            part.renew()
            passed = sum(vectors for _, vectors in samples) // len(given)
            part.choose(rows, cast(Tensor, weight), passed)


def use_directions_(model: nn.Module, handle: ReuseHandle) -> None:
    """Let layers that are on compute in the directions that were found, with weights that lie in them."""
    for name, state in handle.layers.items():
        if isinstance(state, DirectionsLayer) and state.on:
            state.principal.use(cast(Tensor, model.get_submodule(name).weight))
            if state.principal.directions is not None:
                state.dense_because = None


def check_fitted(model: nn.Module, handle: ReuseHandle, batches: list[Batch]) -> dict[str, DirectionsLayer]:
    """The layers, by name, if they can be fitted.

    Raises:
        ValueError: there is no batch, or layers without directions or of another model.
    """
    if not isinstance(handle.config, Directions):
        raise ArgumentError(
            f"handle was of {described(handle.config)}, but its configuration must be a Directions"
        )
    if not batches:
        raise ArgumentError("batches was empty, but must hold at least one")
    modules = dict(model.named_modules())
    layers = {name: state for name, state in handle.layers.items() if isinstance(state, DirectionsLayer)}
    for name, state in layers.items():
        if name not in modules or modules[name].__dict__.get("_mercuric") is not state:
            raise ArgumentError(f"handle was of another model: layer {name!r} is not one of model's")
    return layers


def fits(layer: nn.Module, state: DirectionsLayer) -> bool:
    """Whether the weight of a layer may be changed on request, which a frozen one may."""
    return state.why_unfit(getattr(layer, "weight", None)) is None


@contextmanager
def _sampled(
    model: nn.Module,
    layers: Mapping[str, DirectionsLayer],
    seen: dict[str, list[tuple[Tensor, int]]],
    batches: int,
) -> Iterator[None]:
    """Within the block finite samples of the layers' outputs without bias, and their number, are kept."""
    with ExitStack() as hooks:
        for name, state in layers.items():
            layer = model.get_submodule(name)
            if not fits(layer, state):
                continue
            samples = max(2, state.config.samples // batches)

            def keep(
                layer: Any, given: Any, named: Any, output: Tensor, name: str = name, samples: int = samples
            ) -> None:
                rows, bias = layer._mercuric_kind.product_rows(layer, given or (named["input"],), output)
                sample = without_bias(sampled_rows(rows, samples), bias)
                finite = sample[torch.isfinite(sample).all(1)]
                seen.setdefault(name, []).append((finite, len(rows)))

            hooks.callback(layer.register_forward_hook(keep, with_kwargs=True).remove)
        yield
