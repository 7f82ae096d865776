"""How are Hitmaps kept in one Parquet file? ``docs/hitmaps.md`` describes its columns."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

import numpy as np
import torch

from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for
from mercuric.files.regular import require_regular
from mercuric.files.writing import replacing
from mercuric.reuse.observation import ObservedProduct
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import MCache
from mercuric.trace.calls import RunFacts
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.entry_ids import entry_ids, hitmap_of
from mercuric.trace.hitmaps.packing import (
    pack_flags,
    pack_ids,
    pack_states,
    unpack_flags,
    unpack_ids,
    unpack_states,
)
from mercuric.trace.hitmaps.saved_layer import OPTIONAL, SHAPE, WORDS, SavedLayer
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work

with needed_for("a Parquet file of Hitmaps"):
    import pyarrow as pa
    import pyarrow.parquet as pq

if TYPE_CHECKING:
    import pandas as pd

METADATA = "mercuric"
"""The key of the file's metadata that holds :class:`HitmapAbout` as JSON."""

_ROW_VECTORS = 1 << 20
_GROUP_BYTES = 4 << 20
_NAMES = ("layer", "product", "kind")
_PRODUCTS = " or ".join(map(repr, get_args(ObservedProduct)))
_PACKED = ("states", "zero", "entries")
_LATER = (*OPTIONAL, *WORDS, "reloaded")
"""Columns that files of earlier versions lack."""

_SCHEMA = pa.schema(
    [
        pa.field("call", pa.int32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in _NAMES),
        *(pa.field(name, pa.int64(), nullable=name in _LATER) for name in (*SHAPE, *WORDS)),
        pa.field("bits", pa.int16(), nullable=False),
        pa.field("needs_input_gradient", pa.bool_(), nullable=False),
        pa.field("reloaded", pa.bool_()),
        pa.field("first_scope", pa.int64(), nullable=False),
        pa.field("scopes_here", pa.int64(), nullable=False),
        *(pa.field(name, pa.binary()) for name in _PACKED),
    ]
)
Row = dict[str, Any]


class HitmapWriter:
    """Writes Hitmaps call by call; the file appears, whole, when the block ends well.

    Args:
        path: the Parquet file.
        about: where the Hitmaps come from.

    Raises:
        OSError: it can't be written; what was there before is then as it was.
    """

    def __init__(self, path: Path, about: HitmapAbout) -> None:
        self.about = about
        self._path, self._stack = path, ExitStack()
        self._rows: list[Row] = []
        self._waiting = self._calls = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self._path))
            self._parquet = stack.enter_context(
                pq.ParquetWriter(
                    temporary, _SCHEMA, compression="zstd", use_dictionary=list(_NAMES),
                    write_statistics=["call"], write_page_checksum=True,
                )
            )  # fmt: skip
            self._stack = stack.pop_all()
        return self

    def add(self, call: LayerCall) -> None:
        """Store one layer's Hitmap of one batch.

        Raises:
            ValueError: the Hitmap is none that the configuration's MCACHE can give.
        """
        for row in _rows(call, self._calls, self.about.config.cache):
            self._rows.append(row)
            self._waiting += sum(len(row[name] or b"") for name in _PACKED)
            if self._waiting >= _GROUP_BYTES:
                self._flush()
        self._calls += 1

    def finish(self, layers: "pd.DataFrame", run: Mapping[str, Any] | None = None) -> None:
        """Say which layers there are and how they ran: ``Simulation.layers`` and ``Simulation.run``."""
        self.about = self.about.finished(layers, run or {})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
            self._parquet.add_key_value_metadata({METADATA: self.about.to_json()})
        self._stack.__exit__(kind, error, trace)

    def _flush(self) -> None:
        if self._rows:
            self._parquet.write_batch(pa.RecordBatch.from_pylist(self._rows, _SCHEMA))
        self._rows, self._waiting = [], 0


