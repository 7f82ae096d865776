"""Do networks of signals and transposed convolutions reuse in every form that a convolution has?"""

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from kinds_subjects import SUBJECTS, built
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mercuric
from mercuric import Alike
from mercuric.reuse import Observation

FORMS: dict[str, dict[str, Any]] = {
    "channel": {"granularity": "channel"},
    "patch": {"granularity": "patch"},
    "batch": {"scope": "batch", "granularity": "patch"},
    "signature": {"backward": "signature", "granularity": "patch"},
    "no cache": {"entries": None, "granularity": "patch"},
    "separable": {"projection": "separable", "granularity": "patch", "entries": None, "magnitude": None},
}


def gradients(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Output and gradients."""
    tracked = x.clone().requires_grad_()
    output = model(tracked)
    return [output, *torch.autograd.grad(output.square().mean(), [tracked, *model.parameters()])]


# Behind a ReLU windows of one channel are parallel and windows of zeros equal, whose gradients differ.
@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"channel", "signature"}))
@pytest.mark.parametrize("name", SUBJECTS)
def test_nothing_alike_is_dense(name: str, form: str) -> None:
    model, x = built(name)
    model, x = model.double(), x.double()
    expected = gradients(copy.deepcopy(model), x)
    mercuric.reuse_(model, Alike(**{"bits": 128, "adaptation": None, **FORMS[form]}))
    found = gradients(model, x)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SUBJECTS)
def test_few_bits_share_much_and_restore_leaves_nothing(name: str, form: str) -> None:
    model, x = built(name)
    model.eval()
    expected = model(x)
    handle = mercuric.reuse_(model, Alike(**{"bits": 2, "magnitude": None, **FORMS[form]}))
    model(x).sum().backward()
    report = handle.report().set_index("layer")
    # The generator's first layer reads one pixel.
    shared = report.drop(index="0") if name == "generator" else report
    assert (shared["HIT"] > 0).all() and (shared["error"] > 0).all()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    with handle.off():
        assert torch.equal(model(x), expected)
    mercuric.restore_(model)
    assert torch.equal(model(x), expected)
    assert not any("Reuse" in type(module).__name__ for module in model.modules())


@pytest.mark.parametrize("name", SUBJECTS)
def test_all_products_are_counted_as_pytorch_counts_them(name: str) -> None:
    model, x = built(name)
    with FlopCounterMode(display=False) as counter:
        model(x)
    handle = mercuric.reuse_(model, Alike())
    model(x)
    assert not handle.coverage.others and not handle.coverage.dense
    assert 2 * handle.coverage.reused.total() == counter.get_total_flops()


def test_channels_of_a_number() -> None:
    seen: list[Observation] = []
    model = nn.ModuleDict({"signal": nn.Conv1d(4, 6, 3), "up": nn.ConvTranspose2d(4, 6, 3)})
    handle = mercuric.reuse_(model, Alike(granularity=2))
    handle.observe(seen.append)
    model["signal"](torch.randn(2, 4, 9))
    model["up"](torch.randn(2, 4, 5, 3))
    signal, pixel = (one.shape for one in seen)
    assert (signal.scopes, signal.vectors, signal.length, signal.filters) == (4, 7, 6, 6)
    assert (pixel.scopes, pixel.vectors, pixel.length, pixel.filters) == (2, 15, 4, 54)


def test_a_signals_hitmap_goes_back_to_the_layer_before() -> None:
    for shape in ((2, 3, 12), (3, 12)):
        model = nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv1d(4, 3, 3, padding=1))
        seen: list[Observation] = []
        mercuric.reuse_(model, Alike(bits=8, backward="signature")).observe(seen.append)
        model(torch.randn(shape).requires_grad_()).square().sum().backward()
        told = {one.layer: one.bits for one in seen if one.product == "input_gradient"}
        assert told == {"2": 8, "0": 0}


@pytest.mark.parametrize("name", SUBJECTS)
def test_copies(name: str) -> None:
    model, x = built(name)
    model.eval()
    mercuric.reuse_(model, Alike(bits=4))
    expected = model(x)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    for other in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - made here
        torch.load(file, weights_only=False),
    ):
        assert torch.equal(other(x), expected)
    torch.testing.assert_close(torch.compile(model, backend="eager")(x), expected)


@pytest.mark.parametrize("name", SUBJECTS)
def test_layers_are_timed(name: str) -> None:
    model, x = built(name)
    handle = mercuric.reuse_(model, Alike(keep="faster", adaptation=None), cost="milliseconds")
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(2):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        handle.step(loss.item())
    assert any(state.milliseconds is not None for state in handle.layers.values())
