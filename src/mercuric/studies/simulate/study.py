"""What does ``mercuric simulate`` count, from which source?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd

from mercuric.accelerator import Accelerator, Energies, Simulation
from mercuric.accelerator.count.cycles import waiting_parts
from mercuric.accelerator.engines.scalesim_files import read_topology
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.progress import Progress, named, silent
from mercuric.reuse import Alike
from mercuric.studies.simulate.hitmaps import simulate_hitmaps, simulate_network
from mercuric.studies.simulate.scalesim_cycles import ScaleSimCycles
from mercuric.studies.simulate.topology import simulate_topology
from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.subject import load_subject
from mercuric.trace.calls import Listen
from mercuric.trace.supervised import Gradients


@dataclass(frozen=True)
class Counting:
    """How layer calls are counted, wherever they come from.

    Attributes:
        accelerator: what is simulated.
        reuse: how similarity is found; the paper's form by default.
        training: count both backward products as well; a topology's rows count once in any case.
        engine: who counts besides.
        energies: by which energy is counted as well; None: they aren't.
    """

    accelerator: Accelerator
    reuse: Alike | None = None
    training: bool = True
    engine: Literal["scalesim"] | None = None
    energies: Energies | None = None

    @property
    def products(self) -> str:
        """What is counted of a layer, as tables name it."""
        return "forward, dO, dW" if self.training else "forward"


Counted = tuple[Simulation, dict[str, Any]]
"""The simulation, and what was counted with its figures, ready for JSON."""


class Source(Protocol):
    """Where layer calls come from."""

    def count(self, how: Counting, also: Sequence[Listen], progress: Progress) -> Counted:
        """Count every call, and let others see it, too."""


@dataclass(frozen=True)
class Network:
    """A network that runs.

    Attributes:
        config: what is loaded.
        save: a Parquet file for its Hitmaps.
        gradients: whose Hitmap dO goes by.
    """

    config: ExamplesConfig
    save: Path | None = None
    gradients: Gradients = "forward-hits"

    def count(self, how: Counting, also: Sequence[Listen], progress: Progress) -> Counted:
        """See :class:`Source`."""
        subject = load_subject(self.config, self.config.images, self.config.batch)
        told = named(progress, "images", self.config.model)
        result = simulate_network(
            subject,
            how.accelerator,
            how.reuse,
            how.training,
            self.save,
            also,
            told,
            how.energies,
            self.gradients,
        )
        return result, {**subject.described, "products": how.products, **result.summary()}


@dataclass(frozen=True)
class Hitmaps:
    """Saved Hitmaps.

    Attributes:
        path: a Parquet file, or a folder of CSV files.
        model: where given, the network that they must be of.
    """

    path: Path
    model: str | None = None

    def count(self, how: Counting, also: Sequence[Listen], _progress: Progress) -> Counted:
        """See :class:`Source`."""
        result, described = simulate_hitmaps(
            self.path, how.accelerator, how.training, self.model, how.reuse, also, how.energies
        )
        return result, {**described, "products": how.products, **result.summary()}


@dataclass(frozen=True)
class Topology:
    """SCALE-Sim's topology, whose HITs are spread over it or saved ones.

    Attributes:
        path: its .csv file.
        hit_rate: share of HITs, 0 to 1; none by default.
        hitmaps: a folder of saved ones instead.
    """

    path: Path
    hit_rate: float | None = None
    hitmaps: Path | None = None

    def count(self, how: Counting, also: Sequence[Listen], _progress: Progress) -> Counted:
        """See :class:`Source`; of its rows only HIT or miss is known."""
        config = simulated_config(how.reuse, how.accelerator)
        result = simulate_topology(
            read_topology(self.path), how.accelerator, config, self.hit_rate, self.hitmaps, also, how.energies
        )
        hits = {"hitmaps": str(self.hitmaps)} if self.hitmaps else {"hit_rate": self.hit_rate or 0}
        summary = result.summary()
        summary["reuse"] = {key: summary["reuse"][key] for key in ("hit_rate", "bits", "entries", "ways")}
        del summary["normalisation"], summary["coverage"], summary["gradients"]
        described = {"topology": str(self.path), "bits": config.bits, "products": "forward", **hits}
        return result, {**described, **summary}


def simulate(
    source: Source, how: Counting, progress: Progress = silent
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Count what comes from ``source``.

    Returns:
        ``Simulation.layers``, with SCALE-Sim's columns where it counts too; and what was counted with the
        figures of all layers.

    Raises:
        ValueError: a value that is out of range.
        MercuricError: files that are missing, damaged or something else.
    """
    engine = None if how.engine is None else ScaleSimCycles(how.accelerator)
    result, summary = source.count(how, () if engine is None else (engine.add,), progress)
    if engine is None:
        return result.layers, summary
    counted = engine.layers(named(progress, "products", "SCALE-Sim"))
    layers = result.layers.merge(_forward(result), on="layer").merge(counted, on="layer")
    return layers, {**summary, "scalesim": _scalesim_totals(layers)}


def _forward(result: Simulation) -> pd.DataFrame:
    """A layer a row: cycles of the forward product alone, for SCALE-Sim knows no other."""
    parts = ("baseline", "product", "signature", "stall", *waiting_parts(result.accelerator))
    rows = []
    for layer, timings in result.counter.state_dict()["layers"].items():
        row: dict[str, Any] = {"layer": layer}
        for timing, prefix in (("paper", "forward"), ("fair", "fair_forward")):
            row |= {f"{prefix}_{part}": timings[timing]["forward"][part] for part in parts}
        rows.append(row)
    return pd.DataFrame(rows)


def _scalesim_totals(layers: pd.DataFrame) -> dict[str, Any]:
    names = [name for name in layers.columns if name.startswith(("scalesim_", "forward_", "fair_forward_"))]
    sums = {name: int(layers[name].sum()) for name in names}
    reuse = sums["scalesim_product"] + sums["scalesim_signature"]
    speedups = {"scoped": sums["scalesim_scoped"] / reuse, "dense": sums["scalesim_dense"] / reuse}
    return {**sums, "speedup": speedups}
