"""What do SCALE-Sim's own files say: which array (.cfg), and which layers (.csv)?"""

from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError, MalformedError, MercuricError
from mercuric.files.reading import read_text
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape

DATAFLOWS = {"ws": "weight", "is": "input", "os": "output"}
_ARRAY = "architecture_presets"
_SIDES = ("ArrayHeight", "ArrayWidth")
_SIZES = ("IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB")
_OFFSETS = ("IfmapOffset", "FilterOffset", "OfmapOffset")
_CLOCK_MHZ, _ENTRIES, _WAYS = 200, 1024, 16
CONV = (
    "IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides",
)  # fmt: skip
_GEMM = ("M", "N", "K")
_RATIO = ("N", "M")
_DEPTHWISE = "DP"
_LAYOUT = "intraline"
_SHOWN = 40
_MOST_PES_A_SIDE = 2**16
_LARGEST_SIZE, _MOST_MACS = 10**8, 2**53
"""Of a topology: no layer is near them, and every count of cycles is exact below."""
Known = TypeVar("Known")


@dataclass(frozen=True)
class TopologyLayer:
    """A row of a topology.

    Attributes:
        name: the layer's.
        shape: its input vectors: windows of one channel, or rows of a GEMM (or pixels of a 1x1 kernel).
        kind: ``"conv"``, or ``"linear"`` for a GEMM.
        channels: of a convolution's input; None for a GEMM.
        line: where it stands in the file, counted from 1.
        inputs: words of the input that a window covers, padding included; None: the vectors don't overlap.
        fresh: elements that a window's row has and the one before it had not; None: all of them.
    """

    name: str
    shape: VectorShape
    kind: Kind
    channels: int | None
    line: int
    inputs: int | None = None
    fresh: int | None = None


def read_scalesim_config(path: Path) -> Accelerator:
    """The array that a configuration of SCALE-Sim describes.

    Array, dataflow and name are the file's. SCALE-Sim knows no clock and no MCACHE: 200 MHz, and the
    paper's 1024 entries in 16 ways. SRAM sizes, offsets and bandwidth are checked and not used, for
    only compute cycles are counted; so SCALE-Sim's files of any version will do.

    Raises:
        MercuricError: the file can't be read, or a key is missing or wrong; names file, line and key.
    """
    text = _text(path, "configuration")
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except ConfigError as error:
        raise MercuricError(f"{path} is no configuration of SCALE-Sim: {error.message}") from None
    file = _ConfigFile(path, text.splitlines(), parser)
    rows, columns = (file.whole(_ARRAY, key, 1, _MOST_PES_A_SIDE) for key in _SIDES)
    for key in _SIZES:
        file.whole(_ARRAY, key, 1)
    for key in _OFFSETS:
        file.whole(_ARRAY, key, 0)
    if file.one_of("run_presets", "InterfaceBandwidth", {"CALC": False, "USER": True}):
        file.text(_ARRAY if parser.has_option(_ARRAY, "Bandwidth") else "run_presets", "Bandwidth")
    if parser.has_option("sparsity", "SparsitySupport"):
        text_values = {"false": False, "true": True}
        if file.one_of("sparsity", "SparsitySupport", text_values, lower=True):
            raise file.wrong("sparsity", "SparsitySupport", "false: sparse filters are not counted here")
    return Accelerator(
        name=file.text("general", "run_name"),
        dataflow=file.one_of(_ARRAY, "Dataflow", DATAFLOWS, lower=True),
        rows=rows,
        columns=columns,
        clock_mhz=_CLOCK_MHZ,
        entries=_ENTRIES,
        ways=_WAYS,
    )


