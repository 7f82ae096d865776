"""Do ``torch.func``'s transforms work on reuse layers, or does one sentence name the layer?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as forward_mode
from torch import Tensor, nn
from torch.func import functional_call, grad, grad_and_value, jacfwd, jacrev, jvp, vjp, vmap

from mercuric import ReuseConfig, reuse_
from mercuric.reuse import Observation

FORMS = {
    "default": ReuseConfig(bits=5),
    "paper": ReuseConfig(bits=5, magnitude=None, backward="signature"),
    "patches": ReuseConfig(bits=5, granularity="patch", entries=None),
    "separable": ReuseConfig(
        bits=5, granularity="patch", magnitude=None, entries=None, projection="separable"
    ),
}  # fmt: skip


class Network(nn.Module):
    """A convolution, attention and a fully connected layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.heads = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 2)

    def forward(self, images: Tensor) -> Tensor:
        words = self.conv(images).relu().flatten(2).transpose(1, 2)
        output: Tensor = self.last(self.heads(words, words, words, need_weights=False)[0])
        return output


@pytest.fixture(params=FORMS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    model = Network()
    reuse_(model, FORMS[request.param])
    return model


IMAGES = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
Parameters = dict[str, Tensor]


def loss_of(model: nn.Module) -> Callable[[Parameters], Tensor]:
    return lambda values: functional_call(model, values, (IMAGES,)).square().sum()


def gradients(model: nn.Module) -> Parameters:
    model.zero_grad()
    model(IMAGES).square().sum().backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def test_grad_of_a_functional_call_is_backwards(model: nn.Module) -> None:
    expected = gradients(model)
    parameters = dict(model.named_parameters())
    torch.testing.assert_close(grad(loss_of(model))(parameters), expected)
    found, loss = grad_and_value(loss_of(model))(parameters)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(loss, model(IMAGES).square().sum())
    # Nothing of the transforms stays behind.
    torch.testing.assert_close(gradients(model), expected)


def test_counts_observers_and_errors_are_those_of_a_plain_pass(model: nn.Module) -> None:
    torch.manual_seed(0)
    plain = Network()
    handle = reuse_(plain, model.conv.reuse.config)
    seen: list[Observation] = []
    model.conv.reuse.observers.append(seen.append)
    gradients(plain)
    grad(loss_of(model))(dict(model.named_parameters()))
    for state in handle.layers.values():
        other = model.get_submodule(state.name.removesuffix(".in_proj").removesuffix(".out_proj"))
        if hasattr(other, "reuse") and other.reuse.name == state.name:
            assert (other.reuse.counts, other.reuse.gradient_counts) == (state.counts, state.gradient_counts)
            assert other.reuse.error == pytest.approx(state.error, rel=1e-5)
    assert seen
    assert all(one.hitmap.states.numpy().size for one in seen if one.hitmap is not None)


def test_vjp_and_the_gradient_of_the_input(model: nn.Module) -> None:
    leaf = IMAGES.clone().requires_grad_()
    output = model(leaf)
    direction = torch.ones_like(output)
    (expected,) = torch.autograd.grad(output, leaf, direction)
    found, pull = vjp(model, IMAGES)
    torch.testing.assert_close(found, output.detach())
    torch.testing.assert_close(pull(direction)[0], expected)
    torch.testing.assert_close(grad(lambda x: model(x).sum())(IMAGES), expected)


def test_grad_of_grad_is_the_second_derivative() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 2, 2)).double()
    at = torch.randn(1, 2, 4, 4, dtype=torch.float64)

    def slope(x: Tensor) -> Tensor:
        return grad(lambda y: model(y).pow(3).sum())(x).square().sum()

    expected = grad(slope)(at)
    for config in FORMS.values():
        reused = nn.Sequential(*model)
        reuse_(reused, config.model_copy(update={"bits": 128}))
        torch.testing.assert_close(grad(slope)(at), expected)


REFUSED: dict[str, Callable[[nn.Module], Any]] = {
    "vmap": lambda model: vmap(lambda image: model(image[None]))(IMAGES),
    "jvp": lambda model: jvp(model, (IMAGES,), (IMAGES,)),
    "jacfwd": lambda model: jacfwd(model)(IMAGES),
    "per-sample gradients": lambda model: vmap(
        grad(lambda values, image: functional_call(model, values, (image[None],)).sum()), (None, 0)
    )(dict(model.named_parameters()), IMAGES),
    "ensembles": lambda model: vmap(lambda values: functional_call(model, values, (IMAGES,)))(
        {name: torch.stack([value, value]) for name, value in model.named_parameters()}
    ),
}


@pytest.mark.parametrize("transform", REFUSED)
def test_other_transforms_are_refused_by_name(model: nn.Module, transform: str) -> None:
    with pytest.raises(NotImplementedError, match=r"^layer 'conv' was called under torch\.func\.[jv]"):
        REFUSED[transform](model)


@pytest.mark.parametrize("form", FORMS)
def test_with_reuse_off_they_work(form: str) -> None:
    torch.manual_seed(0)
    dense = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))
    reused = nn.Sequential(*dense)
    handle = reuse_(reused, FORMS[form])
    for call in REFUSED.values():
        expected = call(dense)
        with handle.off():
            torch.testing.assert_close(call(reused), expected)


def test_jacobians_in_reverse_are_refused_in_one_sentence(model: nn.Module) -> None:
    for call in (
        lambda: jacrev(model)(IMAGES),
        lambda: torch.autograd.functional.jacobian(model, IMAGES, vectorize=True),
    ):
        with pytest.raises(NotImplementedError, match=r"^a?.*layer.* was called under torch\.func\.vmap"):
            call()


def test_forward_mode_is_refused_by_name(model: nn.Module) -> None:
    with forward_mode.dual_level():
        dual = forward_mode.make_dual(IMAGES, IMAGES)
        with pytest.raises(NotImplementedError, match=r"^layer 'conv' was called under torch\.func\.jvp"):
            model(dual)
        model(IMAGES)


def test_a_module_that_attends_refuses_by_its_name() -> None:
    class Own(nn.Module):
        def forward(self, words: Tensor) -> Tensor:
            return nn.functional.scaled_dot_product_attention(words, words, words)

    model = nn.ModuleDict({"own": Own()})
    reuse_(model)
    words = torch.randn(3, 2, 5, 4)
    expected = grad(lambda x: Own()(x).square().sum())(words[0])
    torch.testing.assert_close(grad(lambda x: model["own"](x).square().sum())(words[0]), expected)
    with pytest.raises(NotImplementedError, match=r"^layer 'own' was called under"):
        vmap(model["own"])(words)


RECORDERS: dict[str, Callable[[nn.Module], Any]] = {
    "jit.trace": lambda model: torch.jit.trace(model, (IMAGES,), check_trace=False),
    "export": lambda model: torch.export.export(model, (IMAGES,), strict=False).module(),
}


@pytest.mark.parametrize("recorder", RECORDERS)
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_recorded_graphs_are_refused_by_name_and_hold_dense_layers(recorder: str) -> None:
    for form in FORMS.values():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2)).eval()
        expected = model(IMAGES)
        handle = reuse_(model, form)
        with pytest.raises(NotImplementedError, match=r"^layer '0' was called under torch\.jit\.trace"):
            RECORDERS[recorder](model)
        with handle.off():
            torch.testing.assert_close(RECORDERS[recorder](model)(IMAGES), expected)
