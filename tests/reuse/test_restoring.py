"""What may be done to layers while reuse is on, and is nothing of reuse left afterwards?"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from mercuric import ReuseConfig, ReuseConv2d, restore_, reuse_

Register = Callable[[nn.Module], object]


class Double(nn.Module):
    """A parametrization of one's own."""

    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight / 2


class Rows(nn.Module):
    """Attention with an attribute that has the name of ours."""

    def __init__(self, given: object = False) -> None:
        super().__init__()
        self.reuse = given

    def forward(self, x: Tensor) -> Tensor:
        output = F.scaled_dot_product_attention(x, x, x)
        return 100 * output if self.reuse is True else output


class Overlay(Rows):
    """Attention whose class has a method of that name."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def reuse(self) -> int:
        return 7

    def forward(self, x: Tensor) -> Tensor:
        return self.reuse() * F.scaled_dot_product_attention(x, x, x)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))


def images() -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


PARAMETRIZED: dict[str, Register] = {
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "own": lambda layer: parametrize.register_parametrization(layer, "weight", Double()),
    "bias": lambda layer: parametrize.register_parametrization(layer, "bias", Double()),
}
HOOKED: dict[str, Register] = {
    "weight_norm": weight_norm,
    "spectral_norm": spectral_norm,
    "prune": lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
}


@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize("kind", PARAMETRIZED)
def test_parametrizations_stay(kind: str, place: int) -> None:
    model, plain = network(), network()
    reuse_(model, ReuseConfig(bits=128))
    for one in (model, plain):
        torch.manual_seed(2)
        PARAMETRIZED[kind](one[place])
        one.eval()
    torch.testing.assert_close(model(images()), plain(images()), rtol=1e-4, atol=1e-5)
    restore_(model)
    assert torch.equal(model(images()), plain(images()))
    layer = model[place]
    assert type(layer).__name__ == type(plain[place]).__name__
    assert type(layer).__mro__[1:] == type(plain[place]).__mro__[1:]
    name = "bias" if kind == "bias" else "weight"
    parametrize.remove_parametrizations(layer, name)
    assert type(layer) is type(network()[place])


def test_a_parametrization_that_is_removed_while_reuse_is_on() -> None:
    model = network()
    reuse_(model)
    parametrizations.weight_norm(model[0])
    parametrize.remove_parametrizations(model[0], "weight")
    assert type(model[0]) is ReuseConv2d
    restore_(model)
    assert type(model[0]) is nn.Conv2d


def test_a_layer_that_is_parametrized_before_stays_dense_and_is_named() -> None:
    model = network()
    parametrizations.weight_norm(model[0])
    handle = reuse_(model)
    assert list(handle.layers) == ["3"]
    assert handle.coverage.dense == {"0": "its weight is parametrized"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("kind", HOOKED)
def test_weights_that_hooks_derive_train_alike(kind: str, early: bool) -> None:
    model, plain = network(), network()
    for one in (model, plain):
        if one is model and not early:
            reuse_(model, ReuseConfig(bits=128))
        torch.manual_seed(2)
        HOOKED[kind](one[0])
        if one is model and early:
            reuse_(model, ReuseConfig(bits=128))
        optimizer = torch.optim.SGD(one.parameters(), 1e-3)
        for _ in range(3):
            optimizer.zero_grad()
            one(images()).square().sum().backward()
            optimizer.step()
    restore_(model)
    torch.testing.assert_close(model(images()), plain(images()), rtol=1e-4, atol=1e-5)


def test_spectral_norm_is_estimated_once_a_pass() -> None:
    """The pass that measures the error computes the dense output as well."""
    model, plain = network(), network()
    reuse_(model)
    for one in (model, plain):
        torch.manual_seed(2)
        parametrizations.spectral_norm(one[0])
        one(images())
    state = plain.state_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_hooks_come_and_go() -> None:
    model, calls = network(), []
    reuse_(model)
    layer = model[0]
    hooks = [
        layer.register_forward_pre_hook(lambda *_: calls.append("before")),
        layer.register_forward_hook(lambda *_: calls.append("after")),
        layer.register_full_backward_hook(lambda *_: calls.append("gradient")),
    ]
    model(images().requires_grad_()).sum().backward()
    restore_(model)
    model(images().requires_grad_()).sum().backward()
    assert calls == 2 * ["before", "after", "gradient"]
    for hook in hooks:
        hook.remove()
    model(images()).sum().backward()
    assert len(calls) == 6


@pytest.mark.parametrize("ran", [False, True])
@pytest.mark.parametrize("form", ["wrapped layers", "compiled layers", "wrapped model", "compiled model"])
def test_compiled_layers_reuse(form: str, ran: bool) -> None:
    torch.compiler.reset()
    model, plain = network(), network()
    called: nn.Module = model
    if form == "wrapped layers":
        for place in (0, 3):
            model[place] = torch.compile(model[place], backend="eager")
    elif form == "compiled layers":
        for place in (0, 3):
            model[place].compile(backend="eager")
    elif form == "wrapped model":
        called = torch.compile(model, backend="eager")  # type: ignore[assignment]
    else:
        model.compile(backend="eager")
    if ran:
        called(images())
    handle = reuse_(called, ReuseConfig(bits=4))
    for _ in range(2):
        reused = called(images())
    assert handle.report()["vectors"].gt(0).all()
    assert not torch.allclose(reused, plain(images()))
    assert handle.report().attrs["covered"] == 1
    restore_(called)
    torch.testing.assert_close(called(images()), plain(images()))
    assert not any(type(module).__name__.startswith("Reuse") for module in called.modules())


def test_layers_that_are_compiled_while_reuse_is_on() -> None:
    torch.compiler.reset()
    model, plain = network(), network()
    handle = reuse_(model, ReuseConfig(bits=4))
    model[0].compile(backend="eager")
    model[3] = torch.compile(model[3], backend="eager")
    model(images())
    assert handle.report()["vectors"].gt(0).all()
    restore_(model)
    torch.testing.assert_close(model(images()), plain(images()))


def encoder() -> nn.Module:
    torch.manual_seed(0)
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 16, 0.0, batch_first=True), 1)


CASES = {
    "default": (network, images, "default", None),
    "paper": (network, images, "paper", None),
    "fast": (network, images, "fast", None),
    "milliseconds": (network, images, "default", "milliseconds"),
    "encoder": (encoder, lambda: torch.randn(2, 5, 16), "default", None),
    "attention": (lambda: nn.Sequential(Rows()), lambda: torch.randn(2, 4, 5, 8), "default", None),
}


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_nothing_of_reuse_is_left(case: str, trained: bool) -> None:
    build, inputs, config, cost = CASES[case]
    model = build()
    before = {name: sorted(module.__dict__) for name, module in model.named_modules()}
    kinds = [type(module) for module in model.modules()]
    handle = reuse_(model, config, cost=cost)
    if trained:
        model(inputs().requires_grad_()).sum().backward()
        handle.step(1.0)
    restore_(model)
    handle.step(1.0)
    handle.measure_error()
    assert [type(module) for module in model.modules()] == kinds
    assert {name: sorted(module.__dict__) for name, module in model.named_modules()} == before
    for module in model.modules():
        assert not any(hooks for name, hooks in module.__dict__.items() if name.endswith("hooks"))


def test_a_restored_model_is_scripted_and_loads_without_us(tmp_path: Path) -> None:
    model = network()
    handle = reuse_(model, "fast")
    model(images()).sum().backward()
    handle.step(1.0)
    restore_(model)
    assert torch.equal(torch.jit.script(model)(images()), model(images()))
    torch.save(model, tmp_path / "model.pt")
    program = (
        "import sys; sys.modules['mercuric'] = None\n"
        "import torch; print(torch.load(sys.argv[1], weights_only=False)(torch.zeros(1, 3, 8, 8)).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "model.pt"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "torch.Size([1, 4])"


@pytest.mark.parametrize(
    "make", [lambda: False, lambda: True, lambda: nn.Parameter(torch.ones(2)), lambda: nn.ReLU()]
)
def test_an_attribute_named_reuse_stays(make: Callable[[], object]) -> None:
    given, other = make(), make()
    model, x = nn.Sequential(Rows(given), nn.Conv2d(4, 4, 1)), torch.randn(2, 4, 5, 8)
    model[1].reuse = other
    before = model(x)
    handle = reuse_(model, ReuseConfig(bits=128))
    assert model[0].reuse is given and model[1].reuse is other
    torch.testing.assert_close(model(x), before)
    assert handle.report().set_index("layer")["vectors"].loc[["0", "1"]].gt(0).all()
    restore_(model)
    assert model[0].reuse is given and model[1].reuse is other
    assert torch.equal(model(x), before)


def test_a_method_named_reuse_stays() -> None:
    model, x = nn.Sequential(Overlay()), torch.randn(2, 4, 5, 8)
    before = model(x)
    reuse_(model, ReuseConfig(bits=128))
    torch.testing.assert_close(model(x), before)


def test_the_replaced_objects_come_back() -> None:
    """Another model that holds the same layers stays dense meanwhile."""
    model = network()
    held = list(model)
    other = nn.Sequential(*held)
    dense = other(images())
    handle = reuse_(model, ReuseConfig(bits=4))
    assert not torch.equal(model(images()), dense)
    assert torch.equal(other(images()), dense)
    assert handle.layers["0"].counts.vectors > 0
    restore_(model)
    assert held == list(model)
