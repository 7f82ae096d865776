"""Does the circuit do a whole layer as the simulator says: Hitmap, results and cycles?"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mercuric.accelerator import Accelerator, as_accelerator
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.row_stationary.cycles import cycles
from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.progress import Progress, named, silent
from mercuric.reuse import Alike
from mercuric.rtl.layer_data import LayerData
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.rounding import Rounded
from mercuric.rtl.verilator import Simulated, require_verilator, simulate
from mercuric.studies.hardware.recorded_layer import RecordedLayer, record
from mercuric.studies.machine import machine
from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.subject import load_subject
from mercuric.trace.work import Product, Work

BUILT = {"dealing": "vectors", "arrival": "interleaved", "late_hits": "wait", "insertion_queue": 4}
"""What an accelerator must say, and a preset doesn't, for a circuit to be like it."""
MOST_WORD_BITS = 32


@dataclass(frozen=True)
class Compared:
    """Circuit and simulator, of one layer.

    Attributes:
        scopes, vectors, filters: of the layer.
        pes, pe_sets, cache_sets, ways: of the circuit.
        design: ``"synchronous"``: it signs; ``"asynchronous"``: it is given the recorded Hitmap.
        hits: share of vectors whose result is reused.
        other_states: share of vectors that integers give another state than the recorded one.
        wrong_rows: of the Hitmap: states or entries that aren't the simulator's.
        wrong_results: results that aren't, or are early, out of order or missing.
        circuit_cycles, simulator_cycles: signatures, and all others.
        clocks: cycles that Verilator simulated, those too in which vectors are loaded.
        seconds: that it took.
    """

    scopes: int
    vectors: int
    filters: int
    pes: int
    pe_sets: int
    cache_sets: int
    ways: int
    design: str
    hits: float
    other_states: float
    wrong_rows: int
    wrong_results: int
    circuit_cycles: tuple[int, int]
    simulator_cycles: tuple[int, int]
    clocks: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.wrong_rows and not self.wrong_results and self.circuit_cycles == self.simulator_cycles

    def lines(self) -> list[str]:
        """What a person reads."""
        per_second = self.clocks / max(self.seconds, 1e-3)
        given = "recorded, and given to it" if self.design == "asynchronous" else "computed by it"
        result = "PASS" if self.passed else "FAIL"
        return [
            f"{self.scopes} scopes of {self.vectors} vectors and {self.filters} filters on {self.pes} PEs "
            f"({self.pe_sets} PE sets), MCACHE of {self.cache_sets} x {self.ways}, {self.design}",
            f"Hitmap {given}: {self.hits:.1%} HITs, {self.wrong_rows} rows differ from the simulator's; "
            f"{self.other_states:.2%} of the vectors have another state than without rounding",
            f"cycles of the circuit {sum(self.circuit_cycles)} (signatures {self.circuit_cycles[0]}), of the "
            f"simulator {sum(self.simulator_cycles)} (signatures {self.simulator_cycles[0]})",
            f"{self.clocks} cycles simulated in {self.seconds:.1f} s, those of loading vectors among them: "
            f"{per_second:.0f} a second",
            f"{result}: {self.scopes * self.filters * self.vectors} results, {self.wrong_results} wrong",
        ]


def buildable(name: str, fields: dict[str, Any]) -> Accelerator:
    """An accelerator that a circuit can be.

    Args:
        name: a preset, or a YAML file.
        fields: what is to be otherwise, but for what no circuit has.

    Raises:
        ValueError: no circuit is like it.
    """
    accelerator = as_accelerator(name).changed(**{"name": f"{name} as a circuit", **BUILT, **fields})
    for field in ("dataflow", "dealing", "arrival"):
        value, must = getattr(accelerator, field), {"dataflow": "row", **BUILT}[field]
        if value != must:
            raise ArgumentError(
                f"{field} of the circuit was {value!r}, but must be {must!r}: there is no other"
            )
    if accelerator.late_hits == "ready":
        raise ArgumentError(
            "late_hits of the circuit was 'ready', but must be 'wait' or 'recompute': no circuit reads what "
            "isn't there yet"
        )
    if accelerator.word_bits > MOST_WORD_BITS:
        raise ArgumentError(
            f"word_bits of the circuit was {accelerator.word_bits}, but must be at most {MOST_WORD_BITS}"
        )
    return accelerator


