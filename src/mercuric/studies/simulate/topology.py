"""How many cycles does a topology of SCALE-Sim take, with the HITs that were measured or are assumed?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mercuric.accelerator import Accelerator, Energies, Simulation
from mercuric.accelerator.count.countable import countable_hitmaps, require_saved
from mercuric.accelerator.count.simulation import simulate_calls
from mercuric.accelerator.engines.scalesim_files import TopologyLayer
from mercuric.errors import ArgumentError, MercuricError
from mercuric.reuse import Alike
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap, HitState
from mercuric.trace.calls import KnownCalls, Listen, RunFacts
from mercuric.trace.hitmaps.csv_lines import read_hitmap_csv
from mercuric.trace.hitmaps.folder import hits_only
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work
from mercuric.trace.workload import Workload

_MOST_VECTORS, _MOST_VECTORS_OF_ALL_SCOPES = 2**24, 2**28
"""What a layer's Hitmap may hold: about 1 and 3 GB while it is counted."""


def simulate_topology(
    layers: Sequence[TopologyLayer],
    accelerator: Accelerator,
    config: Alike,
    hit_rate: float | None = None,
    hitmaps: Path | None = None,
    listeners: Sequence[Listen] = (),
    energies: Energies | None = None,
) -> Simulation:
    """Count each row once, as one product (a topology of a backward pass is one of its own).

    Args:
        layers: the topology's rows.
        accelerator: what is simulated.
        config: signature length.
        hit_rate: share of HITs among the vectors of each scope; 0 where neither is given.
        hitmaps: a Parquet file or a folder of CSV files instead: the n-th layer's Hitmap is the n-th row's.
        listeners: each called with every layer's call, once it is counted.
        energies: by which energy is counted as well; None: they aren't.

    Raises:
        ValueError: ``hit_rate`` is out of range or given with ``hitmaps``, or the accelerator asks for more
            than is known.
        MercuricError: the Hitmaps are damaged, or of other layers.
    """
    if hit_rate is not None and hitmaps is not None:
        raise ArgumentError(
            f"hit_rate was {hit_rate}, but with hitmaps it must not be given: they say who hits"
        )
    calls = _calls(layers, accelerator, config, hit_rate, hitmaps)
    known = KnownCalls(config, calls, RunFacts(tuple(layer.name for layer in layers)))
    return simulate_calls(known, accelerator, training=False, listeners=listeners, energies=energies)


def _calls(
    layers: Sequence[TopologyLayer],
    accelerator: Accelerator,
    config: Alike,
    hit_rate: float | None,
    hitmaps: Path | None,
) -> Iterator[LayerCall]:
    if hitmaps is None:
        return _assumed(layers, accelerator, config, hit_rate or 0.0)
    if hitmaps.is_dir():
        require_saved(hitmaps, accelerator)
        return _from_folder(layers, hitmaps)
    return _from_parquet(layers, hitmaps, accelerator)


def _assumed(
    layers: Sequence[TopologyLayer], accelerator: Accelerator, config: Alike, rate: float
) -> Iterator[LayerCall]:
    for layer in layers:
        _fits_memory(layer)
        hitmap = spread_hits(layer.shape, rate, accelerator.entries)
        work = Work(layer.shape, hitmap, config.bits, layer.kind)
        yield LayerCall(layer.name, work, workload=_workload(layer, layer.shape))


def _workload(layer: TopologyLayer, shape: VectorShape) -> Workload:
    """A row's dense product of a batch whose vectors have ``shape``, with the words that it reads."""
    alone = layer.shape.scopes * layer.shape.vectors
    covered = alone * shape.length
    inputs = min(layer.inputs or covered, covered) * shape.scopes * shape.vectors // alone
    return Workload(layer.name, layer.kind, shape, True, inputs, layer.fresh or shape.elements)


def _fits_memory(layer: TopologyLayer) -> None:
    shape = layer.shape
    for what, vectors, most in (
        ("vectors a scope", shape.vectors, _MOST_VECTORS),
        ("vectors", shape.scopes * shape.vectors, _MOST_VECTORS_OF_ALL_SCOPES),
    ):
        if vectors > most:
            raise MercuricError(
                f"layer {layer.name!r} (line {layer.line} of the topology) has {vectors:,} {what}, but its "
                f"HITs can be spread over at most {most:,}"
            )


