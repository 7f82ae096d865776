"""How large is the chip, and how much of it is MERCURY's?"""

from typing import Annotated

from pydantic import Field

from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.transfers import STATE_BITS, number_bits
from mercuric.accelerator.hardware import Accelerator
from mercuric.config import Config
from mercuric.errors import ArgumentError

_Area = Annotated[float, Field(ge=0)]

BASELINE_PARTS = ("MAC units", "register files", "global buffer")
MERCURY_PARTS = (
    "MCACHE tags",
    "MCACHE results",
    "Signature Table",
    "Hitmap",
    "insertion queues",
    "miss queue",
    "result crossbar",
    "pipeline registers",
)


class AreaTable(Config):
    """Area of the parts of a chip, in square micrometres.

    Attributes:
        name: what reports call it.
        source: where the figures come from.
        node_nm: technology node in nm.
        word_bits: bits of the words that ``mac`` multiplies.
        mac: one multiply-accumulate unit.
        sram_bit: one bit of a memory, its share of decoders and sense amplifiers included.
        register_bit: one flip-flop.
        compare_bit: comparing one bit of a tag.
        crosspoint_bit: one bit where a way in and a way out of a crossbar meet.
    """

    name: str
    source: str
    node_nm: Annotated[float, Field(gt=0)]
    word_bits: Annotated[int, Field(strict=True, ge=1)] = 16
    mac: _Area
    sram_bit: _Area
    register_bit: _Area
    compare_bit: _Area
    crosspoint_bit: _Area

    def scaled(self, node_nm: float) -> "AreaTable":
        """The same at another node, by the square of the nodes' ratio."""
        by = (node_nm / self.node_nm) ** 2
        areas = ("mac", "sram_bit", "register_bit", "compare_bit", "crosspoint_bit")
        return AreaTable(
            **{
                **self.model_dump(),
                "name": f"{self.name}, scaled to {node_nm:g} nm",
                "node_nm": node_nm,
                **{area: getattr(self, area) * by for area in areas},
            }
        )


AREA_45NM = AreaTable(
    name="45 nm",
    source="MAC: 16-bit floating point multiplier and adder, 1640 + 1360 um2 in TSMC 45 nm (W. Dally, "
    "High-performance hardware for machine learning, NIPS 2015 tutorial); SRAM: Intel's 0.346 um2 cell (K. "
    "Mistry et al., IEDM 2007) at an array efficiency of one half, taken here; flip-flop, comparator and "
    "crosspoint: DFF_X1, XNOR2_X1 and MUX2_X1 of the Nangate 45 nm open cell library, 4.522, 1.596 and "
    "1.862 um2",
    node_nm=45,
    mac=1640 + 1360,
    sram_bit=2 * 0.346,
    register_bit=4.522,
    compare_bit=1.596,
    crosspoint_bit=1.862,
)
AREA_65NM = AREA_45NM.scaled(65)


def chip_area(
    accelerator: Accelerator,
    vectors: int,
    bits: int,
    table: AreaTable = AREA_45NM,
    results: int | None = None,
    mcaches: int | None = None,
) -> dict[str, float]:
    """Area of each part in mm2: those of :data:`BASELINE_PARTS`, then :data:`MERCURY_PARTS`.

    Memories go by the paper's Table I: Signature Table in memory blocks, MCACHE and Hitmap in registers.
    Wires, control and the PEs' second input buffers (asynchronous design) are not counted.

    Args:
        accelerator: its arrays, memories and MCACHEs.
        vectors: the most input vectors of a scope: rows of the Signature Table and of the Hitmap.
        bits: the longest signature.
        table: areas of the parts.
        results: that an MCACHE entry holds, as the dataflow's ``results`` says of the layers; None: as many
            as any layer needs, but where rows are dealt ``replicas`` of the accelerator, or else one a row of
            the array: filters side by side of a 1 x 1 layer whose output has a row a column. Outputs of fewer
            rows need more.
        mcaches: that are side by side, with a Signature Table, a Hitmap and queues each, as the dataflow's
            ``mcaches`` says of the layers; None: one, or where channels or images are side by side one a
            row of the array, as above.

    Raises:
        ValueError: the MCACHE is unlimited, ``vectors``, ``bits``, ``results`` or ``mcaches`` is under 1, or
            the table's MAC unit is of other words than the accelerator's.
    """
    if accelerator.entries is None:
        raise ArgumentError(
            f"entries of accelerator {accelerator.name!r} was None, but an unlimited MCACHE has no area"
        )
    dataflow = dataflow_of(accelerator)
    results = dataflow.results(accelerator) if results is None else results
    mcaches = dataflow.mcaches(accelerator) if mcaches is None else mcaches
    sizes = {"vectors": vectors, "bits": bits, "results": results, "mcaches": mcaches}
    for argument, value in sizes.items():
        if value < 1:
            raise ArgumentError(f"{argument} was {value}, but must be at least 1")
    if table.word_bits != accelerator.word_bits:
        raise ArgumentError(
            f"word_bits of area table {table.name!r} was {table.word_bits}, but must be the "
            f"{accelerator.word_bits} of accelerator {accelerator.name!r}"
        )
    pes, word, entries = accelerator.pes, accelerator.word_bits, accelerator.entries
    sets, entry_id = entries // accelerator.ways, number_bits(entries)
    queued = mcaches * (accelerator.insertion_queue or 0) * sets
    valid = 1 + results
    takers = pes if accelerator.dealing == "misses" else 0
    square_um = {
        "MAC units": pes * table.mac,
        "register files": pes * accelerator.register_file_words * word * table.sram_bit,
        "global buffer": accelerator.buffer_words * word * table.sram_bit,
        # Every set compares the ways of one signature at a time, so each way has its comparator.
        "MCACHE tags": mcaches * entries * ((bits + valid) * table.register_bit + bits * table.compare_bit),
        "MCACHE results": mcaches * entries * results * word * table.register_bit,
        "Signature Table": mcaches * vectors * (bits + entry_id) * table.sram_bit,
        "Hitmap": mcaches * STATE_BITS * vectors * table.register_bit,
        "insertion queues": queued * bits * table.register_bit,
        "miss queue": bool(takers) * vectors * number_bits(vectors) * table.sram_bit,
        # Any PE may read from and write to any set of the MCACHE, a result each way at a time.
        "result crossbar": 2 * takers * sets * word * table.crosspoint_bit,
        "pipeline registers": pes * word * table.register_bit,
    }
    return {part: area * accelerator.arrays / 1e6 for part, area in square_um.items()}
