"""How is a network's folder of Hitmaps as CSV written and read? ``docs/hitmaps.md`` describes it."""

import csv
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from io import StringIO
from math import prod
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, field_validator

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.reading import read_text
from mercuric.files.writing import write_text
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.calls import RunFacts
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.csv_lines import HitmapLine, read_hitmap_csv
from mercuric.trace.hitmaps.saved_layer import OPTIONAL, SHAPE, WORDS, SavedLayer
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work

if TYPE_CHECKING:
    import pandas as pd

INDEX, RUN = "layers.csv", "run.json"
COUNTS = ("HIT", "MAU", "MNU", "zero", "zero_hits")
Count = Annotated[int, Field(ge=0, le=2**53)]


class IndexRow(SavedLayer):
    """A line of ``layers.csv``; its fields are the columns."""

    file: str
    needs_input_gradient: Literal["True", "False"]
    HIT: Count
    MAU: Count
    MNU: Count
    zero: Count
    zero_hits: Count
    error: str

    @field_validator(*OPTIONAL, *WORDS, mode="before")
    @classmethod
    def _empty_cell(cls, value: str | None) -> str | None:
        return value or None


_COLUMNS = ("file", "layer", "kind", "needs_input_gradient", "bits", *SHAPE, *WORDS, *COUNTS, "error")


def hitmap_name(number: int) -> str:
    """``hitmap-001.csv``: the file of a network's layer, counted from 1."""
    return f"hitmap-{number:03d}.csv"


class HitmapFolderWriter:
    """Writes Hitmaps call by call; the files appear when the block ends well.

    Args:
        folder: where they go.
        about: where the Hitmaps come from.

    Raises:
        MercuricError: the folder holds Hitmaps already.
        OSError: it can't be written.
    """

    def __init__(self, folder: Path, about: HitmapAbout) -> None:
        self.about = about
        self._folder, self._stack = folder, ExitStack()
        self._layers: dict[str, LayerCall] = {}
        self._dense: dict[str, list[LayerCall]] = {}
        self._table: pd.DataFrame | None = None
        if (folder / INDEX).exists() or any(folder.glob("hitmap-*.csv")):
            raise MercuricError(f"{folder} holds Hitmaps already; remove them or name another folder")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._parts = Path(tempfile.mkdtemp(prefix=".hitmaps-", dir=self._folder))
        self._stack.callback(shutil.rmtree, self._parts, ignore_errors=True)
        return self

    def add(self, call: LayerCall) -> None:
        """Append one batch's line to the layer's file; calls of gradient vectors are left out.

        Raises:
            ValueError: the layer's input is no tensor of its own, so that it has no shape to write.
        """
        if call.product != "forward":
            return
        # A layer's first call gives its place in the index; the Hitmap itself is not kept.
        bare = call.without_vectors()
        first = self._layers.setdefault(call.layer, bare)
        if call.work.hitmap is None:
            self._dense.setdefault(call.layer, []).append(bare)
            return
        hit = call.work.hitmap.hits.cpu().numpy().ravel()
        line = HitmapLine(_four(call), call.work.bits, hit)
        with self._part(first.layer).open("ab") as file:
            file.write(line.to_bytes())

    def finish(self, layers: "pd.DataFrame", run: Mapping[str, Any] | None = None) -> None:
        """Say which layers there are and how they ran: ``Simulation.layers`` and ``Simulation.run``."""
        self.about = self.about.finished(layers, run or {})
        self._table = layers.set_index("layer")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None and self._table is not None:
                self._publish(self._table)

    def _publish(self, table: "pd.DataFrame") -> None:
        """Put every file into its place, the index last."""
        import pandas as pd

        rows = []
        for number, (name, measured) in enumerate(table.iterrows(), start=1):
            part = self._part(str(name))
            saved = hitmap_name(number) if part.exists() else ""
            if saved:
                part.replace(self._folder / saved)
            counts = [int(measured[column]) for column in COUNTS]
            for call in [self._layers[str(name)]] if saved else self._dense[str(name)]:
                sizes = [getattr(call.work.shape, field) for field in SHAPE]
                shape = ["" if size is None else size for size in sizes]
                about = [saved, name, call.work.kind, call.needs_input_gradient, call.work.bits]
                words = [getattr(call.workload, name, "") for name in WORDS]
                rows.append([*about, *shape, *words, *counts, measured["error"]])
        write_text(self._folder / RUN, self.about.to_json())
        index = pd.DataFrame(rows, columns=list(_COLUMNS))
        write_text(self._folder / INDEX, index.to_csv(index=False, lineterminator="\n"))

    def _part(self, layer: str) -> Path:
        return self._parts / hitmap_name(1 + list(self._layers).index(layer))


