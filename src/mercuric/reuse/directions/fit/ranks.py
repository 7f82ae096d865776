"""Which ranks keep the output of a trained network within an error?"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log, nan, sqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.cost import PAYS
from mercuric.reuse.directions.fit.allocation import Option, allocated
from mercuric.reuse.directions.fit.arguments import check_search, checked_batches
from mercuric.reuse.directions.fit.estimate import check_fitted, fits
from mercuric.reuse.directions.fit.sensitivity import Batch, Moments, Weighed, layer_moments, passed
from mercuric.reuse.directions.layer import DirectionsLayer
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.modes import evaluating

if TYPE_CHECKING:
    import pandas as pd

Distance = Callable[[Tensor, Tensor], float]
TRIALS = 10
CLOSE = 0.97
"""Share of the allowed error that is near enough to it."""
_FARTHEST = 4.0


def fit_ranks_(
    model: nn.Module,
    handle: ReuseHandle,
    batches: Iterable[Batch],
    error: float = 0.05,
    distance: Distance | None = None,
) -> "pd.DataFrame":
    """Give each layer of a trained network, in place, the rank that the network's output can bear.

    Dense passes, and the gradients of random combinations of the outputs, say in which directions of a
    layer's outputs the network's output feels a change, and by how much. Ranks follow from the least
    multiplications at a predicted error, and that error from passes in those ranks: they are tried until
    what was measured is within ``error``, both on every other batch, of which the directions are, and on
    the others, of which they are not. Images unlike these may be further off.

    The weights of layers that get a rank change: to ``P W``, of that rank, where ``P`` leaves out what
    the output feels least. ``restore_`` leaves them so; keep a copy where the trained ones are needed. A
    layer that pays at no rank stays as it is. Later passes estimate nothing again.

    Args:
        model: with reuse, on the batches' device; its output is one floating-point tensor.
        handle: its handle, of :class:`~mercuric.Directions`; layers that are off are left alone.
        batches: a pass's arguments each: what the network will read, not what it is judged on. A single
            batch serves for both.
        error: largest distance of the outputs from dense.
        distance: (outputs, dense outputs), joined over batches, to a number; by default the mean absolute
            difference over the mean absolute output.

    Returns:
        A row a layer: ``layer``, ``filters``, ``rank`` (0: dense), ``error`` (predicted relative error of
        the network's output were the layer alone, root mean square), ``multiplications`` of a dense pass
        over every other batch and the share ``saved``. ``attrs["error"]`` is the distance measured.

    Warns:
        UserWarning: no ranks are within ``error``; every layer is dense.

    Raises:
        ValueError: there is no batch, an error that is not between 0 and 1, layers without directions or
            of another model, or a model that gives something else than a tensor of finite numbers.
    """
    given = checked_batches(model, handle, batches)
    check_search(error, distance)
    with torch.inference_mode(False):
        return _fitted(model, handle, given, error, distance or _relative)


def _fitted(
    model: nn.Module, handle: ReuseHandle, given: list[Batch], error: float, judge: Distance
) -> "pd.DataFrame":
    layers = _checked(model, handle, given, error)
    modules = {name: model.get_submodule(name) for name, state in layers.items() if state.on}
    modules = {name: layer for name, layer in modules.items() if not _summed(layer, layers[name])}
    with evaluating(model), handle.uncounted():
        with handle.off():
            moments, outputs = layer_moments(model, modules, given[::2])
            halves = [(given[::2], torch.cat(outputs))]
            if given[1::2]:
                halves.append((given[1::2], _outputs(model, given[1::2])))
        if not all(bool(output.isfinite().all()) for _, output in halves):
            raise ArgumentError("model gave NaN or infinity for these batches, but must give finite numbers")
        found = {
            name: _Fitted.of(modules[name], layers[name], moments[name], _squares(halves[0][1]))
            for name in modules
            if moments[name].vectors
        }

        def measure() -> float:
            return max(judge(_outputs(model, half), dense) for half, dense in halves)

        measured = _searched(found, measure, error)
    if not any(fitted.chosen.rank for fitted in found.values()):
        warnings.warn(
            f"error was {error}, but no layer's rank keeps the output within it: every layer is dense",
            stacklevel=3,
        )
    import pandas as pd  # most programs that reuse need no tables

    table = pd.DataFrame([_row(name, modules[name], found.get(name)) for name in modules])
    table.attrs["error"] = measured
    return table


@dataclass
class _Fitted:
    """A layer, the ranks that it may have, and the one that it has."""

    layer: nn.Module
    state: DirectionsLayer
    weight: Tensor
    moments: Moments
    weighed: Weighed
    options: list[Option]
    chosen: Option

    @classmethod
    def of(cls, layer: nn.Module, state: DirectionsLayer, moments: Moments, squares: float) -> "_Fitted":
        weight: Tensor = layer.weight.detach().clone()  # type: ignore[operator]
        weighed, dense = moments.weighed(), Option(0, 0.0, float(moments.vectors * weight.numel()))
        options = [dense]
        filters, length = weight.shape[0], weight[0].numel()
        multiple = state.config.multiple
        most = min(filters, length, moments.vectors) if fits(layer, state) else 0
        for rank in range(multiple, most, multiple):
            cost = float(moments.vectors * rank * (filters + length))
            if cost <= PAYS * dense.cost:
                options.append(Option(rank, float(weighed.left[rank - 1]) / squares, cost))
        return cls(layer, state, weight, moments, weighed, options, dense)

    @torch.no_grad()
    def take(self, chosen: Option) -> None:
        """Let the layer compute in that rank, with the weight that belongs to it."""
        self.chosen = chosen
        part, weight = self.state.principal, self.layer.weight
        assert isinstance(weight, Tensor)  # noqa: S101 - for mypy
        directions = None
        if chosen.rank:
            rows = self.weighed.map(chosen.rank) @ self.weight.flatten(1).double()
            weight.copy_(rows.view_as(self.weight))
            basis = self.weighed.basis(chosen.rank)
            directions = PrincipalDirections(basis.to(torch.promote_types(weight.dtype, torch.float32)))
        elif len(self.options) > 1:
            weight.copy_(self.weight)
        part.take(directions, self._own_error(), weight)
        if directions is not None:
            self.state.dense_because = None

    def _own_error(self) -> float | None:
        """Relative error of the layer's own outputs."""
        if not self.chosen.rank:
            return None
        left = torch.eye(len(self.moments.outputs), dtype=torch.float64, device=self.weight.device)
        left = left - self.weighed.map(self.chosen.rank)
        lost = float((left @ self.moments.outputs @ left.T).trace().clamp(min=0))
        whole = float(self.moments.outputs.trace())
        return sqrt(lost / whole) if whole else 0.0


@dataclass(frozen=True, order=True)
class _Trial:
    """Ranks that were predicted to be within an error, and the distance measured in them."""

    predicted: float
    distance: float
    chosen: Mapping[str, Option] = field(compare=False)


def _searched(found: Mapping[str, _Fitted], measure: Callable[[], float], error: float) -> float:
    """Take the cheapest ranks of those tried that are measured to be within ``error``; its distance."""
    layers = {name: fitted.options for name, fitted in found.items()}
    dense = _Trial(0.0, 0.0, {name: options[0] for name, options in layers.items()})
    tried: list[_Trial] = []
    predicted: float | None = error
    while predicted is not None and len(tried) < TRIALS:
        chosen = allocated(layers, predicted**2)
        known = [trial.distance for trial in tried if trial.chosen == chosen]
        if not known:
            _take(found, chosen)
        tried.append(_Trial(predicted, known[0] if known else measure(), chosen))
        predicted = _next(tried, error)
    best = max((trial for trial in tried if trial.distance <= error), default=dense)
    _take(found, best.chosen)
    return best.distance


def _next(tried: Sequence[_Trial], error: float) -> float | None:
    """What to predict next; None where the last trial was close, or nothing is left between two.

    The distance grows nearly as a power of what is predicted, of which the last trial and the nearest on
    the other side of ``error``, or the one before, tell the exponent.
    """
    here = tried[-1]
    low = max((trial for trial in tried if trial.distance <= error), default=None)
    high = min((trial for trial in tried if trial.distance > error), default=None)
    close = CLOSE * error <= here.distance <= error
    if close or (low and high and high.predicted < 1.02 * low.predicted):
        return None
    other = (low if here.distance > error else high) or (tried[-2] if len(tried) > 1 else None)
    step = (0.99 * error / here.distance) ** (1 / _exponent(other, here)) if here.distance else _FARTHEST
    predicted = here.predicted * min(_FARTHEST, max(1 / _FARTHEST, step))
    if low and high and not low.predicted < predicted < high.predicted:
        return sqrt(low.predicted * high.predicted)
    return predicted


def _exponent(other: _Trial | None, here: _Trial) -> float:
    if other is None or min(other.distance, here.distance) <= 0 or other.predicted == here.predicted:
        return 1.0
    rise = log(here.distance / other.distance) / log(here.predicted / other.predicted)
    return min(_FARTHEST, max(1 / _FARTHEST, rise))


def _take(found: Mapping[str, _Fitted], chosen: Mapping[str, Option]) -> None:
    for name, option in chosen.items():
        found[name].take(option)


def _checked(
    model: nn.Module, handle: ReuseHandle, batches: list[Batch], error: float
) -> dict[str, DirectionsLayer]:
    layers = check_fitted(model, handle, batches)
    for layer in layers.values():
        for name in ("refresh", "residual_bits"):
            if (value := getattr(layer.config, name)) is not None:
                raise ArgumentError(f"{name} was {value}, but must be None where ranks are fitted once")
    if not 0 < error < 1:
        raise ArgumentError(f"error was {error}, but must be between 0 and 1")
    return layers


@torch.no_grad()
def _outputs(model: nn.Module, batches: list[Batch]) -> Tensor:
    return torch.cat([passed(model, batch) for batch in batches])


def _squares(dense: Tensor) -> float:
    """Of all outputs; 1 where there is nothing to be relative to."""
    return float(dense.double().square().sum()) or 1.0


def _relative(outputs: Tensor, dense: Tensor) -> float:
    difference, scale = (float(one.double().abs().mean()) for one in (outputs - dense, dense))
    return difference / scale if scale else difference


def _summed(layer: Any, state: DirectionsLayer) -> bool:
    """Whether a layer's outputs are sums, which say nothing of each; it stays dense."""
    if layer._mercuric_kind.sums:
        state.principal.take(None, None, layer.weight)
        state.dense_because = "ranks are fitted to outputs, and its outputs are sums of several"
    return bool(layer._mercuric_kind.sums)


def _row(name: str, layer: nn.Module, fitted: _Fitted | None) -> dict[str, Any]:
    weight: Tensor = layer.weight  # type: ignore[assignment]
    row = {"layer": name, "filters": len(weight), "rank": 0}
    if fitted is None:
        return {**row, "error": nan, "multiplications": 0, "saved": 0.0}
    dense, chosen = fitted.options[0], fitted.chosen
    return {
        **row,
        "rank": chosen.rank,
        "error": sqrt(chosen.loss),
        "multiplications": int(dense.cost),
        "saved": 1 - chosen.cost / dense.cost,
    }
