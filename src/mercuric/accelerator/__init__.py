"""What does a network cost in hardware, with and without reuse?"""

from mercuric.accelerator.count.cycle_cost import CycleCost
from mercuric.accelerator.count.cycle_counter import CycleCounter
from mercuric.accelerator.count.cycles import Cycles, TrainingCycles
from mercuric.accelerator.count.simulation import (
    Simulation,
    found_with,
    simulate,
    simulate_batches,
    simulate_saved,
)
from mercuric.accelerator.count.totals import totals
from mercuric.accelerator.dataflows import builtin  # noqa: F401 - registers them
from mercuric.accelerator.dataflows.dataflow import Dataflow
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import register_dataflow
from mercuric.accelerator.energy.area import chip_area
from mercuric.accelerator.energy.energies import Energies, as_energies
from mercuric.accelerator.energy.layer_cost import Cost, LayerCost, layer_cost
from mercuric.accelerator.hardware import Accelerator, as_accelerator, preset, presets
from mercuric.trace.workload import Workload, read_workloads

__all__ = [
    "TIMINGS",
    "Accelerator",
    "Cost",
    "CycleCost",
    "CycleCounter",
    "Cycles",
    "Dataflow",
    "Energies",
    "LayerCost",
    "Simulation",
    "Timing",
    "TrainingCycles",
    "Workload",
    "as_accelerator",
    "as_energies",
    "chip_area",
    "found_with",
    "layer_cost",
    "preset",
    "presets",
    "read_workloads",
    "register_dataflow",
    "simulate",
    "simulate_batches",
    "simulate_saved",
    "totals",
]
