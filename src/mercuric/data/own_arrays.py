"""How is a file of one's own arrays read?"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.data.arrays import ArrayData, are_images, as_data
from mercuric.data.normalisation import measured
from mercuric.data.split import ImageData, InMemorySplit, check_count, check_indices
from mercuric.errors import MalformedError, MercuricError
from mercuric.files.regular import require_regular

NAME = "npz"
LAYOUT = "an .npz file of NumPy with x (or x0, x1, ... for several inputs) and, for classes, y"
TEST_EVERY = 5
"""Of these many examples the last is for testing, where the file has no x_test."""

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class OwnArrays:
    """Arrays in memory; an :class:`~mercuric.data.arrays.ArraySplit`.

    Attributes:
        inputs: each (N, ...): float32, or int64.
        labels: (N,) int64.
    """

    inputs: tuple[Tensor, ...]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def few(self, count: int) -> Tensor:
        """The first ones."""
        check_count(count, len(self))
        return torch.arange(count)

    def batch(self, indices: Tensor, _: torch.Generator | None = None) -> tuple[tuple[Tensor, ...], Tensor]:
        """See ``ArraySplit.batch``."""
        check_indices(indices, len(self))
        return tuple(one[indices] for one in self.inputs), self.labels[indices]

    def at(self, chosen: Tensor) -> "OwnArrays":
        """Those that are chosen (N,), True or False."""
        return OwnArrays(tuple(one[chosen] for one in self.inputs), self.labels[chosen])


def load(path: Path) -> ImageData | ArrayData:
    """The arrays of an .npz file: ``x`` (N, ...), or ``x0``, ``x1`` and so on, and ``y`` (N,), the classes.

    Floating-point numbers are what a network reads as they are, whole numbers stay whole, and 8-bit images
    (N, C, H, H) are normalised by their own statistics. ``x_test`` and ``y_test`` are for testing, else
    every fifth example. Without ``y`` there are no classes, and no test.

    Raises:
        MercuricError: the file is missing or no such file; names what is wrong.
    """
    arrays = _read(path)
    train, test = _part(path, arrays, ""), _part(path, arrays, "_test")
    if train is None:
        there = ", ".join(sorted(arrays)) or "nothing"
        raise MalformedError(f"{path} holds {there}, but must be {LAYOUT}")
    labelled = "y" in arrays
    if test is None:
        apart = torch.arange(len(train)) % TEST_EVERY == TEST_EVERY - 1
        apart &= torch.tensor(labelled)
        train, test = train.at(~apart), train.at(apart)
    if [one.shape[1:] for one in train.inputs] != [one.shape[1:] for one in test.inputs]:
        raise MalformedError(f"{path} has examples to test on of other shapes than those to train on")
    classes = _classes(path, train.labels, test.labels) if labelled else ()
    return _data(classes, train, test)


def _data(classes: tuple[str, ...], train: OwnArrays, test: OwnArrays) -> ImageData | ArrayData:
    first = train.inputs[0]
    shapes = tuple(tuple(one.shape[1:]) for one in train.inputs)
    if first.dtype == torch.uint8 and are_images(shapes):
        by = measured(first)
        images = (
            InMemorySplit(train.inputs[0], train.labels, by),
            InMemorySplit(test.inputs[0], test.labels, by),
        )
        return ImageData(NAME, classes, shapes[0][0], shapes[0][1], *images)
    train, test = (OwnArrays(tuple(map(_whole, one.inputs)), one.labels) for one in (train, test))
    return as_data(NAME, classes, shapes, train, test, train.inputs[0].is_floating_point())


def _whole(values: Tensor) -> Tensor:
    return values.long() if values.dtype == torch.uint8 else values


def _read(path: Path) -> Arrays:
    require_regular(path, LAYOUT)
    if not path.exists():
        raise MercuricError(f"there is no file {path}, which must be {LAYOUT}")
    if not zipfile.is_zipfile(path):
        raise MalformedError(f"{path} must be {LAYOUT}, but is none")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:200]
        raise MalformedError(f"{path} must be {LAYOUT}, but can't be read: {reason}") from None


def _part(path: Path, arrays: Arrays, suffix: str) -> OwnArrays | None:
    found = {int(known[1] or 0): name for name in arrays if (known := re.fullmatch(rf"x(\d*){suffix}", name))}
    if not found:
        return None
    names = [found[place] for place in sorted(found)]
    inputs = tuple(_numbers(path, name, arrays[name]) for name in names)
    label = f"y{suffix}"
    lengths = {name: arrays[name].shape[:1] for name in names}
    if label in arrays:
        lengths[label] = arrays[label].shape
    if len(set(lengths.values())) > 1 or not len(inputs[0]):
        shown = ", ".join(f"{name} {arrays[name].shape}" for name in lengths)
        raise MalformedError(
            f"{path} holds {shown}, but all must have as many examples, at least one, and a label a number"
        )
    return OwnArrays(inputs, _labels(path, label, arrays.get(label), len(inputs[0])))


def _numbers(path: Path, name: str, values: NDArray[np.generic]) -> Tensor:
    if values.ndim < 1 or values.dtype.kind not in "fiub":
        raise MalformedError(
            f"{name} of {path} was {values.dtype} of {values.shape}, but must be numbers, a row an example"
        )
    if values.dtype == np.uint8:
        return torch.from_numpy(np.ascontiguousarray(values))
    kind = np.float32 if values.dtype.kind in "fb" else np.int64
    return torch.from_numpy(np.ascontiguousarray(values, dtype=kind))


def _labels(path: Path, name: str, values: NDArray[np.generic] | None, count: int) -> Tensor:
    if values is None:
        return torch.zeros(count, dtype=torch.int64)
    if values.dtype.kind not in "iu" or int(values.min()) < 0:
        raise MalformedError(
            f"{name} of {path} was {values.dtype}, but must be classes: whole numbers from 0"
        )
    return torch.from_numpy(values.astype(np.int64))


def _classes(path: Path, train: Tensor, test: Tensor) -> tuple[str, ...]:
    count = int(torch.cat([train, test]).max()) + 1
    if count > len(train) + len(test):
        raise MalformedError(
            f"y of {path} names class {count - 1}, but must count classes from 0, of which there are at most "
            f"as many as examples ({len(train) + len(test)})"
        )
    return tuple(map(str, range(count)))
