"""How much power is an activity? What happened x what it costs, at the size of the paper's array."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from mercuric.accelerator.energy.cells import CELLS_45NM, CellEnergies
from mercuric.accelerator.energy.energies import Energies, as_energies
from mercuric.rtl.activity import Activity, PhaseActivity
from mercuric.studies.hardware.power.config import PowerConfig
from mercuric.studies.hardware.power.layer import KERNEL

Results = Literal["registers", "memory"]
RESULTS: tuple[Results, ...] = get_args(Results)
KINDS = ("clocks", "logic", "signals", "memory", "dsp")
"""As the paper's columns; its block RAM is mostly the global buffer, which the circuits have not."""
_ONCE = frozenset({"controller", "filter_buffer"})
"""Components that do the same whatever the number of PE sets; all else does more with each."""
_SHARED = _ONCE | {"top", "mcache_tags", "queue", "set", "mcache_results", "store", "words"}
"""Components of which a chip has as many bits whatever the number of PE sets."""
_GATED = frozenset({"store", "words"})
"""The results' register file: its multiplexers turn with every word that passes by, of which a chip would
keep all but one group still. Only its words are counted."""
_WORD = 16


@dataclass(frozen=True)
class Chip:
    """The array whose power is told.

    Attributes:
        pe_sets: that it has; 56 of a 3 x 3 kernel are the paper's 168 PEs.
        filters: of the layer, for which signatures are computed once.
        megahertz: of its clock.
        results: whether the MCACHE's results are clocked registers, or a memory.
        cells: energies of flip-flops, gates, wires and arithmetic.
        memories: energies of a word of a memory, by its capacity.
    """

    pe_sets: int = 56
    filters: int = 512
    megahertz: float = 200.0
    results: Results = "registers"
    cells: CellEnergies = CELLS_45NM
    memories: str | Energies = "cacti-16"


def power_table(
    activities: Mapping[tuple[int, int], Activity], config: PowerConfig, chip: Chip
) -> pd.DataFrame:
    """Dynamic power in watts by kind, a design a row, with its flip-flops, cycles and energy of the layer.

    What a component of each PE set does in the circuit that was run, those of the chip do as well, and what
    all PE sets share is used by as many more.

    Args:
        activities: by sets and ways; (0, 0) is the baseline.
        config: what was run.
        chip: what is told.
    """
    return pd.DataFrame(
        _row(activity, config, chip, sets, ways) for (sets, ways), activity in activities.items()
    )


def flip_flops(activity: Activity, chip: Chip) -> float:
    """Clocked bits of the chip."""
    total = 0.0
    for component, bits in activity.bits.items():
        clocked = bits.get("register", 0)
        if component != "words" or chip.results == "registers":
            clocked += bits.get("file", 0)
        total += clocked * (1 if component in _SHARED else chip.pe_sets / activity.pe_sets)
    return total


def _row(activity: Activity, config: PowerConfig, chip: Chip, sets: int, ways: int) -> dict[str, float]:
    picojoules, cycles = dict.fromkeys(KINDS, 0.0), 0.0
    for name, phase in activity.phases.items():
        times = 1.0 if name == "signatures" else chip.filters / activity.filters
        cycles += times * phase.cycles
        for kind, spent in _spent(activity, phase, name == "signatures", config, chip, sets, ways).items():
            picojoules[kind] += times * spent
    by_kind = {kind: spent / cycles * chip.megahertz * 1e-6 for kind, spent in picojoules.items()}
    return {
        "sets": sets, "ways": ways, "flip_flops": flip_flops(activity, chip), **by_kind,
        "dynamic": sum(by_kind.values()), "cycles": cycles, "microjoules": sum(picojoules.values()) * 1e-6,
    }  # fmt: skip


def _spent(
    activity: Activity,
    phase: PhaseActivity,
    signing: bool,
    config: PowerConfig,
    chip: Chip,
    sets: int,
    ways: int,
) -> dict[str, float]:
    """pJ of a phase as it was run, on the chip."""
    cells, more, done = chip.cells, chip.pe_sets / activity.pe_sets, phase.operations
    flips = _flips(phase, more)
    registers, gates = flips["register"] + flips["file"], flips["logic"]
    # Every way's comparator sees the signature; half of its gates flip with an unlike one.
    gates += done.get("lookups", 0) * more * ways * config.bits / 2
    return {
        "clocks": cells.clock * flip_flops(activity, chip) * phase.cycles,
        "logic": cells.register_flip * registers + cells.gate_flip * gates,
        "signals": cells.wire_flip * (registers + flips["logic"] + flips["wire"]),
        "memory": more * _memory(done, signing, config, chip, sets * ways),
        "dsp": more
        * (done["multiplications"] * (cells.multiply + cells.add) + done["sums passed on"] * cells.add),
    }


def _flips(phase: PhaseActivity, more: float) -> dict[str, float]:
    total = dict.fromkeys(("register", "file", "memory", "logic", "wire"), 0.0)
    for component, kinds in phase.flips.items():
        for kind, flips in kinds.items():
            if component in _GATED and kind != "file":
                continue
            total[kind] += flips * (1 if component in _ONCE else more)
    return total


def _memory(done: Mapping[str, int], signing: bool, config: PowerConfig, chip: Chip, entries: int) -> float:
    """Input buffers are read by every multiplication; signature rows are read and written bit by bit."""
    memories = as_energies(chip.memories)
    spent = done["multiplications"] * memories.memory(config.block * KERNEL * _WORD)
    row = config.bits / _WORD * memories.memory(config.block * config.bits)
    spent += 2 * done.get("signature bits", 0) * row
    if entries and not signing:
        moved = done["results"] - done["dot products"] + done["results written"]
        spent += moved * memories.memory(entries * _WORD)
    return spent
