"""What do SCALE-Sim's own files say: which array (.cfg), and which layers (.csv)?"""

from collections.abc import Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mercuric.accelerator.hardware import Accelerator, Stationary
from mercuric.errors import MalformedError, MercuricError
from mercuric.reading import read_text
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape

DATAFLOWS: dict[str, Stationary] = {"ws": "weight", "is": "input", "os": "output"}
_ARRAY = "architecture_presets"
_SIZES = ("ArrayHeight", "ArrayWidth", "IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB")
_OFFSETS = ("IfmapOffset", "FilterOffset", "OfmapOffset")
_CLOCK_MHZ, _ENTRIES, _WAYS = 200, 1024, 16
_CONV = (
    "IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides",
)  # fmt: skip
_GEMM = ("M", "N", "K")
_DEPTHWISE = "DP"
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
    """

    name: str
    shape: VectorShape
    kind: Kind
    channels: int | None
    line: int


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
    rows, columns, *_ = (file.whole(_ARRAY, key, 1) for key in _SIZES)
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

    def whole(self, section: str, key: str, least: int) -> int:
        text = self.text(section, key)
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise self.wrong(section, key, f"a whole number of at least {least}")
        return int(text)

    def one_of(self, section: str, key: str, known: dict[str, Known], lower: bool = False) -> Known:
        text = self.text(section, key)
        text = text.lower() if lower else text
        if text not in known:
            raise self.wrong(section, key, f"one of {', '.join(known)}")
        return known[text]

    def wrong(self, section: str, key: str, must: str) -> MercuricError:
        was, line = self.text(section, key), self._line(key)
        return MercuricError(f"{self.path}, line {line}: {key} was {was!r}, but must be {must}")

    def _line(self, start: str) -> int:
        starts = (line.strip().lower().startswith(start.lower()) for line in self.lines)
        return next((number for number, is_it in enumerate(starts, start=1) if is_it), 0)


def read_topology(path: Path) -> list[TopologyLayer]:
    """The layers of a topology of SCALE-Sim: convolutions, or matrix products.

    The header tells the form: ``Layer name, IFMAP Height, ...`` or ``Layer, M, N, K,`` (M x K times K x
    N). As SCALE-Sim reads them, the input's size includes its padding, a last window that sticks out is
    counted, and a layer with ``DP`` in its name is a depthwise one: each channel has ``Num Filter``
    filters of its own. A ratio ``N:M`` of sparse filters and a comment may follow the last column.

    Raises:
        MercuricError: the file can't be read or holds no layer, or a row is wrong; names file, line and
            column.
    """
    header, *rows = _text(path, "topology").splitlines() or [""]
    columns = _form(header)
    if columns is None:
        raise MercuricError(
            f"{path}, line 1: the header was {header[:60]!r}, but must name the columns "
            f"{', '.join(_CONV)}, or {', '.join(_GEMM)}"
        )
    layers = []
    for number, row in enumerate(rows, start=2):
        if row.strip():
            try:
                layers.append(_layer(row, columns, number))
            except ValueError as error:
                raise MercuricError(f"{path}, line {number}: {error}") from None
    if not layers:
        raise MercuricError(f"{path} holds no layer")
    return layers


def _form(header: str) -> tuple[str, ...] | None:
    cells = tuple(cell.strip().lower() for cell in header.split(",")[1:])
    for columns in (_GEMM, _CONV):
        # Files differ in the last names ("Strides", "Stride height"), not in the first.
        known = tuple(column.lower() for column in columns[:3])
        if cells[:3] == known:
            return columns
    return None


def _layer(row: str, columns: tuple[str, ...], line: int) -> TopologyLayer:
    name, *cells = (cell.strip() for cell in row.split(","))
    if not name:
        raise ValueError("the layer has no name")
    if len(cells) < len(columns) or not cells[len(columns) - 1]:
        raise ValueError(f"layer {name!r} must have {len(columns)} numbers ({', '.join(columns)})")
    for extra in cells[len(columns) :]:
        if extra and not extra.startswith("#") and not _is_ratio(extra):
            raise ValueError(f"layer {name!r} has {extra!r} behind its {len(columns)} numbers")
    numbers = {}
    for column, cell in zip(columns, cells, strict=False):
        if not cell.removeprefix("-").isdecimal() or int(cell) < 1:
            raise ValueError(f"{column} of layer {name!r} was {cell!r}, but must be a whole number above 0")
        numbers[column] = int(cell)
    if columns is _GEMM:
        shape = VectorShape(1, numbers["M"], 1, numbers["K"], numbers["N"])
        return TopologyLayer(name, shape, "linear", None, line)
    return TopologyLayer(name, _conv(name, *numbers.values()), "conv", numbers["Channels"], line)


def _conv(
    name: str, height: int, width: int, rows: int, columns: int, channels: int, filters: int, stride: int
) -> VectorShape:
    for what, filter_size, size in (("Height", rows, height), ("Width", columns, width)):
        if filter_size > size:
            raise ValueError(
                f"Filter {what} of layer {name!r} was {filter_size}, but must be at most IFMAP {what}, {size}"
            )
    positions = -(-(height - rows + stride) // stride) * -(-(width - columns + stride) // stride)
    if _DEPTHWISE in name:
        return VectorShape(channels, positions, rows, columns, filters)
    if rows == columns == 1:
        return VectorShape(1, positions, 1, channels, filters)
    return VectorShape(channels, positions, rows, columns, filters, depth=channels)


def _is_ratio(text: str) -> bool:
    parts = [part.strip() for part in text.split(":")]
    return len(parts) == 2 and all(part.isdecimal() for part in parts)


def _text(path: Path, what: str) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        raise MercuricError(f"the {what} {path} can't be read: no such file") from None
    except MalformedError as error:
        raise MalformedError(f"the {what} {error}") from None
