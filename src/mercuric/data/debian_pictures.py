"""How do the pictures of Debian packages become a data set's archive?"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mercuric.data.centred import decoded, fingerprints
from mercuric.data.debian import unpack, version
from mercuric.data.families import for_testing
from mercuric.data.picture_archive import SIDES, Entry, Index, different, write
from mercuric.errors import MercuricError
from mercuric.progress import Progress

FEWEST = 20
"""Pictures of a class; one with fewer is left out."""

MOST_SIDE = 2048
"""Pixels: a larger picture would show a small part of itself."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Found:
    """A picture of a package.

    Attributes:
        name: of its file in the archive.
        group: its class's name.
        family: what it looks like others of; a class's families are for training or for testing as wholes.
        png: its file's content.
    """

    name: str
    group: str
    family: str
    png: Callable[[], bytes]


@dataclass(frozen=True)
class Archive:
    """A file of pictures.

    Attributes:
        file: its name.
        image_size: that pictures are counted at, in pixels.
        pictures: those in the packages' root folders, by the packages' names, in an order that does not
            change.
    """

    file: str
    image_size: int
    pictures: Callable[[Mapping[str, Path]], Sequence[Found]]


def fetch(
    name: str, folder: Path, versions: Mapping[str, str], archives: Sequence[Archive], tell: Progress
) -> str:
    """Take the pictures out of Debian's packages, and write each archive.

    Args:
        name: of the data set.
        folder: where the archives shall lie.
        versions: the packages, and the version of each that the documentation's numbers are of.
        archives: what is made of them.
        tell: told how far it is.

    Returns:
        A sentence that says what was done.

    Raises:
        MercuricError: the tools are missing, a package cannot be had or holds no such pictures, or the
            archive cannot be written.
    """
    files = " and ".join(archive.file for archive in archives)
    otherwise = f"copy {files} into {folder} from a machine where `mercuric data fetch {name}` works"
    try:
        folder.mkdir(parents=True, exist_ok=True)  # minutes before it is written to
    except OSError as error:
        raise MercuricError(f"{folder} cannot be written ({error.strerror})", 1) from error
    with tempfile.TemporaryDirectory(prefix="mercuric-") as temporary:
        roots, came = {}, {}
        for package in versions:
            own = Path(temporary) / package
            own.mkdir()
            roots[package] = unpack(package, own, otherwise)
            came[package] = version(own, otherwise)
        said = [_archived(archive, folder, roots, came, otherwise, tell) for archive in archives]
    others = [
        f"{package} {came[package]} came, but the documentation's numbers are of {known}."
        for package, known in versions.items()
        if came[package] != known
    ]
    return " ".join([*said, *others])


def _archived(
    archive: Archive,
    folder: Path,
    roots: Mapping[str, Path],
    came: Mapping[str, str],
    otherwise: str,
    tell: Progress,
) -> str:
    index, contents, left_out = _chosen(archive.pictures(roots), came, tell)
    if not index.pictures:
        raise MercuricError(f"{' and '.join(came)} gave no class of {FEWEST} pictures or more; {otherwise}")
    path = folder / archive.file
    try:
        write(path, index, contents)
    except OSError as error:
        raise MercuricError(f"{path} cannot be written ({error.strerror})", 1) from error
    parts = Counter(entry.part for entry in different(index.pictures, archive.image_size))
    said = (
        f"{path} holds {parts['train']:,} pictures to train on and {parts['test']:,} to test on, of "
        f"{len(index.classes)} classes, at {archive.image_size} pixels."
    )
    reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items())
    return f"{said} Left out: {reasons}." if reasons else said


def _chosen(
    found: Sequence[Found], came: Mapping[str, str], tell: Progress
) -> tuple[Index, list[bytes], dict[str, int]]:
    """The index and its pictures' files, and how many were left out for which reason."""
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    kept = []
    for one, png, why, prints in _looked_at(found, tell):
        reason = why or ("equal to another" if prints[-1] in seen else "")
        if reason:
            left_out[reason] += 1
            continue
        seen.add(prints[-1])
        kept.append((one, png, prints))
    families: dict[str, list[str]] = {}
    for one, _, _ in kept:
        families.setdefault(one.group, []).append(one.family)
    testing = {group: for_testing(own) for group, own in families.items()}
    classes = [group for group in sorted(families) if len(families[group]) >= FEWEST and testing[group]]
    chosen = [picture for picture in kept if picture[0].group in classes]
    left_out["of classes that are too small"] = len(kept) - len(chosen)
    entries = tuple(
        Entry(
            file=one.name,
            label=classes.index(one.group),
            part="test" if one.family in testing[one.group] else "train",
            fingerprints=prints,
        )
        for one, _, prints in chosen
    )
    index = Index(packages=dict(came), classes=tuple(classes), pictures=entries)
    return index, [png for _, png, _ in chosen], {why: count for why, count in left_out.items() if count}


def _looked_at(found: Sequence[Found], tell: Progress) -> Iterator[tuple[Found, bytes, str, tuple[str, ...]]]:
    """Each picture with its file, why it is left out at once, and its fingerprints."""
    for done, one in enumerate(found):
        tell(done, len(found), one.name, "pictures")
        png = one.png()
        if not png.startswith(_SIGNATURE):
            yield one, png, "no PNG image", ()
        elif max(_size(png)) > MOST_SIDE:
            yield one, png, f"larger than {MOST_SIDE:,} pixels", ()
        else:
            try:
                prints = fingerprints(decoded(png, one.name), SIDES)
            except MercuricError:
                yield one, png, "unreadable", ()
            else:
                yield one, png, "" if prints[-1] else "white", prints
    tell(len(found), len(found), "", "pictures")


def _size(png: bytes) -> tuple[int, int]:
    """Width and height, which a PNG's header begins with."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
