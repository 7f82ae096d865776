"""Do the two thin products compute what the definition says, with its gradients?"""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric import Directions
from mercuric.reuse.directions.basis import PrincipalDirections, principal_directions, sampled_rows
from mercuric.reuse.directions.product import Placement, projected_convolution, reference_convolution

SIDES = st.integers(1, 3)


def directions_of(outputs: torch.Tensor, rank: int, length: int = 10_000) -> PrincipalDirections:
    found = principal_directions(outputs, Directions(rank=rank, multiple=1), length)
    assert found is not None
    return found


@settings(max_examples=40, deadline=None)
@given(
    images=st.integers(1, 3),
    channels=st.integers(1, 4),
    kernel=st.tuples(SIDES, SIDES),
    stride=st.tuples(SIDES, SIDES),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.tuples(SIDES, SIDES),
    width=st.sampled_from([7, 8, 41]),
    last=st.booleans(),
    bias=st.booleans(),
)
def test_a_projected_convolution_is_its_definition(
    images, channels, kernel, stride, padding, dilation, width, last, bias
):
    torch.manual_seed(0)
    x = torch.randn(images, channels, 9, width, dtype=torch.float64)
    weight = torch.randn(6, channels, *kernel, dtype=torch.float64)
    if last:
        x, weight = (t.to(memory_format=torch.channels_last) for t in (x, weight))
    offset = torch.randn(6, dtype=torch.float64) if bias else None
    leaves = [t.requires_grad_() for t in (x, weight, *([offset] if bias else []))]
    basis, _ = torch.linalg.qr(torch.randn(6, 2, dtype=torch.float64))
    directions = PrincipalDirections(basis)
    placement = Placement(stride, padding, dilation)
    found = projected_convolution(x, weight, offset, directions, placement)
    expected = reference_convolution(x, weight, offset, directions, placement)
    torch.testing.assert_close(found, expected)
    gradient = torch.randn_like(expected)
    for mine, defined in zip(
        torch.autograd.grad(found, leaves, gradient),
        torch.autograd.grad(expected, leaves, gradient),
        strict=True,
    ):
        torch.testing.assert_close(mine, defined)


def test_gradients_are_those_of_what_was_computed():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, 3, 3, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(5, dtype=torch.float64, requires_grad=True)
    placement = Placement((2, 1), (1, 0), (1, 2))
    outputs = F.conv2d(x, weight, None, (2, 1), (1, 0), (1, 2)).permute(0, 2, 3, 1).flatten(0, 2)
    directions = directions_of(outputs, 2)

    def product(x, weight, bias):
        return projected_convolution(x, weight, bias, directions, placement)

    assert torch.autograd.gradcheck(product, (x, weight, bias))
    assert torch.autograd.gradgradcheck(product, (x, weight, bias))


def test_a_gradient_penalty_is_that_of_the_definition():
    """In float32, whose products with the directions are another operator's; the gradient is no leaf's."""
    torch.manual_seed(0)
    x, weight = torch.randn(2, 3, 6, 5, requires_grad=True), torch.randn(5, 3, 3, 2, requires_grad=True)
    directions = directions_of(F.conv2d(x, weight).permute(0, 2, 3, 1).flatten(0, 2), 2)
    found = []
    for product in (projected_convolution, reference_convolution):
        output = product(x, weight, None, directions, Placement()).sin().sum()
        (slope,) = torch.autograd.grad(output, x, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), (x, weight)))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_computes_in_the_layers_precision(dtype):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 4, 8, 8, dtype=dtype), torch.randn(8, 4, 3, 3, dtype=dtype)
    directions = directions_of(torch.randn(100, 8), 3)
    placement = Placement(padding=(1, 1))
    found = projected_convolution(x, weight, None, directions, placement)
    expected = reference_convolution(
        x.double(), weight.double(), None, directions_to_double(directions), placement
    )
    assert found.dtype == dtype
    torch.testing.assert_close(
        found.double(), expected, rtol=0.05, atol=0.2 if dtype == torch.bfloat16 else 1e-4
    )


