"""How are a data set's pictures kept as one file, and read when a batch asks for them?

The file is a zip of PNG files as they are, and ``index.json``, which says of each its class, its part, and
what its centre looks like at a few sizes: so that equal pictures are left out at every size without a look
at any pixel.
"""

import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo, is_zipfile

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from mercuric.data.centred import BLANK, Pixels, decoded, square
from mercuric.data.image_files import in_threads
from mercuric.data.normalisation import Normalisation
from mercuric.data.split import ImageData, check_count, check_indices, network_inputs
from mercuric.errors import ArgumentError, MalformedError, MercuricError
from mercuric.files.reading import parse_json
from mercuric.files.writing import replacing

SIDES = (32, 48, 64, 96, 128, 192, 224, 256, 384, 512, 768, 1024)
"""Of the squares whose fingerprints are kept; the first and the last are the smallest and largest image."""

_INDEX = "index.json"
_LOCAL_HEADER = 30
"""Bytes before a member's name, which its content follows."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


class Entry(BaseModel):
    """A picture: the member that holds it, its class and part, and a fingerprint for each of SIDES."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    label: int
    part: Literal["train", "test"]
    fingerprints: tuple[str, ...]


class Index(BaseModel):
    """What an archive holds: the packages' versions, the classes' names, and the pictures in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    packages: dict[str, str]
    classes: tuple[str, ...]
    pictures: tuple[Entry, ...]


@dataclass(frozen=True)
class Member:
    """Where a picture's file lies in the archive."""

    name: str
    offset: int
    size: int
    crc: int


