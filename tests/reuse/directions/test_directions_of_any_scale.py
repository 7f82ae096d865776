"""Are directions right at every scale, never of values that aren't finite, and never sought in vain?"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mercuric
from mercuric import Directions, ReuseConfig
from mercuric.reuse.directions.basis import PrincipalDirections, principal_directions
from mercuric.reuse.directions.weights import fold_, outside, rounding


def drawn(rows: int, filters: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, filters, generator=generator) * torch.logspace(0, -1, filters)


def found(outputs: Tensor, rank: int = 4, error: float | None = None) -> PrincipalDirections:
    directions = principal_directions(outputs, Directions(rank=rank, multiple=1, error=error), 10_000)
    assert directions is not None
    return directions


@settings(max_examples=30, deadline=None)
@given(
    exponent=st.integers(-38, 37),
    rows=st.sampled_from([10, 300]),
    double=st.booleans(),
    seed=st.integers(0, 5),
)
def test_directions_and_their_error_do_not_depend_on_the_scale(
    exponent: int, rows: int, double: bool, seed: int
) -> None:
    plain = drawn(rows, 24, seed).to(torch.float64 if double else torch.float32)
    outputs = plain * 10.0 ** (exponent * (8 if double else 1))
    ours, theirs = found(outputs), found(plain)
    assert ours.error(outputs) == pytest.approx(theirs.error(plain), rel=0.02 if exponent < -36 else 1e-4)
    torch.testing.assert_close(
        ours.basis @ ours.basis.T,
        theirs.basis @ theirs.basis.T,
        rtol=0,
        atol=0.05 if exponent < -36 else 1e-3,
    )
    torch.testing.assert_close(ours.basis.T @ ours.basis, torch.eye(4, dtype=ours.basis.dtype))


@pytest.mark.parametrize("rows", [20, 400])
def test_few_vectors_are_decomposed_by_their_own_products(rows: int) -> None:
    outputs = drawn(rows, 32).double()
    _, energies, right = torch.linalg.svd(outputs, full_matrices=False)
    directions = found(outputs, 5)
    torch.testing.assert_close(directions.basis @ directions.basis.T, right[:5].T @ right[:5])
    left = math.sqrt(float(energies[5:].square().sum() / energies.square().sum()))
    assert directions.error(outputs) == pytest.approx(left, rel=1e-6)
    assert found(outputs, 1, error=0.3).error(outputs) <= 0.3


def test_nothing_is_decomposed_where_no_rank_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Tensor) -> None:
        raise AssertionError

    monkeypatch.setattr(torch.linalg, "eigh", never)
    for shape, length, rank in (((8, 3072), 64, 0.25), ((2048, 64), 16, 16), ((2048, 64), 999, 64)):
        assert principal_directions(torch.randn(shape), Directions(rank=rank), length) is None
    model = nn.Sequential(nn.Linear(64, 512), nn.Conv2d(64, 512, 1))
    handle = mercuric.reuse_(model, ReuseConfig.fast())
    model[0](torch.randn(70, 64)).sum().backward()
    assert handle.report()["computes"][0].startswith("dense: no rank")


def test_what_does_not_converge_is_decomposed_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = drawn(300, 24)
    expected = found(outputs)

    def fails(_: Tensor) -> None:
        raise torch.linalg.LinAlgError("did not converge")

    monkeypatch.setattr(torch.linalg, "eigh", fails)
    torch.testing.assert_close(
        found(outputs).basis @ found(outputs).basis.T, expected.basis @ expected.basis.T, rtol=1e-4, atol=1e-5
    )
    monkeypatch.setattr(torch.linalg, "svd", fails)
    assert principal_directions(outputs, Directions(rank=4, multiple=1), 999) is None


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 0.0])
def test_a_batch_that_is_not_finite_teaches_nothing(wrong: float) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.Flatten(), nn.Linear(32 * 36, 40))
    config = ReuseConfig.fast(8, None).model_copy(update={"keep": "always"})
    handle = mercuric.reuse_(model, config)
    bad = torch.randn(16, 3, 8, 8) if wrong else torch.zeros(16, 3, 8, 8)
    model[0].bias.data.zero_()
    bad[3, 1, 4, 4] = wrong
    model(bad)
    assert not handle.layers["0"].principal.ready and not handle.layers["0"].settled
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(16, 3, 8, 8)).square().mean().backward()
        optimizer.step()
    assert handle.report()["computes"].eq("directions").all()
    mercuric.restore_(model)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_explicit_directions_are_of_finite_vectors() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 40))
    handle = mercuric.reuse_(model, ReuseConfig.fast(8, None))
    rows = torch.randn(400, 30)
    wrong = rows.clone()
    wrong[::7] = math.nan
    mercuric.fit_directions_(model, handle, [wrong, rows])
    assert handle.report()["rank"].tolist() == [16 if handle.config.rank == 16 else 8]
    assert model[0].weight.isfinite().all() and model(rows).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e19])
def test_a_folded_weight_lies_in_the_basis(dtype: torch.dtype, last: bool, scale: float) -> None:
    if dtype == torch.float16 and scale != 1.0:
        pytest.skip("out of float16's range")
    torch.manual_seed(0)
    weight = (torch.randn(40, 16, 3, 3) * scale).to(dtype)
    if last:
        weight = weight.to(memory_format=torch.channels_last)
    basis = torch.linalg.qr(torch.randn(40, 8, dtype=torch.float64))[0]
    basis = basis.to(torch.promote_types(dtype, torch.float32))
    assert outside(weight, basis) > 0.5
    before, strides = weight.clone(), weight.stride()
    fold_(weight, basis)
    assert weight.stride() == strides
    assert outside(weight, basis) <= rounding(weight, basis)
    expected = (basis @ (basis.T @ before.flatten(1).to(basis.dtype))).view(weight.shape)
    torch.testing.assert_close(weight / scale, (expected / scale).to(dtype), rtol=1e-2, atol=1e-2)