def _four(call: LayerCall) -> tuple[int, int, int, int]:
    if call.input_shape is None:
        raise ArgumentError(
            f"layer {call.layer!r} has no input tensor of its own, whose shape the CSV form needs; save its "
            "Hitmaps as Parquet"
        )
    padded = (*call.input_shape, 1, 1, 1)
    return padded[0], padded[1], padded[2], prod(padded[3:])


class HitmapFolder:
    """A folder of Hitmaps as CSV, with its index.

    Args:
        folder: what :class:`HitmapFolderWriter` wrote.

    Attributes:
        about: where they come from.

    Raises:
        MercuricError: the index is missing or broken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self.about = HitmapAbout.from_json(read_text(folder / RUN), folder / RUN)
            index = StringIO(read_text(folder / INDEX), newline="")
        except FileNotFoundError as error:
            missing = Path(str(error.filename)).name
            raise MercuricError(f"{folder} is no folder of mercuric hitmap: it has no {missing}") from None
        try:
            self._rows = [_indexed(row) for row in csv.DictReader(index)]
            if not self._rows:
                raise ArgumentError("it names no layer")
        except (ArgumentError, TypeError, csv.Error) as error:
            raise MercuricError(f"{folder / INDEX} is broken: {error}") from None

    @property
    def facts(self) -> RunFacts:
        """What is known of the calls; what of HIT, MAU, MNU and zero vectors lines of 0 and 1 can't tell."""
        first = {row.layer: row for row in reversed(self._rows)}
        counts = {name: {count: getattr(row, count) for count in COUNTS} for name, row in first.items()}
        return self.about.facts(counts)

    def calls(self) -> Iterator[LayerCall]:
        """Every call, layer by layer, one at a time.

        A miss may be MAU or MNU, and which result a HIT reuses isn't known (its representative is -1).

        Raises:
            MercuricError: a file is missing or broken, or is of another layer.
        """
        products = self.about.products
        for row in self._rows:
            shape, needed = row.shape(), row.needs_input_gradient == "True"
            path = self._folder / row.file
            if not row.file:
                yield LayerCall(
                    row.layer, Work(shape, kind=row.kind), needed, is_product=row.layer in products,
                    workload=row.workload(shape, needed),
                )  # fmt: skip
                continue
            images = None
            for number, line in enumerate(read_hitmap_csv(path), start=1):
                images = images or line.input_shape[0]
                here = _of_batch(shape, images, line.input_shape[0])
                if line.hit.size != here.scopes * here.vectors or line.bits != row.bits:
                    raise MercuricError(
                        f"{path}, line {number}: {line.hit.size} rows of {line.bits} bits, but {INDEX} says "
                        f"{here.scopes * here.vectors} of {row.bits} for layer {row.layer}"
                    )
                work = Work(here, hits_only(line.hit, here), line.bits, row.kind)
                yield LayerCall(row.layer, work, needed, workload=row.workload(here, needed))


def hits_only(hit: NDArray[np.bool_], shape: VectorShape) -> Hitmap:
    """A Hitmap that only knows HIT from miss: every miss is MAU, a HIT's representative is -1.

    Args:
        hit: bool, (scopes x vectors,).
        shape: the vectors.
    """
    hits = torch.from_numpy(hit.reshape(shape.scopes, shape.vectors))
    states = torch.where(hits, HitState.HIT.value, HitState.MAU.value).to(torch.uint8)
    own = torch.arange(shape.vectors).expand(shape.scopes, shape.vectors)
    return Hitmap(states, torch.where(hits, -1, own))


def _of_batch(shape: VectorShape, images: int, now: int) -> VectorShape:
    """The shape of a batch of ``now`` images, where one of ``images`` has ``shape``."""
    if shape.images == images:
        return replace(shape, scopes=shape.scopes * now // images, images=now)
    rows = None if shape.output_rows is None else shape.output_rows * now // images
    return replace(shape, vectors=shape.vectors * now // images, output_rows=rows)


def _indexed(row: dict[str, str]) -> IndexRow:
    indexed = IndexRow(**row)
    if Path(indexed.file).name != indexed.file:
        raise ArgumentError(f"file was {indexed.file!r}, but must be a file's name in the same folder")
    indexed.shape()
    return indexed
