"""How many cycles does SCALE-Sim count for a matrix product on the same systolic array?

SCALE-Sim 3.0.0 lists what each row and column of the array asks for in each cycle; the compute cycles are
the length of that list. Its memory model, which adds no compute cycle, isn't run.
"""

from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

from mercuric.accelerator.engines.scalesim_files import DATAFLOWS
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError, MercuricError

_DATAFLOWS = {ours: theirs for theirs, ours in DATAFLOWS.items()}
_SRAM_KB = 36
_OFFSETS = (0, 10**7, 2 * 10**7)


@dataclass(frozen=True)
class ScaleSimRun:
    """What SCALE-Sim says of one matrix product.

    Attributes:
        cycles: compute cycles: one more than it prints, as it numbers them from 0.
        folds: how often the array is filled.
        mapping: share of the PEs that a fold fills, on average over the folds.
        utilisation: share of the PEs that multiply in a cycle, on average: its overall utilisation. (Its
            compute utilisation counts the last columns' delay twice where a weight or input stays.)
    """

    cycles: int
    folds: int
    mapping: float
    utilisation: float


def gemm_cycles(accelerator: Accelerator) -> Callable[[int, int, int], int]:
    """Counts the compute cycles of M x K times K x N, as :func:`run_gemm` does.

    Raises:
        ValueError: SCALE-Sim doesn't know the accelerator's dataflow.
        MercuricError: SCALE-Sim isn't installed.
    """
    scalesim_dataflow(accelerator)
    _scalesim("single_layer_sim")
    return lambda M, K, N: run_gemm(accelerator, M, K, N).cycles


def run_gemm(accelerator: Accelerator, M: int, K: int, N: int, folds_at_once: int | None = 64) -> ScaleSimRun:
    """M x K times K x N on the accelerator's array, synchronous and without reuse.

    Args:
        accelerator: whose dataflow, rows and columns are used.
        M: rows of the result, the input vectors.
        K: elements of a dot product.
        N: columns of the result, the filters.
        folds_at_once: SCALE-Sim's time grows with the square of its folds. A larger product is cut, where
            one fold ends and the next begins, into strips of about so many folds, whose cycles add up;
            equal strips are run once. None: never.

    Raises:
        ValueError: a size is below 1, or SCALE-Sim doesn't know the accelerator's dataflow.
        MercuricError: SCALE-Sim isn't installed.
    """
    for name, size in (("M", M), ("K", K), ("N", N)):
        if size < 1:
            raise ArgumentError(f"{name} was {size}, but must be at least 1")
    if folds_at_once is not None and folds_at_once < 1:
        raise ArgumentError(f"folds_at_once was {folds_at_once}, but must be at least 1, or None")
    dataflow = scalesim_dataflow(accelerator)
    whole = N if dataflow == "ws" else M
    size = whole if folds_at_once is None else _strip(accelerator, M, K, N, folds_at_once)
    times, rest = divmod(whole, size)
    runs = []
    for many, strip in ((times, size), (1, rest)):
        if strip:
            sizes = (M, K, strip) if dataflow == "ws" else (strip, K, N)
            runs.append((many, _run(accelerator, dataflow, *sizes)))
    cycles = sum(many * run.cycles for many, run in runs)
    folds = sum(many * run.folds for many, run in runs)
    mapping = sum(many * run.folds * run.mapping for many, run in runs) / folds
    return ScaleSimRun(cycles, folds, mapping, M * K * N / (cycles * accelerator.pes))


def read_gemms(topology: Path) -> list[tuple[int, int, int]]:
    """M, K and N of each row of a topology of convolutions, as SCALE-Sim reads it.

    Raises:
        MercuricError: SCALE-Sim isn't installed.
    """
    read = _scalesim("topology_utils").topologies()
    read.load_arrays(str(topology))
    read.topo_calc_hyperparams()
    rows = zip(read.layers_calculated_hyperparams, read.topo_arrays, strict=True)
    return [(height * width, length, row[6]) for (height, width, _, length), row in rows]


def _strip(accelerator: Accelerator, M: int, K: int, N: int, folds: int) -> int:
    """Columns (weight stationary) or rows of the result in a strip of at most ``folds`` folds."""
    rows, columns = accelerator.rows, accelerator.columns
    beside = -(-N // columns) if accelerator.dataflow == "output" else -(-K // rows)
    whole, edge = {"weight": (N, columns), "input": (M, columns), "output": (M, rows)}[accelerator.dataflow]
    return min(whole, max(folds // beside, 1) * edge)


@dataclass(frozen=True)
class _Strip:
    cycles: int
    folds: int
    mapping: float


def _run(accelerator: Accelerator, dataflow: str, M: int, K: int, N: int) -> _Strip:
    with redirect_stdout(StringIO()):
        simulator = _simulator(accelerator, dataflow, M, K, N)
        _, inputs = simulator.op_mat_obj.get_ifmap_matrix()
        _, filters = simulator.op_mat_obj.get_filter_matrix()
        _, outputs = simulator.op_mat_obj.get_ofmap_matrix()
        array = simulator.compute_system
        array.set_params(
            config_obj=simulator.config, ifmap_op_mat=inputs, filter_op_mat=filters, ofmap_op_mat=outputs
        )
        _, _, demand = array.get_demand_matrices()
    folds = len(array.mapping_efficiency_per_fold)
    return _Strip(len(demand), folds, float(array.get_avg_mapping_efficiency()))


def _simulator(accelerator: Accelerator, dataflow: str, M: int, K: int, N: int) -> Any:
    """SCALE-Sim's simulator of one layer: M windows of 1 x K, N filters."""
    config = _scalesim("scale_config").scale_config()
    sizes = [accelerator.rows, accelerator.columns, *[_SRAM_KB] * 3]
    config.update_from_list([accelerator.name, *sizes, *_OFFSETS, dataflow, "CALC", []])
    topology = _scalesim("topology_utils").topologies()
    topology.load_layer_params_from_list("gemm", ["gemm", M, K, 1, K, 1, N, 1, 1, 1, 1])
    topology.topo_calc_hyperparams()
    simulator = _scalesim("single_layer_sim").single_layer_sim()
    simulator.set_params(0, config, topology, _scalesim("layout_utils").layouts(), verbose=False)
    return simulator


def scalesim_dataflow(accelerator: Accelerator) -> str:
    """What SCALE-Sim calls the accelerator's dataflow.

    Raises:
        ValueError: it doesn't know it.
    """
    if accelerator.dataflow not in _DATAFLOWS:
        raise ArgumentError(
            f"dataflow of accelerator {accelerator.name!r} was {accelerator.dataflow!r}, but must be one of "
            f"{', '.join(map(repr, _DATAFLOWS))} for SCALE-Sim"
        )
    return _DATAFLOWS[accelerator.dataflow]


def _scalesim(module: str) -> Any:
    try:
        return import_module(f"scalesim.{module}")
    except ImportError as error:
        raise MercuricError(
            f"SCALE-Sim can't be imported ({error}); run `pip install 'mercuric[engines]'`"
        ) from None
