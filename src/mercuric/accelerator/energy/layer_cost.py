"""How much energy and time does a layer take, with and without reuse?"""

from dataclasses import asdict, dataclass, field

from mercuric.accelerator.arrays import shares
from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.layer_cycles import observed_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.accesses import Accesses, baseline_accesses, reuse_accesses
from mercuric.accelerator.energy.energies import LEVELS, Energies, Level, as_energies
from mercuric.accelerator.energy.operands import Operands, operands
from mercuric.accelerator.energy.transfers import STATE_BITS, id_bits
from mercuric.accelerator.gradient_signatures import signs_gradient
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import ObservedProduct
from mercuric.trace.work import Product, Work

_IN_BITS: tuple[Level, ...] = ("mcache_tag", "signature_table", "hitmap")


@dataclass(frozen=True)
class Cost:
    """What some work costs; costs add up, as one product runs after the other.

    Attributes:
        accesses: operations and accesses.
        energy: of each level, in the table's unit (pJ, or multiply-accumulates).
        cycles: of the array, of several the slowest, in clock cycles.
        dram_cycles: that the DRAM needs to move its words; 0 for an unbounded one.
        latency: clock cycles until it is done: of each product, whichever of the three is longest.
        link_cycles: that the link between arrays needs to move its words; 0 for an unbounded one.
    """

    accesses: Accesses = field(default_factory=Accesses)
    energy: dict[Level, float] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0.0))
    cycles: int = 0
    dram_cycles: int = 0
    latency: int = 0
    link_cycles: int = 0

    @property
    def total(self) -> float:
        """Energy of all levels."""
        return sum(self.energy.values())

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.accesses + other.accesses,
            {level: self.energy[level] + other.energy[level] for level in LEVELS},
            self.cycles + other.cycles,
            self.dram_cycles + other.dram_cycles,
            self.latency + other.latency,
            self.link_cycles + other.link_cycles,
        )


@dataclass(frozen=True)
class LayerCost:
    """A layer's cost without reuse, and with MERCURY (the same where reuse is off); costs add up."""

    baseline: Cost = field(default_factory=Cost)
    mercury: Cost = field(default_factory=Cost)

    def __add__(self, other: "LayerCost") -> "LayerCost":
        return LayerCost(self.baseline + other.baseline, self.mercury + other.mercury)


def layer_cost(
    accelerator: Accelerator,
    work: Work,
    tensors: Operands | None = None,
    *,
    needs_input_gradient: bool = True,
    training: bool = True,
    energies: Energies | None = None,
    product: ObservedProduct = "forward",
    reloaded: bool | None = None,
) -> dict[Timing, LayerCost]:
    """Energy and latency of a layer on one batch, with and without reuse, in both timings.

    Dynamic energy alone; ``docs/energy.md`` has every formula. The two timings differ in the baseline:
    ``"paper"`` works scope by scope as MERCURY does, ``"fair"`` is the strongest dense array.

    Args:
        accelerator: what it runs on.
        work: the layer's input vectors and their Hitmap.
        tensors: what the layer reads and writes; None: vectors that don't overlap.
        needs_input_gradient: False for a layer without a dO product.
        training: False for the forward product alone.
        energies: costs of accesses; those that the accelerator names by default.
        product: what the work is of; ``"input_gradient"`` for gradient vectors (paper III-C2): dO alone, by
            a Hitmap of its own. Else all products that go by the forward pass's.
        reloaded: whether the following layer's signatures serve the gradient vectors; None: not known.

    Returns:
        energy in ``energies.unit``, time in clock cycles.

    Raises:
        ValueError: the table is of other words than the accelerator's, or the array is too small.
    """
    table = fitting(accelerator, energies)
    tensors = operands(work.shape) if tensors is None else tensors
    counted = observed_cycles(
        accelerator, work, product, needs_input_gradient=needs_input_gradient, training=training,
        reloaded=reloaded,
    )  # fmt: skip
    [largest, *_] = shares(accelerator, work, tensors)
    costs, words = _access_costs(table, accelerator, largest.work), table.on(accelerator)
    layer = {timing: LayerCost() for timing in TIMINGS}
    for one in _products(product, needs_input_gradient, training):
        # Gradient vectors with a Hitmap of their own are a forward product of theirs (III-C2).
        alike: Product = "forward" if product == "input_gradient" else one
        reused = None
        if work.hitmap is not None:
            of_gradient = one == "input_gradient"
            signed = alike == "forward" if not of_gradient else signs_gradient(accelerator, product, reloaded)
            saved = bool(reloaded) if product == "input_gradient" else training
            reused = reuse_accesses(
                accelerator, work, tensors, alike, training=saved, costs=words, signed=signed
            )
        for timing in TIMINGS:
            cycles: Cycles = getattr(counted[timing], one)
            dense = baseline_accesses(accelerator, work, tensors, alike, timing, words)
            layer[timing] += LayerCost(
                _cost(accelerator, costs, dense, cycles.baseline),
                _cost(accelerator, costs, reused or dense, cycles.mercury),
            )
    return layer


def _products(observed: ObservedProduct, needs_input_gradient: bool, training: bool) -> list[Product]:
    if observed == "input_gradient":
        return ["input_gradient"] if training else []
    backward: list[Product] = ["input_gradient", "weight_gradient"]
    return ["forward", *(backward[not needs_input_gradient :] if training else [])]


def fitting(accelerator: Accelerator, energies: Energies | None = None) -> Energies:
    """The table of an accelerator, or the one given, if its words are the accelerator's.

    Raises:
        ValueError: there is no such table, or its words have other bits.
    """
    table = as_energies(accelerator.energies) if energies is None else energies
    if table.word_bits != accelerator.word_bits:
        raise ArgumentError(
            f"word_bits of energies {table.name!r} was {table.word_bits}, but must be the "
            f"{accelerator.word_bits} of accelerator {accelerator.name!r}"
        )
    return table


def _access_costs(table: Energies, accelerator: Accelerator, work: Work) -> dict[Level, float]:
    """Energy of one count of each level: an operation, a word, or a bit."""
    vectors = work.shape.vectors
    entries = vectors if accelerator.entries is None else accelerator.entries
    results = dataflow_of(accelerator).results(accelerator, work.shape, work.kind)
    capacities: dict[Level, int] = {
        "mcache_tag": entries * work.bits,
        "mcache_data": entries * accelerator.word_bits * results,
        "signature_table": vectors * (work.bits + id_bits(accelerator, work)),
        "hitmap": vectors * STATE_BITS,
    }
    on, costs = table.on(accelerator), dict[Level, float]()
    words = {
        **asdict(on),
        "dram": table.dram_word(accelerator.dram_row_hits),
        "link": on.pe_to_pe * accelerator.columns if table.link is None else table.link,
    }
    for level in LEVELS:
        given: float | None = words.get(level, getattr(table, level))
        cost = table.memory(capacities[level]) if given is None else given
        costs[level] = cost / table.word_bits if level in _IN_BITS else cost
    return costs


def _cost(accelerator: Accelerator, costs: dict[Level, float], accesses: Accesses, cycles: int) -> Cost:
    energy = {level: costs[level] * getattr(accesses, level) for level in LEVELS}
    moving, passing = accelerator.dram_cycles(accesses.dram), accelerator.link_cycles(accesses.link)
    return Cost(accesses, energy, cycles, moving, max(cycles, moving, passing), passing)
