"""A shared tensor beside the plain one that it stands for, and whether a function does the same to both."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal import functions  # noqa: F401 - what shared tensors meet
from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.pass_record import PassRecord
from mercuric.reuse.equal.shared_tensor import SharedTensor
from mercuric.reuse.equal.table import share, table_of

Function = Callable[[Any], Any]
CLASSES = 4


class Pair:
    """Float64 maps of few classes.

    Args:
        shape: of both.
        channel: the dimension of the channels.
        channels_last: the format of the pass.
        gradient: whether one is taken.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (2, 6, 4, 5),
        channel: int = 1,
        channels_last: bool = False,
        gradient: bool = True,
    ) -> None:
        generator = torch.Generator().manual_seed(0)
        places = (*shape[:channel], *shape[channel + 1 :])
        self.ids = torch.randint(0, CLASSES, places, dtype=torch.int32, generator=generator)
        rows = torch.randn(CLASSES, shape[channel], dtype=torch.float64, generator=generator)
        self.rows, self.channel = rows.requires_grad_(gradient), channel
        plain = rows.detach()[self.ids.long()].movedim(-1, channel)
        memory = torch.channels_last if channels_last else torch.contiguous_format
        self.plain = plain.contiguous(memory_format=memory).requires_grad_(gradient)
        self.record = PassRecord(channels_last)
        self.shared = share(self.rows, Classes(self.ids, CLASSES), channel, self.record)

    @property
    def row_gradients(self) -> tuple[Tensor, Tensor]:
        """Of the rows, and of the plain tensor summed over classes."""
        assert self.plain.grad is not None and self.rows.grad is not None
        flat = self.plain.grad.movedim(self.channel, -1).reshape(-1, self.rows.shape[1])
        return self.rows.grad, torch.zeros_like(self.rows).index_add(0, self.ids.flatten().long(), flat)


def outcome(function: Function, value: Any) -> Any:
    try:
        return function(value)
    except (RuntimeError, IndexError, ValueError) as error:
        return type(error)


def same(function: Function, pair: Pair) -> Any:
    """Hold values, shapes, strides' layout and gradients of both together; the shared result."""
    expected, found = outcome(function, pair.plain), outcome(function, pair.shared)
    if isinstance(expected, type):
        assert found is expected
        return found
    plain = dense(found, "the test")
    torch.testing.assert_close(plain, expected, rtol=1e-12, atol=1e-12, equal_nan=True)
    if expected.requires_grad:
        direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
        for value in (plain, expected):
            (value * direction).sum().backward()
        torch.testing.assert_close(*pair.row_gradients, rtol=1e-12, atol=1e-12)
    return found


def is_shared(value: object) -> bool:
    return isinstance(value, SharedTensor) and table_of(value) is not None
