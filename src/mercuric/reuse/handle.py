"""How is reuse turned on for a model, watched, and taken off again?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
from torch import nn

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.layer_reuse import Counts, LayerReuse
from mercuric.reuse.layers import ReuseConv2d, ReuseLinear, with_reuse, without_reuse
from mercuric.reuse.observation import Observer

FilterFunction = Callable[[nn.Module, str], bool]


class ReuseHandle:
    """The reuse layers of one model, by name.

    Attributes:
        config: what :func:`reuse_` was called with.
        layers: name to layer, in the model's order.
    """

    def __init__(self, config: ReuseConfig, layers: dict[str, ReuseConv2d | ReuseLinear]) -> None:
        self.config = config
        self.layers = layers

    def switch_on(self, *names: str) -> None:
        """Let the named layers (all, where none is named) reuse results.

        Raises:
            ValueError: no reuse layer has that name.
        """
        self._switch(names, on=True)

    def switch_off(self, *names: str) -> None:
        """Let the named layers (all, where none is named) compute densely.

        Raises:
            ValueError: no reuse layer has that name.
        """
        self._switch(names, on=False)

    def measure_error(self) -> None:
        """Let the next forward pass compute each layer's dense output too, for the output error."""
        for state in self._states():
            state.error_due = True

    def reset(self) -> None:
        """Set every layer's counts to zero."""
        for state in self._states():
            state.counts = Counts()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Within the block forward passes are neither counted nor observed, nor is their error measured."""
        kept = [replace(state) for state in self._states()]
        for state in self._states():
            state.counts, state.observers, state.error_due = Counts(), [], False
        try:
            yield
        finally:
            for state, before in zip(self._states(), kept, strict=True):
                state.counts, state.observers = before.counts, before.observers
                state.error, state.error_due = before.error, before.error_due

    @contextmanager
    def off(self) -> Iterator[None]:
        """Within the block every layer computes densely."""
        switches = [(state, state.on) for state in self._states()]
        self.switch_off()
        try:
            yield
        finally:
            for state, on in switches:
                state.on = on

    def state_dict(self) -> dict[str, Any]:
        """What was counted and switched, a layer an entry, ready for JSON."""
        return {
            state.name: {
                "on": state.on,
                "bits": state.bits,
                "error": state.error,
                "counts": asdict(state.counts),
            }
            for state in self._states()
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave.

        Raises:
            ValueError: it is of other layers.
        """
        if list(saved) != list(self.layers):
            raise ValueError(
                f"the state was of layers {', '.join(saved)}, but must be of {', '.join(self.layers)}"
            )
        for state in self._states():
            entry = saved[state.name]
            state.on, state.bits, state.error = entry["on"], entry["bits"], entry["error"]
            state.counts, state.error_due = Counts(**entry["counts"]), False

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call ``observer`` after each layer's forward pass; returns the function that stops it."""
        for state in self._states():
            state.observers.append(observer)

        def stop() -> None:
            for state in self._states():
                if observer in state.observers:
                    state.observers.remove(observer)

        return stop

    def report(self) -> pd.DataFrame:
        """A layer a row, summed over the forward passes since :meth:`reset`.

        Columns: ``layer``, ``kind``, ``vectors``, ``bits``, ``HIT``, ``MAU``, ``MNU`` (these three add
        up to ``vectors``), ``zero`` (vectors of zeros alone), ``zero_hits`` (HITs by those),
        ``error`` (relative output error where it was last measured), ``on``.
        """
        return pd.DataFrame([_row(layer) for layer in self.layers.values()])

    def _states(self) -> list[LayerReuse]:
        return [layer.reuse for layer in self.layers.values()]

    def _switch(self, names: tuple[str, ...], on: bool) -> None:
        for name in names:
            if name not in self.layers:
                known = ", ".join(self.layers)
                raise ValueError(f"layer was {name!r}, but must be one of the reuse layers: {known}")
        for name in names or self.layers:
            self.layers[name].reuse.on = on


def reuse_(
    model: nn.Module, config: ReuseConfig | None = None, filter_fn: FilterFunction | None = None
) -> ReuseHandle:
    """Turn reuse on, in place: convolutions and fully connected layers compute alike vectors once.

    Parameters, hooks and state_dict keys stay the same, so an optimizer made before goes on working.

    Args:
        model: any module with ``nn.Conv2d`` or ``nn.Linear`` layers (subclasses of them are left alone).
        config: how similarity is found; :meth:`ReuseConfig.paper` by default.
        filter_fn: called with a layer and its name; False leaves that layer dense.

    Returns:
        A handle to watch the layers and switch them on and off.

    Raises:
        ValueError: the model has reuse layers already, no layer matches, the model itself is the
            layer, or the granularity does not divide a layer's channels. The model is then unchanged.
    """
    config = config or ReuseConfig.paper()
    if any(isinstance(module, ReuseConv2d | ReuseLinear) for module in model.modules()):
        raise ValueError("model has reuse layers already; call restore_(model) first")
    if type(model) in (nn.Conv2d, nn.Linear):
        raise ValueError(
            f"model was a single {type(model).__name__}, which can't be replaced in place; wrap it"
        )
    layers = {
        name: with_reuse(module, name, config)
        for name, module in model.named_modules()
        if type(module) in (nn.Conv2d, nn.Linear) and (filter_fn is None or filter_fn(module, name))
    }
    if not layers:
        raise ValueError("model has no Conv2d or Linear layer that filter_fn lets through")
    _replace(model, {model.get_submodule(name): layer for name, layer in layers.items()})
    return ReuseHandle(config, layers)


def restore_(model: nn.Module) -> None:
    """Take reuse off again, in place: the plain layers, with the parameters as they are now."""
    reuse_layers = (m for m in model.modules() if isinstance(m, ReuseConv2d | ReuseLinear))
    _replace(model, {layer: without_reuse(layer) for layer in reuse_layers})


def similarity_rates(report: pd.DataFrame) -> dict[str, float]:
    """Shares of all input vectors over the rows of a report.

    Returns:
        ``hit_rate``: HITs; ``zero_rate``: vectors of zeros alone, HIT or not; ``similar_rate``: HITs
        of other vectors.
    """
    sums = {name: int(report[name].sum()) for name in ("vectors", "HIT", "zero", "zero_hits")}
    vectors = max(1, sums["vectors"])
    return {
        "hit_rate": sums["HIT"] / vectors,
        "zero_rate": sums["zero"] / vectors,
        "similar_rate": (sums["HIT"] - sums["zero_hits"]) / vectors,
    }


def _replace(model: nn.Module, replacements: dict[nn.Module, nn.Module]) -> None:
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child in replacements:
                parent._modules[name] = replacements[child]


def _row(layer: ReuseConv2d | ReuseLinear) -> dict[str, object]:
    state, counts = layer.reuse, layer.reuse.counts
    return {
        "layer": state.name,
        "kind": "conv" if isinstance(layer, ReuseConv2d) else "linear",
        "vectors": counts.vectors,
        "bits": state.bits,
        "HIT": counts.hit,
        "MAU": counts.mau,
        "MNU": counts.mnu,
        "zero": counts.zero,
        "zero_hits": counts.zero_hits,
        "error": float("nan") if state.error is None else state.error,
        "on": state.on,
    }
