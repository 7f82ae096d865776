"""How is a layer on an array described to ZigZag?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError

Unrolling = list[tuple[str, int]]

_OPERANDS = ("I1", "I2", "O")
"""Inputs, weights, outputs."""

_EYERISS_REGISTERS = {"I1": 12, "I2": 224, "O": 24}
"""Words for inputs, weights and sums in a PE of the Eyeriss chip (Chen et al., JSSC 2017)."""


_INPUTS, _WEIGHTS, _OUTPUTS = ("C", "FX", "FY"), ("K",), ("OX", "OY", "B")


@dataclass(frozen=True)
class _Array:
    """How a dataflow is an array of ZigZag's.

    Attributes:
        down, across: loops that lie side by side on the array's rows and columns, as far as there is room.
        stays: the operand that a PE has a register for; None: a PE has register files for all three.
    """

    down: tuple[str, ...]
    across: tuple[str, ...]
    stays: str | None = None


_DATAFLOWS = {
    "row": _Array(("FY", "K", "C", "G"), ("OY", "K", "C", "G")),
    "weight": _Array(_INPUTS, _WEIGHTS, "I2"),
    "input": _Array(_INPUTS, _OUTPUTS, "I1"),
    "output": _Array(_OUTPUTS, _WEIGHTS, "O"),
}

_LEAVING = {"I1": ("tl",), "I2": ("tl",), "O": ("tl", "th")}
_ENTERING = {"I1": ("fh",), "I2": ("fh",), "O": ("fh", "fl")}
_NEVER_FULL = 2**40


def hardware_description(accelerator: Accelerator, energies: Energies) -> dict[str, Any]:
    """The accelerator in ZigZag's words: D1 are the array's rows, D2 its columns.

    A PE of a row-stationary array has three register files, shared out as the Eyeriss chip's are. A PE of
    the systolic arrays has a register for the operand that stays; the other two come from a neighbour with
    every multiply-accumulate, which ZigZag has no wires for: they are part of what an operation costs.

    Raises:
        ValueError: ZigZag isn't told of the accelerator's dataflow.
    """
    stays = _array(accelerator).stays
    memories = _registers(accelerator, energies, stays)
    for name, words, cost in (
        ("buffer", accelerator.buffer_words, energies.on(accelerator).buffer),
        ("dram", _NEVER_FULL, energies.dram),
    ):
        memories[name] = _memory(accelerator, words, cost, cost, _OPERANDS, wide=accelerator.pes)
        memories[name]["served_dimensions"] = ["D1", "D2"]
    if accelerator.dram_words_per_cycle is not None:
        bus = max(1, int(accelerator.dram_words_per_cycle * accelerator.word_bits))
        _share_one_port(memories["dram"], accelerator.word_bits, bus, energies.dram)
    moves = 0.0 if stays is None else 2 * energies.pe_to_pe
    array = {
        "unit_energy": energies.mac + moves,
        "unit_area": 0.0,
        "dimensions": ["D1", "D2"],
        "sizes": [accelerator.rows, accelerator.columns],
    }
    return {"name": "array", "operational_array": array, "memories": memories}


def _array(accelerator: Accelerator) -> _Array:
    if accelerator.dataflow not in _DATAFLOWS:
        raise ArgumentError(
            f"dataflow of accelerator {accelerator.name!r} was {accelerator.dataflow!r}, but must be one of "
            f"{', '.join(map(repr, _DATAFLOWS))} for ZigZag"
        )
    return _DATAFLOWS[accelerator.dataflow]


def _registers(accelerator: Accelerator, energies: Energies, stays: str | None) -> dict[str, dict[str, Any]]:
    register = energies.on(accelerator).register_file
    if stays is not None:
        return {f"register_{stays}": _memory(accelerator, 1, register, register, (stays,))}
    filled = register + energies.pe_to_pe
    share = accelerator.register_file_words / sum(_EYERISS_REGISTERS.values())
    return {
        f"registers_{operand}": _memory(
            accelerator,
            max(1, int(share * words)),
            register,
            register if operand == "O" else filled,
            (operand,),
        )
        for operand, words in _EYERISS_REGISTERS.items()
    }


def _memory(
    accelerator: Accelerator,
    words: int,
    read: float,
    write: float,
    operands: tuple[str, ...],
    wide: int = 1,
) -> dict[str, Any]:
    """A memory whose operands have ports of their own, ``wide`` words each: never a bottleneck.

    ZigZag's costs are those of a port's full width, of which it counts the parts that are used.
    """
    bits = accelerator.word_bits
    ports = []
    for kind, ways in (("read", _LEAVING), ("write", _ENTERING)):
        allocations = [f"{operand}, {way}" for operand in operands for way in ways[operand]]
        ports += [
            _port(f"{kind[0]}_port_{number}", kind, bits, bits * wide, [allocation])
            for number, allocation in enumerate(allocations)
        ]
    return {
        "size": words * bits,
        "r_cost": float(read * wide),
        "w_cost": float(write * wide),
        "area": 0.0,
        "latency": 1,
        "operands": list(operands),
        "ports": ports,
        "served_dimensions": [],
    }


def _share_one_port(memory: dict[str, Any], word_bits: int, bus_bits: int, cost: float) -> None:
    allocations = [allocation for port in memory["ports"] for allocation in port["allocation"]]
    memory["ports"] = [_port("rw_port_1", "read_write", min(word_bits, bus_bits), bus_bits, allocations)]
    memory["r_cost"] = memory["w_cost"] = float(cost * bus_bits / word_bits)


def _port(name: str, kind: str, least: int, most: int, allocation: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "bandwidth_min": least,
        "bandwidth_max": most,
        "allocation": allocation,
    }


def spatial_mapping(layer: DenseLayer, accelerator: Accelerator) -> dict[str, Unrolling]:
    """Which loops of a layer lie side by side on the array's rows (D1) and columns (D2).

    Row stationary: window rows down and output rows across (paper III-B1); what is left of the array takes
    more filters, channels or groups. The systolic arrays fold a layer as a matrix product, as SCALE-Sim does.

    Raises:
        ValueError: a row-stationary array has fewer rows than the window, or an unknown dataflow.
    """
    array, left = _array(accelerator), loop_sizes(layer)
    if array.stays is None and layer.kernel[0] > accelerator.rows:
        raise ArgumentError(
            f"rows of accelerator {accelerator.name!r} was {accelerator.rows}, but must be at least the "
            f"{layer.kernel[0]} rows of a window of layer {layer.name!r}"
        )
    return {
        "D1": _unrolled(array.down, accelerator.rows, left),
        "D2": _unrolled(array.across, accelerator.columns, left),
    }


def _unrolled(loops: Sequence[str], places: int, left: dict[str, int]) -> Unrolling:
    """Each loop takes as many of the places as it can, and leaves the others to the next one."""
    unrolling: Unrolling = []
    for loop in loops:
        size = min(left[loop], places)
        if size > 1 or not unrolling:
            unrolling.append((loop, size))
            left[loop] //= size
            places //= size
    return unrolling


def loop_sizes(layer: DenseLayer) -> dict[str, int]:
    """A layer's loops by ZigZag's names, outermost first."""
    return {
        "B": layer.images,
        "G": layer.groups,
        "K": layer.filters // layer.groups,
        "C": layer.channels // layer.groups,
        "OY": layer.output[0],
        "OX": layer.output[1],
        "FY": layer.kernel[0],
        "FX": layer.kernel[1],
    }


def workload_description(layer: DenseLayer, word_bits: int) -> dict[str, Any]:
    """The layer in ZigZag's words."""
    sizes = loop_sizes(layer)
    axes = zip("yx", layer.stride, layer.dilation, strict=True)
    margins = [
        [before, max(0, (out - 1) * stride + (window - 1) * dilation + 1 - before - size)]
        for before, out, stride, window, dilation, size in zip(
            layer.padding, layer.output, layer.stride, layer.kernel, layer.dilation, layer.size, strict=True
        )
    ]
    return {
        "id": 0,
        "name": "layer",
        "operator_type": "Conv",
        "equation": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
        "dimension_relations": [f"i{axis}={stride}*o{axis}+{step}*f{axis}" for axis, stride, step in axes],
        "loop_dims": list(sizes),
        "loop_sizes": list(sizes.values()),
        "operand_precision": dict.fromkeys(("I", "W", "O", "O_final"), word_bits),
        "operand_source": {"I": 0, "W": 0},
        "pr_loop_dims": ["IY", "IX"],
        "pr_loop_sizes": list(layer.size),
        "padding": margins,
    }
