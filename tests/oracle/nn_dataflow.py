"""What cycles, accesses and energy does nn-dataflow give the same layers on an Eyeriss?

Its own row-stationary mapping (``MapStrategyEyeriss``) of dense layers; its network search, which needs an
older SymPy, is not used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.hardware import Accelerator, as_accelerator
from mercuric.errors import MercuricError


@dataclass(frozen=True)
class RowStationaryCost:
    """What nn-dataflow's schedule of a layer costs.

    Attributes:
        layer: the layer's name.
        macs: multiply-accumulates.
        array_cycles: of the array alone.
        cycles: the array's, or the DRAM's where that is slower.
        energy: of operations and memories, in the unit of the accelerator's energies.
        register_file: words read or written in the PEs' registers.
        pe_to_pe: words that enter or leave a PE.
        buffer: words read from the global buffer, or written to it.
        dram: words read or written.
    """

    layer: str
    macs: int
    array_cycles: int
    cycles: int
    energy: float
    register_file: float
    pe_to_pe: float
    buffer: float
    dram: float


def row_stationary_cycles(
    layers: Sequence[DenseLayer],
    accelerator: str | Path | Accelerator = "eyeriss-like",
    *,
    energies: Energies | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[RowStationaryCost]:
    """Cycles, accesses and energy of each layer's dense forward product, in the schedule of least energy.

    Layers of one shape are scheduled once. The groups of a grouped convolution run one after the other:
    nn-dataflow knows no groups. Prints nothing.

    Args:
        layers: as ``read_layers`` gives them.
        accelerator: a preset's name, a YAML file or a description of a row-stationary array.
        energies: costs of accesses; those that the accelerator names by default.
        progress: called after each schedule with schedules done and schedules in all.

    Raises:
        MercuricError: nn-dataflow is not installed, or has no schedule for a layer.
        ValueError: the accelerator is unknown or not row stationary, or the energies are of other words.
    """
    accelerator = as_accelerator(accelerator)
    if accelerator.dataflow != "row":
        raise ValueError(
            f"dataflow of accelerator {accelerator.name!r} was {accelerator.dataflow!r}, but must be 'row': "
            "nn-dataflow maps row-stationary arrays alone"
        )
    table = fitting(accelerator, energies)
    distinct = {layer.shape: layer for layer in layers}
    costs = {}
    for done, (shape, layer) in enumerate(distinct.items(), start=1):
        costs[shape] = _schedule(layer, accelerator, table)
        if progress is not None:
            progress(done, len(distinct))
    return [replace(costs[layer.shape], layer=layer.name) for layer in layers]


def _schedule(layer: DenseLayer, accelerator: Accelerator, energies: Energies) -> RowStationaryCost:
    core = _core()
    if layer.dilation != (1, 1):
        raise MercuricError(f"nn-dataflow has no schedule for layer {layer.name!r}: it knows no dilation")
    group = core.ConvLayer(
        layer.channels // layer.groups,
        layer.filters // layer.groups,
        layer.output,
        layer.kernel,
        strd=layer.stride,
    )
    array = core.PhyDim2(accelerator.rows, accelerator.columns)
    try:
        strategy = core.MapStrategyEyeriss(group, layer.images, 1, array)
    except AssertionError as error:
        raise MercuricError(
            f"nn-dataflow has no schedule for layer {layer.name!r} on {accelerator.rows} x "
            f"{accelerator.columns} PEs: it maps no layer that leaves half of them idle"
        ) from error
    cost = _costs(core, accelerator, energies)
    found = [
        blocking
        for nest in strategy.gen_nested_loop_desc()
        for blocking in core.loop_blocking.gen_loopblocking(
            nest,
            _resource(core, accelerator),
            core.PartitionScheme(range(core.ParallelEnum.NUM), [core.PhyDim2(1, 1)] * core.ParallelEnum.NUM),
            core.SchedulingConstraint(),
            cost,
            core.Option(sw_gbuf_bypass=(True,) * 3),
        )
        if blocking.is_valid()
    ]
    if not found:
        raise MercuricError(
            f"nn-dataflow has no schedule for layer {layer.name!r}: its tiles do not fit into "
            f"registers of {accelerator.register_file_words} words and a buffer of {accelerator.buffer_words}"
        )
    best = min(found, key=lambda blocking: blocking.get_access_cost(cost))
    return _times_groups(core, layer, best, cost)


def _core() -> Any:
    try:
        return import_module("nn_dataflow.core")
    except ImportError as error:
        raise MercuricError(
            "nn-dataflow is not installed; `pip install 'mercuric[engines]'` installs it"
        ) from error


def _costs(core: Any, accelerator: Accelerator, energies: Energies) -> Any:
    words = energies.on(accelerator)
    levels = {"DRAM": energies.dram, "GBUF": words.buffer, "ITCN": words.pe_to_pe}
    levels["REGF"] = words.register_file
    access = tuple(
        cost for _, cost in sorted((getattr(core.MemHierEnum, name), cost) for name, cost in levels.items())
    )
    return core.Cost(mac_op=energies.mac, mem_hier=access, noc_hop=0, idl_unit=0)


def _resource(core: Any, accelerator: Accelerator) -> Any:
    """One array beside one DRAM, with a bus to the array that is never the bottleneck."""
    one, here = core.PhyDim2(1, 1), core.PhyDim2(0, 0)
    dram = core.NodeRegion(dim=one, origin=here, type=core.NodeRegion.DRAM)
    bandwidth = accelerator.dram_words_per_cycle
    return core.Resource(
        proc_region=core.NodeRegion(dim=one, origin=here, type=core.NodeRegion.PROC),
        dram_region=dram,
        src_data_region=dram,
        dst_data_region=dram,
        dim_array=core.PhyDim2(accelerator.rows, accelerator.columns),
        size_gbuf=accelerator.buffer_words,
        size_regf=accelerator.register_file_words,
        array_bus_width=float("inf"),
        dram_bandwidth=float("inf") if bandwidth is None else bandwidth,
        no_time_mux=False,
    )


def _times_groups(core: Any, layer: DenseLayer, best: Any, cost: Any) -> RowStationaryCost:
    accesses = [layer.groups * sum(words) for words in best.get_access()]
    levels = core.MemHierEnum
    return RowStationaryCost(
        layer=layer.name,
        macs=layer.macs,
        array_cycles=int(layer.groups * best.proc_time),
        cycles=int(layer.groups * best.time),
        energy=float(layer.macs * cost.mac_op + layer.groups * best.get_access_cost(cost)),
        register_file=float(accesses[levels.REGF]),
        pe_to_pe=float(accesses[levels.ITCN]),
        buffer=float(accesses[levels.GBUF]),
        dram=float(accesses[levels.DRAM]),
    )
