"""On which layer is the activity counted? Windows of a photograph, or drawn ones; integers."""

import numpy as np
import torch.nn.functional as F

from mercuric.accelerator.dataflows.row_stationary.pe_sets import block_owners
from mercuric.data.photos import PHOTOGRAPHS, read
from mercuric.errors import ArgumentError
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Integers, Stimulus
from mercuric.similarity.hitmap import HitState
from mercuric.studies.hardware.power.config import PowerConfig

PHOTOGRAPH = PHOTOGRAPHS[0]
KERNEL = 3
_PIXELS, _LARGEST_WEIGHT = 224, 15


def parameters(config: PowerConfig, sets: int, ways: int) -> Parameters:
    """The circuit of an MCACHE, with results in registers; dot products follow one after the other."""
    return Parameters(
        pe_rows=config.pe_rows, pe_columns=config.pe_columns, kernel_rows=KERNEL, kernel_columns=KERNEL,
        block=config.block, bits=config.bits, cache_sets=sets, ways=ways, ports=config.ports,
        hitmap_ports=config.hitmap_ports, queue_ports=config.queue_ports,
    )  # fmt: skip


def layer(config: PowerConfig, circuit: Parameters) -> Stimulus:
    """A scope with as many windows as the circuit holds, and weights that are drawn evenly.

    No sum is cut off at 16 bits.

    Raises:
        ValueError: the photograph's map has fewer windows than the circuit holds.
    """
    draw, largest = np.random.default_rng(config.seed), _LARGEST_WEIGHT
    count = circuit.sets * circuit.block
    windows = _neighbours(config.side) if config.windows == "photograph" else _drawn(count, config.seed)
    if count > len(windows):
        raise ArgumentError(
            f"side was {config.side}, but {circuit.sets} PE sets with room for {circuit.block} windows each "
            f"need a map of at least {count} windows"
        )
    return Stimulus(
        windows[None, :count],
        draw.integers(-largest, largest + 1, (circuit.bits, KERNEL, KERNEL)),
        draw.integers(-largest, largest + 1, (config.filters, KERNEL, KERNEL)),
        block_owners(count, circuit.sets),
    )


def _neighbours(side: int) -> Integers:
    """All windows of a map of the photograph's first 224 x 224 pixels, grey values about their mean."""
    photograph = read(PHOTOGRAPH, _PIXELS).float().mean(0)[None, None, :_PIXELS, :_PIXELS]
    grey = F.interpolate(photograph, size=(side + KERNEL - 1,) * 2, mode="area")[0, 0]
    pixels = (grey.round() - grey.mean().round()).long().numpy()
    return np.lib.stride_tricks.sliding_window_view(pixels, (KERNEL, KERNEL)).reshape(-1, KERNEL, KERNEL)


def _drawn(count: int, seed: int) -> Integers:
    return np.random.default_rng((seed, 1)).integers(-128, 128, (count, KERNEL, KERNEL))


def states(circuit: Parameters, stimulus: Stimulus) -> dict[str, int]:
    """How many windows are HITs, MAUs and MNUs."""
    found = stimulus.hitmap(circuit)[0].states
    return {state.name: int((found == state.value).sum()) for state in HitState}