def layer_study(
    examples: ExamplesConfig,
    layer: str,
    accelerator: Accelerator,
    folder: Path,
    timing: Timing = "paper",
    reuse: Alike | None = None,
    time_limit: float = 3600,
    progress: Progress = silent,
) -> Compared:
    """Record a layer, let the circuit do it in Verilator, and compare.

    Args:
        examples: network, weights and images; all run at once.
        layer: a convolution.
        accelerator: of :func:`buildable`.
        folder: a new or an empty one; gets everything, and ``layer.json``.
        timing: of the products.
        reuse: how similarity is found.
        time_limit: seconds for Verilog, compiler and circuit.
        progress: told of each step.

    Raises:
        ValueError: something is out of range, or there is something in the folder.
        MissingPackage: Verilator or Yosys is not there.
        MercuricError: the circuit can't be compiled, or time runs out.
    """
    require_verilator()
    if time_limit <= 0:
        raise ArgumentError(f"time_limit was {time_limit}, but must be above 0 seconds")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"out was {folder}, but must be a new folder or an empty one")
    subject = load_subject(examples, examples.images, examples.images)
    recorded = record(subject, layer, accelerator, reuse, named(progress, "images", examples.model))
    circuit = Parameters.of(accelerator, recorded.work.shape, recorded.work.bits, timing)
    data = layer_data(recorded, circuit, accelerator.design == "asynchronous")
    counted = simulator_cycles(accelerator, data, circuit)
    folder.mkdir(parents=True, exist_ok=True)
    simulated = simulate(circuit, data, sum(counted), folder, time_limit, progress)
    compared = compare(circuit, recorded.work, data, counted, simulated)
    facts = {**subject.described, "layer": layer, "accelerator": accelerator.model_dump(), **asdict(compared)}
    write_text(folder / "layer.json", json_text({**facts, "passed": compared.passed, "machine": machine()}))
    return compared


def layer_data(recorded: RecordedLayer, circuit: Parameters, saved: bool) -> LayerData:
    """The layer in integers, with the Hitmap that was recorded or that of its own signatures."""
    numbers = Rounded.of(recorded.vectors, recorded.random_filters, recorded.filters, circuit.word_bits)
    work = recorded.work
    if not saved:
        return LayerData.signed(numbers, circuit)
    if work.hitmap is None or work.cache_sets is None:
        raise ArgumentError("the layer was recorded without reuse, but must have a Hitmap")
    return LayerData(numbers, work.hitmap, work.cache_sets, saved=True)


def simulator_cycles(accelerator: Accelerator, data: LayerData, circuit: Parameters) -> tuple[int, int]:
    """Cycles of the signatures and all others; a saved Hitmap serves a product that doesn't sign."""
    product: Product = "weight_gradient" if data.saved else "forward"
    work = Work(data.shape, data.hitmap, circuit.bits, cache_sets=data.cache_sets)
    counted = cycles(accelerator, work, [product])[product][circuit.timing]
    return counted.signature, counted.product + counted.stall


def compare(
    circuit: Parameters, recorded: Work, data: LayerData, counted: tuple[int, int], simulated: Simulated
) -> Compared:
    """Row by row, result by result, cycle by cycle."""
    states, shape = data.hitmap.states.numpy(), data.shape
    rows = (simulated.states != states) | (simulated.entries != data.entries(circuit))
    wrong = sum(
        int(np.count_nonzero(found != right))
        for found, right in zip(simulated.results, data.results(circuit), strict=True)
    )
    assert recorded.hitmap is not None  # noqa: S101 - the layer reused
    return Compared(
        shape.scopes, shape.vectors, shape.filters, circuit.pes, circuit.sets, circuit.cache_sets,
        circuit.ways, "asynchronous" if data.saved else "synchronous", float(data.hitmap.hits.float().mean()),
        float((states != recorded.hitmap.states.numpy()).mean()), int(rows.sum()), wrong + simulated.wrong,
        (simulated.signature, simulated.product), counted, simulated.clocks, simulated.seconds,
    )  # fmt: skip