@dataclass(frozen=True)
class _ConfigFile:
    path: Path
    lines: Sequence[str]
    parser: ConfigParser

    def text(self, section: str, key: str) -> str:
        if not self.parser.has_option(section, key):
            there = self._line(f"[{section}]")
            place = f", line {there}" if there else ""
            raise MercuricError(f"{self.path}{place}: {key} is missing in [{section}]")
        return self.parser.get(section, key).strip()

    def whole(self, section: str, key: str, least: int, most: int = 2**63 - 1) -> int:
        number = whole_number(self.text(section, key))
        if number is None or number < least:
            raise self.wrong(section, key, f"a whole number of at least {least}")
        if number > most:
            raise self.wrong(section, key, f"at most {most}")
        return number

    def one_of(self, section: str, key: str, known: dict[str, Known], lower: bool = False) -> Known:
        text = self.text(section, key)
        text = text.lower() if lower else text
        if text not in known:
            raise self.wrong(section, key, f"one of {', '.join(known)}")
        return known[text]

    def wrong(self, section: str, key: str, must: str) -> MercuricError:
        was, line = self.text(section, key), self._line(key)
        return MercuricError(f"{self.path}, line {line}: {key} was {was[:_SHOWN]!r}, but must be {must}")

    def _line(self, start: str) -> int:
        starts = (line.strip().lower().startswith(start.lower()) for line in self.lines)
        return next((number for number, is_it in enumerate(starts, start=1) if is_it), 0)


def read_topology(path: Path) -> list[TopologyLayer]:
    """The layers of a topology of SCALE-Sim: convolutions, or matrix products.

    As SCALE-Sim reads them: the first line is a header, and numbers go by their places, seven of a
    convolution (``IFMAP Height`` to ``Strides``) or three of a product (``M, N, K``: M x K times K x N);
    the input's size includes its padding, a last window that sticks out is counted, and a layer with
    ``DP`` in its name is a depthwise one: each channel has ``Num Filter`` filters of its own. May follow:
    a stride of the width, where it is another; a ratio ``N:M`` of sparse filters, which counts nothing
    while ``SparsitySupport`` is off; a batch size of 1; a comment behind the last comma.

    Raises:
        MercuricError: the file can't be read or holds no layer, or a row is wrong; names file, line and
            column.
    """
    header, *rows = _text(path, "topology").splitlines() or [""]
    names = [cell.strip().lower() for cell in header.split(",")[1:]]
    filled = [(number, row) for number, row in enumerate(rows, start=2) if row.strip()]
    with _at(path, 1):
        columns = _form(header, names, filled[0][1] if filled else "")
    layers = []
    for number, row in filled:
        with _at(path, number):
            layers.append(_layer(row, columns, names[len(columns) :], number))
    if not layers:
        raise MercuricError(f"{path} holds no layer")
    return layers


