"""Do operations on rows of 16 bits round no more than dense ones, however many positions they add up?"""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_outcomes import both_outcomes, normal
from maps_drawn import Layer, layers
from torch import Tensor, nn

import mercuric
from mercuric.reuse.equal.kernels import (
    class_convolution,
    class_maximum,
    class_sum,
    expand,
    gather,
    image_sums,
    reference,
)

HALF = [torch.bfloat16, torch.float16]
ROUNDED = {torch.bfloat16: 0.02, torch.float16: 0.003}
"""Of the largest number, or of 1: five times what one rounding may take."""


def check(
    found: Callable[..., Tensor], expected: Callable[..., Tensor], *operands: Tensor, dtype: torch.dtype
) -> None:
    """Results and gradients, the expected ones in float64 of the same rounded operands."""
    for one, other in both_outcomes(found, expected, *operands, dtype=dtype):
        assert one.dtype == dtype
        largest = max(1.0, float(other.detach().abs().max())) if other.numel() else 1.0
        torch.testing.assert_close(one.double(), other, atol=ROUNDED[dtype] * largest, rtol=0)


@pytest.mark.usefixtures("threads")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layer=layers(), dtype=st.sampled_from(HALF), data=st.data())
def test_operations_are_as_defined(layer: Layer, dtype: torch.dtype, data: st.DataObject) -> None:
    rows, members, ids = layer.rows, layer.members, layer.ids
    channels = rows.shape[1]
    groups = data.draw(st.sampled_from([1, channels]))
    filters = groups * data.draw(st.sampled_from([1, 2, 5]))
    weight, bias = normal(filters, channels // groups, *layer.window.kernel), normal(filters)
    check(
        lambda rows, weight, bias: class_convolution(rows, weight, bias, members, groups),
        lambda rows, weight, bias: reference.class_convolution(rows, weight, bias, members, groups),
        rows, weight, bias, dtype=dtype,
    )  # fmt: skip
    check(lambda rows: expand(rows, ids), lambda rows: reference.expand(rows, ids), rows, dtype=dtype)
    for operation, definition in (
        (gather, reference.gather),
        (class_sum, reference.class_sum),
        (class_maximum, reference.class_maximum),
    ):
        check(
            lambda rows: operation(rows, members),  # noqa: B023
            lambda rows: definition(rows, members),  # noqa: B023
            rows, dtype=dtype,
        )  # fmt: skip
    pixels = ids.flatten(1)
    check(
        lambda rows: image_sums(rows, pixels),
        lambda rows: reference.image_sums(rows, pixels),
        rows, dtype=dtype,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("channels", [3, 64])
def test_products_may_be_long(dtype: torch.dtype, channels: int) -> None:
    generator = torch.Generator().manual_seed(0)
    members = torch.randint(-1, 300, (5_001, 9), generator=generator).int()
    check(
        lambda rows, weight: class_convolution(rows, weight, None, members),
        lambda rows, weight: reference.class_convolution(rows, weight, None, members),
        normal(300, channels), normal(32, channels, 3, 3), dtype=dtype,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", HALF)
def test_a_row_at_many_positions_gets_their_whole_gradient(dtype: torch.dtype) -> None:
    """Ones that are added up in bfloat16 one by one stop at 256."""
    ids, count = torch.zeros(1, 200, 200, dtype=torch.int32), 40_000
    members, weight = torch.zeros(count, 1, dtype=torch.int32), torch.ones(1, 1, 1, 1, dtype=dtype)
    operations: list[Callable[[Tensor], Tensor]] = [
        lambda rows: expand(rows, ids),
        lambda rows: gather(rows, members),
        lambda rows: class_convolution(rows, weight, None, members),
    ]
    for operation in operations:
        rows = torch.ones(2, 1, dtype=dtype, requires_grad=True)
        result = operation(rows)
        for differentiable in (False, True):
            (gradient,) = torch.autograd.grad(
                result, rows, torch.ones_like(result), retain_graph=True, create_graph=differentiable
            )
            assert abs(float(gradient[0].detach()) / count - 1) < 0.004


@pytest.mark.parametrize("dtype", HALF)
def test_gradients_may_lie_anywhere(dtype: torch.dtype) -> None:
    rows, members = normal(5, 4).to(dtype).requires_grad_(), torch.tensor([[0, 1], [-1, 2]]).int()
    gather(rows, members).T.contiguous().sum().backward()
    (transposed,) = torch.autograd.grad(gather(rows, members), rows, torch.ones(8, 2, dtype=dtype).T)
    assert rows.grad is not None and torch.equal(transposed, rows.grad)


def gradients(network: nn.Module) -> list[Tensor]:
    return [parameter.grad.double() for parameter in network.parameters() if parameter.grad is not None]


class _Blank(nn.Module):
    """A first layer whose windows are nearly all alike, and one behind it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = F.relu(self.second(F.relu(self.first(x))))
        return features


def test_autocast_trains_blank_images_as_dense_does() -> None:
    images = torch.zeros(2, 1, 96, 96)
    images[:, :, 40:44, 40:44] = normal(2, 1, 4, 4).float()
    exact, dense, reused = _Blank().double(), _Blank(), _Blank()
    mercuric.reuse_(reused, mercuric.Equal(most=1.0))
    exact(images.double()).square().mean().backward()
    for network in (dense, reused):
        with torch.autocast("cpu", torch.bfloat16):
            features = network(images)
        features.float().square().mean().backward()
    for wanted, theirs, ours in zip(*map(gradients, (exact, dense, reused)), strict=True):
        off, ours_off = ((found - wanted).norm() / wanted.norm() for found in (theirs, ours))
        assert ours_off < 2 * off + 0.01
