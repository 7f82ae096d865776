"""Do signals and transposed convolutions compute in directions, with weights that lie in them?"""

import io

import pytest
import torch
from kinds_subjects import SUBJECTS, built
from torch import Tensor, nn

import mercuric
from mercuric import Directions

ACCURATE = {"rank": 4, "multiple": 1}
NAMES = list(SUBJECTS)


def filters(layer: nn.Module) -> Tensor:
    """The weight of a layer as rows of filters."""
    kind, weight = layer._mercuric_kind, layer.weight.detach()
    return (kind.filters(layer, weight) if hasattr(kind, "filters") else weight).flatten(1)


def train(model: nn.Module, x: Tensor, optimizer: torch.optim.Optimizer, steps: int = 3) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def in_directions(handle: mercuric.ReuseHandle) -> list[str]:
    report = handle.report()
    return report["layer"][report["computes"] == "directions"].tolist()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", NAMES)
def test_weights_lie_in_directions_after_every_step(
    name: str, optimizer: str, layout: torch.memory_format
) -> None:
    model, x = built(name)
    if name != "audio":
        model = model.to(memory_format=layout)
    handle = mercuric.reuse_(model, Directions(**ACCURATE))
    steps = (
        torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
        if optimizer == "sgd"
        else torch.optim.Adam(model.parameters(), 0.01)
    )
    for _ in range(3):
        train(model, x, steps, 1)
        thin = in_directions(handle)
        for layer in thin:
            assert torch.linalg.matrix_rank(filters(model.get_submodule(layer)), rtol=1e-4) <= 4
    assert set(thin) >= {"generator": {"3"}, "audio": {"3"}, "unet": {"down", "up"}}[name]
    model.eval()
    found = model(x)
    with handle.off():
        torch.testing.assert_close(model(x), found, rtol=1e-3, atol=1e-4)
    plain = built(name)[0].eval()
    plain.load_state_dict(mercuric.plain_state_dict(model))
    torch.testing.assert_close(plain(x), found, rtol=1e-3, atol=1e-4)
    mercuric.restore_(model)
    torch.testing.assert_close(model(x), found, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_are_those_of_the_weights(name: str) -> None:
    model, x = built(name)
    model, x = model.double(), x.double()
    handle = mercuric.reuse_(model, Directions(**ACCURATE))
    train(model, x, torch.optim.SGD(model.parameters(), 0.05))
    model.eval()
    wanted = [x.requires_grad_(), *(one for key, one in model.named_parameters() if "bias" in key)]
    found = torch.autograd.grad(model(x).square().sum(), wanted)
    with handle.off():
        expected = torch.autograd.grad(model(x).square().sum(), wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_training_goes_on(name: str) -> None:
    model, x = built(name)
    handle = mercuric.reuse_(model, Directions(**ACCURATE))
    train(model, x, torch.optim.SGD(model.parameters(), 0.05))
    file = io.BytesIO()
    torch.save((model.state_dict(), handle.state_dict()), file)
    file.seek(0)
    weights, state = torch.load(file)
    other, _ = built(name)
    again = mercuric.reuse_(other, Directions(**ACCURATE))
    other.load_state_dict(weights)
    again.load_state_dict(state)
    assert in_directions(again) == in_directions(handle)
    assert torch.equal(other.eval()(x), model.eval()(x))


@pytest.mark.parametrize("name", NAMES)
def test_directions_are_fitted_without_training(name: str) -> None:
    model, x = built(name)
    model.eval()
    handle = mercuric.reuse_(model, Directions(**ACCURATE))
    mercuric.fit_directions_(model, handle, [x, x])
    thin = in_directions(handle)
    assert thin
    for layer in thin:
        assert torch.linalg.matrix_rank(filters(model.get_submodule(layer)), rtol=1e-4) <= 4
    found = model(x)
    mercuric.restore_(model)
    torch.testing.assert_close(model(x), found, rtol=1e-3, atol=1e-4)


def test_ranks_of_signals_are_fitted() -> None:
    model, x = built("audio")
    model.eval()
    expected = model(x)
    handle = mercuric.reuse_(model, Directions(multiple=1))
    table = mercuric.fit_ranks_(model, handle, [x, x], 0.2)
    assert table.set_index("layer").loc["3", "rank"] > 0
    assert (model(x) - expected).abs().mean() <= 0.2 * expected.abs().mean()


def test_ranks_of_sums_are_not_fitted_and_say_why() -> None:
    model, x = built("unet")
    model.eval()
    before = model.up.weight.clone()
    handle = mercuric.reuse_(model, Directions(multiple=1))
    table = mercuric.fit_ranks_(model, handle, [x, x], 0.2)
    assert "up" not in table["layer"].tolist() and torch.equal(model.up.weight, before)
    assert not handle.report().set_index("layer").loc["up", "rank"]
    assert handle.report().set_index("layer").loc["up", "computes"] == (
        "dense: ranks are fitted to outputs, and its outputs are sums of several"
    )
    train(model.train(), x, torch.optim.SGD(model.parameters(), 0.01))
    assert handle.report().set_index("layer").loc["up", "rank"] == 0


def test_residuals_of_similar_vectors() -> None:
    for name in NAMES:
        model, x = built(name)
        handle = mercuric.reuse_(model, Directions(**ACCURATE, residual_bits=12))
        train(model, x, torch.optim.SGD(model.parameters(), 0.05))
        assert in_directions(handle) and model(x).isfinite().all()
