"""Maps of few distinct vectors, as shared tensors and as plain ones."""

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from mercuric.reuse.equal import functions  # noqa: F401 - what shared tensors meet
from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.kernels import expand, vector_classes
from mercuric.reuse.equal.pass_record import PassRecord
from mercuric.reuse.equal.shared_tensor import SharedTensor
from mercuric.reuse.equal.table import share

NUMBERS = (0.0, -0.0, 0.25, -0.5, 1.0, 3.5, -2.0)


class Map:
    """Rows, and which row is where."""

    def __init__(self, rows: Tensor, ids: Tensor, channel: int = 1) -> None:
        table = vector_classes(ids.reshape(-1, 1))
        assert table is not None
        self.rows = rows[ids.flatten()[table.first]].clone().requires_grad_(rows.is_floating_point())
        self.classes = Classes(table.ids.view(ids.shape), table.classes, table.first)
        self.channel = channel
        self.record = PassRecord()

    def shared(self, rows: Tensor | None = None) -> SharedTensor:
        return share(self.rows if rows is None else rows, self.classes, self.channel, self.record)

    def plain(self) -> Tensor:
        return expand(self.rows, self.classes.ids).movedim(-1, self.channel).contiguous()


@st.composite
def maps(
    draw: st.DrawFn,
    channels: int | None = None,
    shape: tuple[int, ...] | None = None,
    channel: int = 1,
    palette: tuple[float, ...] = NUMBERS,
) -> Map:
    """A map (N, C, H, W) in float64, or one with its channels elsewhere."""
    if shape is None:
        sides = st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 4), (5, 3), (2, 41), (6, 6), (7, 7)])
        shape = (draw(st.integers(1, 3)), *draw(sides))
    count, width = draw(st.integers(1, 5)), channels or draw(st.sampled_from([1, 2, 4]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    if draw(st.booleans()):
        rows = torch.randn(count, width, generator=generator, dtype=torch.float64)
    else:
        numbers = torch.tensor(palette, dtype=torch.float64)
        rows = numbers[torch.randint(len(palette), (count, width), generator=generator)]
    return Map(rows, torch.randint(count, shape, generator=generator, dtype=torch.int32), channel)


def hold(
    function: Callable[..., Tensor],
    *given: Map,
    parameters: tuple[Tensor, ...] = (),
    expands: bool = False,
    tolerance: float = 1e-12,
) -> Any:
    """A function gives shared tensors what it gives plain ones, and the gradients too.

    Args:
        function: of the maps as tensors.
        given: maps.
        parameters: whose gradients are compared as well.
        expands: whether it may need dense tensors.
        tolerance: relative to the largest number of a tensor.
    """
    for each in given:
        each.record.expanded.clear()
    shared, plain = function(*(each.shared() for each in given)), function(*(each.plain() for each in given))
    assert shared.shape == plain.shape
    assert shared.dtype == plain.dtype
    if not expands:
        assert not any(each.record.expanded for each in given), [each.record.expanded for each in given]
    result = dense(shared, "a test")
    close(result, plain, tolerance)
    leaves = [leaf for leaf in (*(each.rows for each in given), *parameters) if leaf.requires_grad]
    if plain.requires_grad:
        weights = torch.randn(plain.shape, generator=torch.Generator().manual_seed(1)).to(plain)
        found, expected = (
            torch.autograd.grad((one * weights).sum(), leaves, allow_unused=True) for one in (result, plain)
        )
        for one, other, leaf in zip(found, expected, leaves, strict=True):
            zeros = torch.zeros_like(leaf)
            close(zeros if one is None else one, zeros if other is None else other, tolerance)
    return shared


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    """Equal up to a share of the largest finite number, or of 1."""
    finite = expected.detach()[expected.detach().isfinite()].abs()
    largest = float(finite.max()) if finite.numel() else 0.0
    torch.testing.assert_close(
        found.detach(), expected.detach(), rtol=0, atol=tolerance * max(largest, 1.0), equal_nan=True
    )
