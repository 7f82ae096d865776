"""What must a driver in C++ know of a circuit and its layer? Numbers, and where the bits of its ports lie."""

from amaranth.lib.data import Layout

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.layer_data import LayerData
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.verilog import ports

PORTS = (
    "write", "write_set", "write_slot", "write_column", "write_words", "row_write", "row_state", "row_entry",
    "fill", "lengths", "start", "filters", "tasks", "filter_valid", "filter", "filter_take", "busy",
    "signs", "results", "answers", "signature_cycles", "queue_cycles", "product_cycles", "cycles",
)  # fmt: skip
"""Those that the driver knows."""
_RESULT = ("valid", "slot", "word", "early", "computed")
_ANSWER = ("valid", "pe_set", "slot", "state", "entry")


def driver_header(
    circuit: Parameters, array: SynchronousArray | AsynchronousArray, data: LayerData, patience: int
) -> str:
    """The file ``layer.h``; a port that the circuit has not, or of no bits, is a number that nobody reads.

    Args:
        circuit: sizes and options.
        array: the circuit, whose Verilog is the module ``circuit``.
        data: its layer.
        patience: cycles after which the driver gives up.
    """
    has, shape, lengths = ports(array), data.shape, data.lengths(circuit)
    numbers = {
        "SCOPES": shape.scopes, "VECTORS": shape.vectors, "ROWS": shape.rows, "COLUMNS": shape.elements,
        "FILTERS": shape.filters, "BITS": 0 if data.saved else circuit.bits, "SETS": circuit.sets,
        "BLOCK": circuit.block, "BUFFERS": shape.scopes if data.saved else 1,
        "WORD_BITS": circuit.word_bits, "LENGTH_BITS": has["lengths"][1] // circuit.sets,
        "ANSWERS": 0 if data.saved else circuit.cache_sets,
    }  # fmt: skip
    lines = [
        '#include "Vcircuit.h"',
        "struct Field { unsigned at, width; };",
        *(f"constexpr unsigned {name} = {value};" for name, value in numbers.items()),
        f"constexpr unsigned long long PATIENCE = {patience}ull;",
        f"constexpr bool SAVED = {str(data.saved).lower()};",
        f"constexpr unsigned LENGTH[] = {{{', '.join(map(str, lengths))}}};",
        *_fields("RESULT", array.result_layout, _RESULT),
        *_fields("ANSWER", array.answer_layout, _ANSWER),
        "struct Circuit : Vcircuit {",
        *(f"  unsigned {port} = 0;" for port in PORTS if port not in has),
        "};",
    ]
    return "\n".join(lines) + "\n"


def _fields(name: str, layout: Layout, fields: tuple[str, ...]) -> list[str]:
    """How long an element is, and where its parts lie in it."""
    return [
        f"constexpr unsigned {name} = {layout.size};",
        *(
            f"constexpr Field {name}_{field.upper()}{{{layout[field].offset}, {layout[field].width}}};"
            for field in fields
        ),
    ]
