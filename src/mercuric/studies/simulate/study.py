"""What does ``mercuric simulate`` count, from which source?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mercuric.accelerator import Accelerator, Simulation
from mercuric.accelerator.engines.scalesim_files import read_topology
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike
from mercuric.studies.simulate.hitmaps import simulate_hitmaps, simulate_network
from mercuric.studies.simulate.scalesim_cycles import ScaleSimCycles
from mercuric.studies.simulate.topology import simulate_topology
from mercuric.subjects.loaded_network import NetworkConfig, load_network
from mercuric.trace.network_calls import simulated_config

Tell = Callable[[str, int, int, str], None]
"""Called with a bar's label, steps done, steps in all, and what is going on."""


@dataclass(frozen=True)
class SimulateRequest:
    """Where layer calls come from, and what counts them.

    Attributes:
        network: runs, where neither Hitmaps nor a topology are given.
        model: the network's name, where one was given.
        unused: the network's options that were given; they must not be where no network runs.
        accelerator: what is simulated.
        reuse: how similarity is found; the paper's form by default.
        training: count both backward products as well; a topology's rows count once in any case.
        save: a Parquet file for the Hitmaps of the network.
        hitmaps: saved ones.
        topology: SCALE-Sim's.
        hit_rate: share of HITs in a topology.
        engine: who counts besides.
    """

    network: NetworkConfig | None
    model: str | None
    unused: tuple[str, ...]
    accelerator: Accelerator
    reuse: Alike | None
    training: bool
    save: Path | None
    hitmaps: Path | None
    topology: Path | None
    hit_rate: float | None
    engine: Literal["scalesim"] | None


@dataclass(frozen=True)
class Simulated:
    """What came out.

    Attributes:
        layers: ``Simulation.layers``, with SCALE-Sim's columns where it counted too.
        summary: the figures of all layers.
        described: what was counted.
        is_topology: whether layers are rows of a topology, of which only HIT or miss is known.
        has_engine: whether SCALE-Sim counted too.
    """

    layers: pd.DataFrame
    summary: dict[str, Any]
    described: dict[str, Any]
    is_topology: bool
    has_engine: bool


def simulate_request(request: SimulateRequest, tell: Tell) -> Simulated:
    """Count what is asked for.

    Raises:
        ValueError: options that contradict each other, or a value that is out of range.
        MercuricError: files that are missing, damaged or something else.
    """
    _check(request)
    engine = None if request.engine is None else ScaleSimCycles(request.accelerator)
    listeners = () if engine is None else (engine.add,)
    if request.topology is not None:
        config = simulated_config(request.reuse, request.accelerator)
        result = simulate_topology(
            read_topology(request.topology), request.accelerator, config, request.hit_rate, request.hitmaps,
            listeners,
        )  # fmt: skip
        described = {"topology": str(request.topology), "bits": config.bits, "products": "forward"}
        source = {"hitmaps": str(request.hitmaps)} if request.hitmaps else {"hit_rate": request.hit_rate or 0}
        described |= source
    else:
        products = "forward, dO, dW" if request.training else "forward"
        result, described = _network(request, listeners, tell)
        described = {**described, "products": products}
    summary = result.summary()
    if request.topology is not None:
        known = ("hit_rate", "bits", "entries", "ways")
        summary["reuse"] = {key: summary["reuse"][key] for key in known}
        del summary["normalisation"], summary["coverage"]
    layers = result.layers
    if engine is not None:
        counted = engine.layers(lambda done, total: tell("SCALE-Sim", done, total, "products"))
        layers = layers.merge(_forward(result), on="layer").merge(counted, on="layer")
        summary["scalesim"] = _scalesim_totals(layers)
    return Simulated(layers, summary, described, request.topology is not None, engine is not None)


def _network(
    request: SimulateRequest, listeners: tuple[Any, ...], tell: Tell
) -> tuple[Simulation, dict[str, Any]]:
    if request.hitmaps is not None:
        return simulate_hitmaps(
            request.hitmaps, request.accelerator, request.training, request.model, request.reuse, listeners
        )
    if request.network is None:
        raise ArgumentError("model was not given, but a network, --hitmaps or --topology must be")
    subject = load_network(request.network)
    result = simulate_network(
        subject, request.accelerator, request.reuse, request.training, request.save, listeners,
        lambda done, total: tell(request.network.model if request.network else "", done, total, "images"),
    )  # fmt: skip
    return result, subject.described


def _check(request: SimulateRequest) -> None:
    if request.topology is not None and request.model is not None:
        raise ArgumentError(f"model was {request.model!r}, but with a topology it must not be given")
    if request.hit_rate is not None and request.topology is None:
        raise ArgumentError(
            f"hit_rate was {request.hit_rate}, but elsewhere than in a topology HITs are measured"
        )
    runs = request.topology is None and request.hitmaps is None
    unused = [*request.unused, *(["save_hitmaps"] if request.save else [])]
    if unused and not runs:
        raise ArgumentError(f"{unused[0]} was given, but no network runs with --hitmaps or --topology")


def _forward(result: Simulation) -> pd.DataFrame:
    """A layer a row: cycles of the forward product alone, for SCALE-Sim knows no other."""
    rows = []
    for layer, timings in result.counter.state_dict()["layers"].items():
        row: dict[str, Any] = {"layer": layer}
        for timing, prefix in (("paper", "forward"), ("fair", "fair_forward")):
            row |= {f"{prefix}_{part}": count for part, count in timings[timing]["forward"].items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _scalesim_totals(layers: pd.DataFrame) -> dict[str, Any]:
    names = [name for name in layers.columns if name.startswith(("scalesim_", "forward_", "fair_forward_"))]
    sums = {name: int(layers[name].sum()) for name in names}
    reuse = sums["scalesim_product"] + sums["scalesim_signature"]
    speedups = {"scoped": sums["scalesim_scoped"] / reuse, "dense": sums["scalesim_dense"] / reuse}
    return {**sums, "speedup": speedups}
