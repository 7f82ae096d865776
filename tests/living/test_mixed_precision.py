"""Does reuse compute in the precision that the surrounding network asks for?"""

import warnings

import pytest
import torch
from living_subjects import batch, build, config, distance, training_pass
from torch import nn

from mercuric import ReuseConfig, reuse_


def test_autocast(name: str, backward: str) -> None:
    model, plain = build(name), build(name)
    handle = reuse_(model, config(backward))
    full = training_pass(model)
    found = handle.report()["HIT"]
    handle.reset()
    mixed, dense = (
        training_pass(model, autocast=torch.bfloat16),
        training_pass(plain, autocast=torch.bfloat16),
    )
    assert mixed.output.dtype == dense.output.dtype == torch.bfloat16
    assert {gradient.dtype for gradient in mixed.gradients.values()} == {torch.float32}
    assert 0 < distance(mixed, full) < 0.25
    assert abs(handle.report()["HIT"].sum() - found.sum()) < 0.3 * found.sum()


def test_a_model_in_bfloat16(name: str, backward: str) -> None:
    model = build(name)
    reuse_(model, config(backward))
    full = training_pass(model)
    half = training_pass(model.bfloat16(), batch()[0].bfloat16())
    assert half.output.dtype == torch.bfloat16
    assert {gradient.dtype for gradient in half.gradients.values()} == {torch.bfloat16}
    assert 0 < distance(half, full) < 0.25


def test_weights_do_not_change_the_precision_of_what_goes_in() -> None:
    model = nn.Sequential(nn.Linear(4, 3)).bfloat16()
    reuse_(model)
    with torch.autocast("cpu", torch.float16):
        assert model(torch.ones(2, 4)).dtype == torch.float16


@pytest.mark.parametrize("layer", [nn.Conv2d(4, 3, 1), nn.Linear(4, 3)])
def test_values_that_overflowed_going_forward_stay_visible(layer: nn.Module) -> None:
    model = nn.Sequential(layer)
    shape = (3, 4, 1, 1) if isinstance(layer, nn.Conv2d) else (3, 4)
    given = torch.ones(shape)
    given[0] = 7e4
    with torch.autocast("cpu", torch.float16):
        expected = model(given).isfinite()
        handle = reuse_(model)
        assert torch.equal(model(given).isfinite(), expected)
    assert not expected.all()
    assert handle.report()[["HIT", "MNU"]].sum().tolist() == [0 if shape == (3, 4, 1, 1) else 1, 1]


@pytest.mark.parametrize("kind", ["conv", "grouped", "linear"])
def test_a_gradient_scaler_sees_gradients_that_overflowed(backward: str, kind: str) -> None:
    torch.manual_seed(0)
    if kind == "linear":
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8))
        given = torch.randn(6, 4)
    else:
        groups = 2 if kind == "grouped" else 1
        model = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 1, groups=groups))
        given = torch.randn(2, 4, 5, 5)
    handle = reuse_(model, ReuseConfig(backward=backward))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**26, growth_interval=1000)
    before = [value.detach().clone() for value in model.parameters()]
    moved, scales = [], []
    for _ in range(20):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            loss = model(given).float().square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
        moved.append(any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)))
    assert not moved[0]
    assert moved[-1]
    assert scales[0] == 2.0**25
    assert all(value.isfinite().all() for value in model.parameters())
    if backward == "signature":
        counted = handle.report().set_index("layer")["gradient_vectors"]["2"]
        assert counted == 20 * {"linear": 6, "conv": 18, "grouped": 36}[kind]


def test_nothing_warns(name: str, backward: str) -> None:
    model = build(name)
    reuse_(model, config(backward))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training_pass(model)
