"""Is a shared tensor the tensor that it stands for, whatever a network does with it?"""

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from shared_maps import Map, maps
from shared_subjects import Function, Pair, is_shared, same
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.shared_tensor import SharedTensor

USES: dict[str, Function] = {
    "plain and shared": lambda x: x.relu() + x.sum(1, keepdim=True) * x,
    "cat": lambda x: torch.cat([x, x * 2], 1),
    "matmul": lambda x: x @ x.mT,
    "einsum": lambda x: torch.einsum("nchw,nchw->nhw", x, x),
    "softmax": lambda x: x.softmax(1),
    "where": lambda x: torch.where(x > 0, x, x * 0.1),
    "masked_fill": lambda x: x.masked_fill(x > 0, 1.0),
    "reflected": lambda x: 1 - x + 2**x - x**3,
    "negative zero": lambda x: 1 / x.relu().neg(),
    "one number": lambda x: x * torch.tensor([2.0]),
    "a scalar tensor": lambda x: x * torch.tensor(2.0),
    "a vector": lambda x: x + torch.arange(6.0).view(6, 1, 1),
    "an image's": lambda x: x + torch.arange(12.0).view(2, 6, 1, 1),
    "a place's": lambda x: x + torch.arange(20.0).view(4, 5),
    "into a plain one": lambda x: torch.zeros(2, 6, 4, 5, dtype=torch.float64).copy_(x),
    "keywords": lambda x: torch.add(input=x, other=x).flatten(1) + torch.flatten(input=x, start_dim=1),
    "linear": lambda x: F.linear(x.movedim(1, -1), torch.ones(3, 6, dtype=torch.float64)),
    "numpy": lambda x: torch.from_numpy(x.detach().numpy()) * x,
    "branches": lambda x: x if x.mean() > 0 else x * float(x.flatten()[0]),
    "a list": lambda x: sum(x),
    "a copy": lambda x: copy.deepcopy(x.detach()) * x,
    "two flats": lambda x: x.flatten(1) * x[:, :3].repeat(1, 2, 1, 1).flatten(1),
    "lists of tensors": lambda x: torch._foreach_mul([x], 2.0)[0],
    "in place": lambda x: (x * 1).clamp_(min=0).sub_(0.5, alpha=2).div_(3),
    "in place, densely": lambda x: F.dropout(x * 1, 0.0, True, True) + x,
    "copied into": lambda x: (x * 1).copy_(x * 2) * x,
}


@pytest.mark.parametrize("gradient", [True, False])
@pytest.mark.parametrize("name", USES)
def test_any_use_of_it(name: str, gradient: bool) -> None:
    same(USES[name], Pair(gradient=gradient))


@given(maps(), st.booleans())
def test_numbers_lie_by_the_strides_that_it_tells(image: Map, channels_last: bool) -> None:
    image.record.channels_last = channels_last
    shared = image.shared()
    assert dense(shared, "a test").stride() == shared.stride()


def test_one_image_stays_in_its_format() -> None:
    """PyTorch tells formats by strides, also by those of a dimension of one image."""
    image = Map(torch.eye(6), torch.arange(20, dtype=torch.int32).view(1, 4, 5) % 6)
    image.record.channels_last = True
    other = torch.ones(1, 6, 4, 5).contiguous(memory_format=torch.channels_last)
    assert torch.cat([image.shared(), other], 1).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dimensions", [0, 1, 4])
def test_dtypes_are_promoted_alike(dimensions: int) -> None:
    factor = torch.full((1,) * dimensions, 2.0, dtype=torch.float64)
    same(lambda x: x.float() * factor, Pair(gradient=False))


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "elu", "leaky_relu", "hardtanh", "silu", "celu", "hardswish"]
)
def test_activations_in_place_stay_shared(name: str) -> None:
    def by_name(x: Tensor) -> Tensor:
        y = x * 1
        kept = y.clone()
        getattr(F, name)(y, inplace=True)
        return y * kept

    assert is_shared(same(by_name, Pair()))


class Squared(torch.autograd.Function):
    """A function of one's own."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * 2 * x


def test_functions_of_ones_own() -> None:
    same(lambda x: Squared.apply(x * 2) * x, Pair())
    same(lambda x: Squared.apply(F.relu(Squared.apply(x * 2), inplace=True)), Pair())

    def written_before(x: Tensor) -> Tensor:
        y = x * 1
        y.view(2, -1).mul_(3)
        return Squared.apply(y) + y

    same(written_before, Pair())


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints(reentrant: bool) -> None:
    same(lambda x: checkpoint(lambda y: (y * 2).tanh() * y, x * 2, use_reentrant=reentrant) * x, Pair())


def test_gradients_that_are_asked_for_before_use() -> None:
    gradients = []
    pair = Pair()
    for value in (pair.shared, pair.plain):
        middle = value * 2
        middle.retain_grad()
        seen: list[Tensor] = []
        middle.register_hook(seen.append)
        (middle.relu() ** 2).sum().backward()
        assert middle.grad is not None
        gradients.append((middle.grad, seen[0]))
    torch.testing.assert_close(*gradients)
    torch.testing.assert_close(*pair.row_gradients)


def test_gradients_that_are_asked_for_too_late_are_refused() -> None:
    middle = Pair().shared * 2
    loss = (middle.relu() ** 2).sum()
    with pytest.raises(
        ValueError, match=r"^the gradient of a feature map \(2, 6, 4, 5\) was asked for after"
    ):
        torch.autograd.grad(loss, middle)
    with pytest.raises(ValueError, match="was asked for after layers had used it"):
        middle.retain_grad()


@pytest.mark.parametrize("name", ["transpose_", "unsqueeze_", "squeeze_"])
def test_dimensions_stay(name: str) -> None:
    value = Pair().shared * 1
    arguments = {"transpose_": (0, 1), "unsqueeze_": (0,), "squeeze_": ()}[name]
    with pytest.raises(
        ValueError, match=rf"{name} was called on a feature map .* use the function without _"
    ):
        getattr(value, name)(*arguments)


def test_second_derivatives() -> None:
    pair = Pair()
    found = []
    for value, leaf in ((pair.shared, pair.rows), (pair.plain, pair.plain)):
        (slope,) = torch.autograd.grad((value.tanh() * value.softmax(1)).sum(), leaf, create_graph=True)
        if leaf is pair.rows:
            slope.square().sum().backward()
        found.append(slope)
    counts = torch.bincount(pair.ids.flatten().long())[:, None]
    expected = (found[1].movedim(1, -1).reshape(-1, 6).detach(), pair.ids.flatten().long())
    summed = torch.zeros_like(pair.rows).index_add(0, expected[1], expected[0])
    torch.testing.assert_close(found[0].detach(), summed)
    (second,) = torch.autograd.grad(found[1].square().sum(), pair.plain)
    of_rows = torch.zeros_like(pair.rows).index_add(0, expected[1], second.movedim(1, -1).reshape(-1, 6))
    # A row's slope is that of a place times the places; so is what comes back.
    torch.testing.assert_close(pair.rows.grad, of_rows * counts)


def test_it_says_what_it_is() -> None:
    value = Pair().shared
    assert repr(value) == "SharedTensor(4 classes at (2, 4, 5))"
    assert isinstance(value, SharedTensor) and value.shape == (2, 6, 4, 5)
