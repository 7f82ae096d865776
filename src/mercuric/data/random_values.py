"""Which numbers does a network read where nobody has data for it?"""

import re
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mercuric.data.arrays import ArrayData, as_data
from mercuric.data.split import ImageData, check_count, check_indices
from mercuric.errors import ArgumentError

NAME = "random"
LAYOUT = "SHAPE, as 3x224x224; several inputs with commas between; 128:30000 is 128 whole numbers under 30000"
CLASSES, TRAIN, TEST = 10, 1024, 256

_SHAPE = re.compile(r"([1-9]\d{0,8}(?:x[1-9]\d{0,8})*)(?::([1-9]\d{0,17}))?")
_MOST = 2**31
"""Values of an example."""


@dataclass(frozen=True)
class RandomInput:
    """One input of an example.

    Attributes:
        shape: of it.
        below: whole numbers from 0 to below this; None: normally distributed ones.
    """

    shape: tuple[int, ...]
    below: int | None = None

    def drawn(self, generator: torch.Generator) -> Tensor:
        """One example's."""
        if self.below is not None:
            return torch.randint(self.below, self.shape, generator=generator)
        return torch.randn(self.shape, generator=generator)


@dataclass(frozen=True)
class RandomValues:
    """Random examples, each drawn by its own number; an :class:`~mercuric.data.arrays.ArraySplit`.

    Attributes:
        inputs: of an example.
        first: the number of the first.
        count: how many there are.
    """

    inputs: tuple[RandomInput, ...]
    first: int
    count: int

    def __len__(self) -> int:
        return self.count

    @cached_property
    def labels(self) -> Tensor:
        """(N,) int64: each class in turn; they say nothing of the values."""
        return torch.arange(self.count) % CLASSES

    def few(self, count: int) -> Tensor:
        """The first ones."""
        check_count(count, len(self))
        return torch.arange(count)

    def batch(self, indices: Tensor, _: torch.Generator | None = None) -> tuple[tuple[Tensor, ...], Tensor]:
        """See ``ArraySplit.batch``."""
        check_indices(indices, len(self))
        examples = []
        for place in indices.tolist():
            generator = torch.Generator().manual_seed(self.first + place)
            examples.append([one.drawn(generator) for one in self.inputs])
        inputs = zip(*examples, strict=True) if examples else [()] * len(self.inputs)
        return tuple(torch.stack(list(one)) for one in inputs), self.labels[indices]


def load(shapes: str) -> ImageData | ArrayData:
    """Numbers of these shapes, the same ones each time, of 10 classes that they have nothing to do with.

    Args:
        shapes: ``"3x224x224"``; of several inputs with commas between; ``"16:1000"`` for whole numbers below
            1,000. One square input of up to four channels is an image.

    Raises:
        ValueError: something else, or more values than an example can have.
    """
    inputs = tuple(map(_input, shapes.split(",")))
    train, test = RandomValues(inputs, 0, TRAIN), RandomValues(inputs, TRAIN, TEST)
    classes = tuple(map(str, range(CLASSES)))
    floating = all(one.below is None for one in inputs)
    return as_data(NAME, classes, tuple(one.shape for one in inputs), train, test, floating)


def _input(text: str) -> RandomInput:
    known = _SHAPE.fullmatch(text.strip())
    if known is None:
        raise ArgumentError(
            f"shape of {NAME} data was {text!r}, but must be {LAYOUT}; each dimension has a number"
        )
    shape = tuple(map(int, known[1].split("x")))
    values = torch.Size(shape).numel()
    if values > _MOST:
        raise ArgumentError(
            f"shape of {NAME} data was {text!r}, but must be at most {_MOST:,} values an example"
        )
    return RandomInput(shape, None if known[2] is None else int(known[2]))