def _rows(call: LayerCall, number: int, cache: MCache) -> Iterator[Row]:
    work = call.work
    whole: Row = {
        "call": number,
        "layer": call.layer,
        "product": call.product,
        "kind": work.kind,
        **asdict(work.shape),
        **{name: None if call.workload is None else getattr(call.workload, name) for name in WORDS},
        "bits": work.bits,
        "needs_input_gradient": call.needs_input_gradient,
        "reloaded": call.reloaded,
    }
    if work.hitmap is None:
        yield {**whole, "first_scope": 0, "scopes_here": work.shape.scopes, **dict.fromkeys(_PACKED)}
        return
    ids = entry_ids(work.hitmap, work.cache_sets, cache)
    states = work.hitmap.states.cpu().numpy()
    zero = None if call.zero is None else call.zero.cpu().numpy()
    run = max(1, _ROW_VECTORS // max(1, work.shape.vectors))
    for first in range(0, max(1, work.shape.scopes), run):
        here = slice(first, first + run)
        yield {
            **whole,
            "first_scope": first,
            "scopes_here": len(states[here]),
            "states": pack_states(states[here]),
            "zero": None if zero is None else pack_flags(zero[here]),
            "entries": pack_ids(ids[here], _lines(cache, work.shape)),
        }


def _lines(cache: MCache, shape: VectorShape) -> int:
    return shape.vectors if cache.entries is None else cache.entries


class SavedHitmaps:
    """A file of Hitmaps, read row group by row group.

    Args:
        path: what :class:`HitmapWriter` wrote.

    Attributes:
        about: where they come from.

    Raises:
        MercuricError: there is no such file, it is cut off, or it is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        require_regular(path, "a Parquet file of Hitmaps")
        try:
            self._parquet = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
        except (OSError, pa.ArrowException) as error:
            raise MercuricError(f"{path} can't be read as a Parquet file of Hitmaps: {error}") from None
        metadata = self._parquet.metadata.metadata or {}
        if METADATA.encode() not in metadata or not _is_known(self._parquet.schema_arrow):
            raise MercuricError(f"{path} holds no Hitmaps of Mercuric: it is another Parquet file")
        self.about = HitmapAbout.from_json(metadata[METADATA.encode()], path)

    @property
    def facts(self) -> RunFacts:
        """What is known of the calls."""
        return self.about.facts()

    def calls(self) -> Iterator[LayerCall]:
        """Every call in the order of the run, one at a time.

        Raises:
            MercuricError: the file is damaged.
        """
        products = self.about.products
        for number, (said, rows) in enumerate(groupby(self._rows(), lambda row: row["call"])):
            if said != number:
                raise self._damaged(f"call {number} is missing")
            try:
                call = _call(list(rows), self.about.config.cache)
            except ValueError as error:
                raise self._damaged(f"in call {number}, {error}") from None
            yield replace(call, is_product=call.layer in products)

    def _rows(self) -> Iterator[Row]:
        for group in range(self._parquet.num_row_groups):
            try:
                rows: list[Row] = self._parquet.read_row_group(group, use_threads=False).to_pylist()
            except (OSError, pa.ArrowException) as error:
                raise self._damaged(str(error)) from None
            yield from rows

    def _damaged(self, why: str) -> MercuricError:
        return MercuricError(f"{self.path} is damaged: {why}")


def _is_known(schema: pa.Schema) -> bool:
    expected = [field for field in _SCHEMA if field.name in schema.names or field.name not in _LATER]
    return bool(schema.equals(pa.schema(expected)))


def _call(rows: list[Row], cache: MCache) -> LayerCall:
    first = rows[0]
    layer = SavedLayer(**{name: first.get(name) for name in SavedLayer.model_fields})
    if first["product"] not in get_args(ObservedProduct):
        raise ArgumentError(f"product was {first['product']!r}, but must be {_PRODUCTS}")
    shape = layer.shape()
    scopes = np.cumsum([0, *(row["scopes_here"] for row in rows)])
    if [row["first_scope"] for row in rows] != scopes[:-1].tolist() or scopes[-1] != shape.scopes:
        raise ArgumentError(f"layer {first['layer']!r} has not all of its {shape.scopes} scopes")
    about = (first["layer"], first["needs_input_gradient"], first["product"])
    workload = layer.workload(shape, first["needs_input_gradient"])
    if first["states"] is None:
        return LayerCall(first["layer"], Work(shape, kind=layer.kind), *about[1:], workload=workload)
    states = np.concatenate([unpack_states(row["states"], _here(row, shape)) for row in rows])
    lines = _lines(cache, shape)
    ids = np.concatenate([unpack_ids(row["entries"], _here(row, shape), lines) for row in rows])
    hitmap, cache_sets = hitmap_of(states, ids, cache)
    work = Work(shape, hitmap, layer.bits, layer.kind, cache_sets)
    # Before there was this column, reloaded signatures had no length.
    reloaded = first.get("reloaded", not layer.bits if first["product"] == "input_gradient" else None)
    return LayerCall(
        about[0], work, about[1], about[2], _zero(rows, shape), workload=workload, reloaded=reloaded
    )


def _zero(rows: Iterable[Row], shape: VectorShape) -> torch.Tensor | None:
    packed = [(row["zero"], _here(row, shape)) for row in rows]
    if any(flags is None for flags, _ in packed):
        return None
    return torch.from_numpy(np.concatenate([unpack_flags(*one) for one in packed]))


def _here(row: Row, shape: VectorShape) -> tuple[int, int]:
    return row["scopes_here"], shape.vectors
