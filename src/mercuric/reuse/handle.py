"""How is a model with reuse watched and switched?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pandas as pd

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.layer_reuse import Counts, LayerReuse
from mercuric.reuse.layers import ReuseConv2d, ReuseLinear
from mercuric.reuse.observation import Observer


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

    def switch_off_losing(self) -> list[str]:
        """Switch off the layers that no HIT rate can make pay, and return their names.

        A signature costs a dot product a bit, and a HIT saves one a filter (paper III-D decides by
        that comparison): with at most as many filters as bits, as in depthwise convolutions and
        small classifiers, the forward pass can't win.
        """
        losing = [name for name, layer in self.layers.items() if _filters(layer) <= layer.reuse.bits]
        if losing:
            self.switch_off(*losing)
        return losing

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
        before = [(state, state.counting) for state in self._states()]
        for state in self._states():
            state.counting = False
        try:
            yield
        finally:
            for state, counting in before:
                state.counting = counting

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


def _filters(layer: ReuseConv2d | ReuseLinear) -> int:
    if isinstance(layer, ReuseLinear):
        return layer.out_features
    return layer.out_channels // layer.groups


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