def spread_hits(shape: VectorShape, rate: float, entries: int | None) -> Hitmap:
    """A Hitmap whose HITs are spread evenly over each scope; the first vector always misses.

    Args:
        shape: the vectors.
        rate: share of HITs, rounded down to whole vectors.
        entries: lines of the MCACHE: later misses are MNU.

    Raises:
        ValueError: ``rate`` is not from 0 to 1.
    """
    if not 0 <= rate <= 1:
        raise ArgumentError(f"hit_rate was {rate}, but must be from 0 to 1")
    vectors = torch.arange(shape.vectors)
    # The small term keeps 0.1 x 30 at 3.
    reached = ((vectors + 1).double() * rate + 1e-9).floor()
    hit = reached > torch.cat([reached.new_zeros(1), reached])[: shape.vectors]
    hit[:1] = False
    number = (~hit).cumsum(0)
    kept = number <= (shape.vectors if entries is None else entries)
    misses = torch.where(kept, HitState.MAU.value, HitState.MNU.value)
    states = torch.where(hit, HitState.HIT.value, misses).to(torch.uint8)
    latest = torch.where(~hit & kept, vectors, 0).cummax(0).values
    representatives = torch.where(hit, latest, vectors)
    size = (shape.scopes, shape.vectors)
    return Hitmap(states.expand(size), representatives.expand(size))  # every scope is the same memory


def _from_folder(layers: Sequence[TopologyLayer], folder: Path) -> Iterator[LayerCall]:
    files = sorted(folder.glob("hitmap-*.csv"), key=lambda path: (len(path.name), path.name))
    _same_number(len(files), layers, folder)
    for layer, path in zip(layers, files, strict=True):
        for number, line in enumerate(read_hitmap_csv(path), start=1):
            shape = _for_images(layer.shape, line.input_shape[0], layer.kind == "conv")
            if line.hit.size != shape.scopes * shape.vectors:
                raise MercuricError(
                    f"{path}, line {number}: rows was {line.hit.size}, but layer {layer.name!r} (line "
                    f"{layer.line} of the topology) has {shape.scopes * shape.vectors} vectors"
                )
            if layer.channels not in (None, line.input_shape[1]):
                raise MercuricError(
                    f"{path}, line {number}: C was {line.input_shape[1]}, but layer {layer.name!r} (line "
                    f"{layer.line} of the topology) has {layer.channels} channels"
                )
            work = Work(shape, hits_only(np.ascontiguousarray(line.hit), shape), line.bits, layer.kind)
            yield LayerCall(layer.name, work, workload=_workload(layer, shape))


def _from_parquet(
    layers: Sequence[TopologyLayer], path: Path, accelerator: Accelerator
) -> Iterator[LayerCall]:
    saved = countable_hitmaps(path, accelerator)
    names = [layer["layer"] for layer in saved.about.layers]
    _same_number(len(names), layers, path)
    rows = dict(zip(names, layers, strict=True))
    for call in saved.calls():
        layer, shape = rows[call.layer], call.work.shape
        expected = _for_images(layer.shape, shape.images, layer.kind == "conv")
        if replace(shape, output_rows=expected.output_rows) != expected:
            raise MercuricError(
                f"{path}: layer {call.layer!r} has {shape}, but {layer.name!r} (line {layer.line} of the "
                f"topology) {expected}"
            )
        yield replace(
            call, layer=layer.name, work=replace(call.work, kind=layer.kind, shape=expected),
            workload=_workload(layer, expected),
        )  # fmt: skip


def _same_number(there: int, layers: Sequence[TopologyLayer], path: Path) -> None:
    if there != len(layers):
        raise MercuricError(f"{path} holds Hitmaps of {there} layers, but the topology has {len(layers)}")


def _for_images(shape: VectorShape, images: int, is_conv: bool) -> VectorShape:
    """A row of a topology is one image; a GEMM already holds all of its rows."""
    return replace(shape, scopes=shape.scopes * images, images=images) if is_conv else shape