def directions_to_double(directions: PrincipalDirections) -> PrincipalDirections:
    return PrincipalDirections(directions.basis.double())


def test_no_rank_r_map_of_the_inputs_comes_closer_than_principal_outputs():
    torch.manual_seed(0)
    inputs = torch.randn(400, 20) @ torch.randn(20, 20)
    weight = torch.randn(12, 20)
    outputs = inputs @ weight.T
    error = directions_of(outputs, 4).error(outputs)
    _, _, right = torch.linalg.svd(inputs, full_matrices=False)
    by_inputs = inputs @ right[:4].T @ right[:4] @ weight.T
    assert error < float((by_inputs - outputs).norm() / outputs.norm())
    random, _ = torch.linalg.qr(torch.randn(12, 4))
    assert error < PrincipalDirections(random).error(outputs)


def test_outputs_of_a_low_rank_lose_nothing():
    torch.manual_seed(0)
    outputs = torch.randn(300, 3, dtype=torch.float64) @ torch.randn(3, 16, dtype=torch.float64)
    assert directions_of(outputs, 3).error(outputs) < 1e-10


def test_the_rank_follows_from_the_error():
    torch.manual_seed(0)
    outputs = torch.randn(3000, 24) * torch.logspace(0, -3, 24)
    ranks = []
    for error in (0.5, 0.1, 0.02):
        found = principal_directions(outputs, Directions(rank=None, error=error, multiple=1), 99)
        assert found is not None
        assert found.error(outputs) <= error * 1.0001
        ranks.append(found.rank)
    assert ranks[0] < ranks[1] < ranks[2]
    fewer = principal_directions(outputs, Directions(rank=ranks[1] - 1, multiple=1), 99)
    assert fewer is not None
    assert fewer.error(outputs) > 0.1


@pytest.mark.parametrize(
    ("shape", "length", "config"),
    [
        ((500, 8), 100, {"rank": 8}),
        ((500, 8), 4, {"rank": 4}),
        ((5, 8), 100, {"rank": 5}),
        ((500, 8), 100, {"rank": 0.9}),
    ],
)
def test_there_are_no_directions_where_none_can_serve(shape, length, config):
    config = Directions(**{"multiple": 8 if config["rank"] == 0.9 else 1, **config})
    assert principal_directions(torch.randn(shape), config, length) is None


def test_samples_are_spread_over_the_rows():
    rows = torch.arange(1000.0)[:, None]
    sampled = sampled_rows(rows, 64)
    assert 32 < len(sampled) <= 64
    assert sampled[-1] > 900
    assert len(sampled_rows(rows[:10], 64)) == 10


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"rank": 0}, "rank was 0, but must be a positive number"),
        ({"rank": 1.5}, "rank was 1.5, but must be"),
        ({"rank": True}, "rank was True"),
        ({"rank": 64, "samples": 64}, "samples was 64"),
        ({"error": 0.0}, "error"),
        ({"refresh": 0}, "refresh"),
        ({"multiple": 0}, "multiple"),
    ],
)
def test_a_wrong_setting_is_named(fields, named):
    with pytest.raises(ValueError, match=named):
        Directions(**fields)


@pytest.mark.parametrize("rank", [8, 0.25])
def test_a_rank_grows_until_the_error_is_kept(rank):
    torch.manual_seed(0)
    outputs = torch.randn(3000, 32) * torch.logspace(0, -2, 32)
    ranks = []
    for error in (None, 0.9, 0.1, 0.05):
        found = principal_directions(outputs, Directions(rank=rank, error=error, multiple=4), 99)
        assert found is not None
        ranks.append(found.rank)
    assert ranks[:2] == [8, 8]
    assert 8 < ranks[2] < ranks[3] and ranks[2] % 4 == ranks[3] % 4 == 0


def test_without_a_rank_there_must_be_an_error():
    with pytest.raises(ValueError, match="error was None, but must be a number between 0 and 1"):
        Directions(rank=None)