@contextmanager
def _at(path: Path, line: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise MercuricError(f"{path}, line {line}: {error}") from None


def _form(header: str, names: Sequence[str], first_row: str) -> tuple[str, ...]:
    """Which columns a file has: what its header says, and where it says nothing known, how many there are.

    Raises:
        ValueError: the first line is no header of a topology.
    """
    if any(_LAYOUT in name for name in names):
        raise ArgumentError(
            "the header is a layout's, which SCALE-Sim reads beside a topology, but must be a topology's"
        )
    if sorted(names[:3]) == sorted(column.lower() for column in _GEMM):
        known = [column.lower() for column in _GEMM] == list(names[:3])
    else:
        known = len(names) >= len(_GEMM) and not all(whole_number(name) is not None for name in names[:3])
    if not known:
        raise ArgumentError(
            f"the header was {header[:60]!r}, but must name the columns "
            f"{', '.join(CONV)}, or {', '.join(_GEMM)}"
        )
    if "ifmap" in names[0] or "ifmap" in names[1]:
        return CONV
    numbers = [whole_number(cell.strip()) for cell in first_row.split(",")[1 : 1 + len(CONV)]]
    is_conv = names[0] != _GEMM[0].lower() and len(numbers) == len(CONV) and None not in numbers[len(_GEMM) :]
    return CONV if is_conv else _GEMM


def _layer(row: str, columns: tuple[str, ...], names: Sequence[str], line: int) -> TopologyLayer:
    name, *cells = (cell.strip() for cell in row.split(","))
    if not name:
        raise ArgumentError("the layer has no name")
    if len(cells) < len(columns) or not cells[len(columns) - 1]:
        raise ArgumentError(f"layer {name!r} must have {len(columns)} numbers ({', '.join(columns)})")
    sizes = [_size(name, *one) for one in zip(columns, cells, strict=False)]
    *extras, comment = cells[len(columns) :] or [""]
    if whole_number(comment) is not None:
        extras.append(comment)  # SCALE-Sim drops what is behind the last comma; a number there was meant
    across = _stride_across(name, columns, extras, names)
    if columns is _GEMM:
        return _checked(
            TopologyLayer(name, VectorShape(1, sizes[0], 1, sizes[2], sizes[1]), "linear", None, line)
        )
    stride, (height, width, _, taps, channels, *_) = across or sizes[-1], sizes
    shape = _conv(name, sizes, stride)
    fresh = shape.elements // taps * min(stride, taps)
    return _checked(TopologyLayer(name, shape, "conv", channels, line, height * width * channels, fresh))


def _checked(layer: TopologyLayer) -> TopologyLayer:
    if layer.shape.macs > _MOST_MACS:
        macs = f"{layer.shape.macs:.3g} multiply-accumulates"
        raise ArgumentError(f"layer {layer.name!r} has {macs}, but must have at most {_MOST_MACS:.3g}")
    return layer


def _size(name: str, column: str, cell: str) -> int:
    number = whole_number(cell)
    if number is None or not 1 <= number <= _LARGEST_SIZE:
        was = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}..."
        raise ArgumentError(
            f"{column} of layer {name!r} was {was!r}, but must be a whole number from 1 to {_LARGEST_SIZE:,}"
        )
    return number


def _stride_across(
    layer: str, columns: Sequence[str], extras: Sequence[str], names: Sequence[str]
) -> int | None:
    """The stride of the width, where a column behind the others gives one.

    Raises:
        ValueError: a column holds something else than SCALE-Sim's files have there.
    """
    across: int | None = None
    for place, cell in enumerate(extras):
        name = names[place] if place < len(names) else ""
        if not cell or cell.startswith("#") or _is_ratio(cell) or ("batch" in name and cell == "1"):
            continue
        is_number = whole_number(cell) is not None
        if is_number and columns is CONV and place == 0 and (not name or "stride" in name):
            across = _size(layer, "Stride width", cell)
        elif not is_number or across is None or place > len(_RATIO) or name:
            # SCALE-Sim itself writes N and M of a ratio as two numbers behind both strides.
            raise ArgumentError(
                f"layer {layer!r} has {cell[:_SHOWN]!r} behind its {len(columns)} numbers"
                + (f" as {name}" if name else "")
            )
    return across


def _conv(name: str, sizes: Sequence[int], across: int) -> VectorShape:
    height, width, rows, columns, channels, filters, down = sizes
    for what, filter_size, size in (("Height", rows, height), ("Width", columns, width)):
        if filter_size > size:
            raise ArgumentError(
                f"Filter {what} of layer {name!r} was {filter_size}, but must be at most IFMAP {what}, {size}"
            )
    lines = -(-(height - rows + down) // down)
    positions = lines * -(-(width - columns + across) // across)
    if _DEPTHWISE in name:
        return VectorShape(channels, positions, rows, columns, filters, output_rows=lines)
    if rows == columns == 1:
        return VectorShape(1, positions, 1, channels, filters, output_rows=lines)
    return VectorShape(channels, positions, rows, columns, filters, depth=channels, output_rows=lines)


def _is_ratio(text: str) -> bool:
    parts = [whole_number(part.strip()) or 0 for part in text.split(":")]
    return len(parts) == len(_RATIO) and 1 <= parts[0] <= parts[1]


def whole_number(text: str) -> int | None:
    """The number that ``text`` is; None where it is none, or one of more digits than 64 bits hold."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None


def _text(path: Path, what: str) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        raise MercuricError(f"the {what} {path} can't be read: no such file") from None
    except MalformedError as error:
        raise MalformedError(f"the {what} {error}") from None