@dataclass(frozen=True)
class ArchiveSplit:
    """Pictures that are read from an archive when a batch asks for them.

    Attributes:
        archive: the file.
        members: one a picture, class by class.
        labels: (N,) int64.
        image_size: side of the square about each picture's centre, in pixels.
        normalisation: how pixels become inputs.
    """

    archive: Path
    members: tuple[Member, ...]
    labels: Tensor
    image_size: int
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.members)

    def few(self, count: int) -> Tensor:
        """Some of every class, evenly: see ``Split.few``."""
        check_count(count, len(self))
        return torch.arange(count) * (len(self) - 1) // max(count - 1, 1)

    def pixels(self, indices: Tensor) -> Tensor:
        """The pictures at ``indices`` (B,) as (B, 3, image_size, image_size) uint8.

        Raises:
            ValueError: ``indices`` is no int64 vector of indices from 0 to ``len(self) - 1``.
            MercuricError: the archive is gone or damaged.
        """
        check_indices(indices, len(self))
        images = in_threads(self._picture, [self.members[i] for i in indices.tolist()])
        size = self.image_size
        made = np.stack(images) if images else np.empty((0, size, size, 3), np.uint8)
        return torch.from_numpy(made).permute(0, 3, 1, 2).contiguous()

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``; also raises ``MercuricError`` where the archive is gone or damaged."""
        return network_inputs(self.pixels(indices), self.normalisation, generator), self.labels[indices]

    def normalised(self, normalisation: Normalisation) -> Self:
        """See ``Split.normalised``."""
        return replace(self, normalisation=normalisation)

    def _picture(self, member: Member) -> Pixels:
        name = f"{member.name} in {self.archive}"
        try:
            with self.archive.open("rb") as file:
                file.seek(member.offset)
                content = file.read(member.size)
        except OSError as error:
            raise MercuricError(f"{self.archive} cannot be read ({error.strerror})") from error
        if zlib.crc32(content) != member.crc:
            raise MercuricError(f"{name} is damaged: its checksum is not the stored one")
        return square(decoded(content, name), self.image_size)


def write(path: Path, index: Index, contents: Sequence[bytes]) -> None:
    """Write an archive, whole or not at all; equal pictures make equal bytes.

    Args:
        path: of the archive.
        index: what it holds.
        contents: the PNG file of each of the index's pictures.

    Raises:
        OSError: it can't be written.
    """
    with replacing(path) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        for entry, content in zip(index.pictures, contents, strict=True):
            archive.writestr(ZipInfo(entry.file, _EPOCH), content)
        archive.writestr(ZipInfo(_INDEX, _EPOCH), index.model_dump_json())


def present(path: Path) -> bool:
    """Whether the archive is there and has its end (its contents are checked as they are read)."""
    try:
        return is_zipfile(path)
    except OSError:
        return False


def load(path: Path, name: str, image_size: int, normalisation: Normalisation, remedy: str) -> ImageData:
    """The pictures of an archive as a data set: of those equal at this size the first one, of white none.

    Args:
        path: of the archive.
        name: of the data set.
        image_size: side of the images in pixels, from 32 to 1024.
        normalisation: how pixels become inputs.
        remedy: what the user should do where it is missing or damaged, as an imperative.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: the archive is missing or damaged.
    """
    check_size(image_size)
    index, members = _read(path, remedy)
    chosen = different(index.pictures, image_size)
    train, test = (
        _split(path, [entry for entry in chosen if entry.part == part], members, image_size, normalisation)
        for part in ("train", "test")
    )
    return ImageData(name, index.classes, 3, image_size, train, test)


def check_size(image_size: int) -> None:
    """Refuse a size whose equal squares are not known.

    Raises:
        ValueError: ``image_size`` is below 32 or above 1024.
    """
    if not SIDES[0] <= image_size <= SIDES[-1]:
        raise ArgumentError(
            f"image_size was {image_size}, but it must be from {SIDES[0]} to {SIDES[-1]} pixels"
        )


def different(pictures: Sequence[Entry], image_size: int) -> list[Entry]:
    """The first of all pictures whose centres are equal, training before testing; none that is white there.

    What is compared are squares of the largest of :data:`SIDES` that ``image_size`` holds: what is equal at
    ``image_size`` is equal there too.
    """
    place = bisect_right(SIDES, image_size) - 1
    kept: dict[str, Entry] = {}
    for entry in sorted(pictures, key=lambda entry: entry.part == "test"):
        if entry.fingerprints[place] != BLANK:
            kept.setdefault(entry.fingerprints[place], entry)
    return sorted(kept.values(), key=lambda entry: entry.label)


def _split(
    path: Path,
    entries: Sequence[Entry],
    members: dict[str, Member],
    image_size: int,
    normalisation: Normalisation,
) -> ArchiveSplit:
    labels = torch.tensor([entry.label for entry in entries], dtype=torch.int64)
    own = tuple(members[entry.file] for entry in entries)
    return ArchiveSplit(path, own, labels, image_size, normalisation)


def _read(path: Path, remedy: str) -> tuple[Index, dict[str, Member]]:
    try:
        with ZipFile(path) as archive:
            text = archive.read(_INDEX)
            members = {info.filename: _member(info) for info in archive.infolist()}
        index = Index.model_validate(parse_json(text, f"{_INDEX} in {path}"))
    except FileNotFoundError:
        raise MercuricError(f"{path} is missing; {remedy}") from None
    except OSError as error:
        raise MercuricError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    except (BadZipFile, KeyError, MalformedError, ValidationError, zlib.error) as error:
        said = str(error).splitlines()[0]
        raise MercuricError(f"{path} is damaged ({said}); {remedy}") from error
    wrong = _defect(index, members)
    if wrong:
        raise MercuricError(f"{path} is damaged ({wrong}); {remedy}")
    return index, members


def _member(info: ZipInfo) -> Member:
    offset = info.header_offset + _LOCAL_HEADER + len(info.filename.encode())
    return Member(info.filename, offset, info.file_size, info.CRC)


def _defect(index: Index, members: dict[str, Member]) -> str | None:
    parts = {entry.part for entry in index.pictures}
    if len(parts) < 2:
        return "it has no pictures to train or to test on"
    for entry in index.pictures:
        if entry.file not in members:
            return f"{entry.file} is not in it"
        if not 0 <= entry.label < len(index.classes) or len(entry.fingerprints) != len(SIDES):
            return f"what is said of {entry.file} does not fit"
    return None
