"""Are gradients of gradients those of what was computed: the dense layer's, where nothing is alike?"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.parametrizations import spectral_norm

from mercuric import ReuseConfig, reuse_
from mercuric.reuse.alike.kernels.patch_product import patch_product
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.windows import image_windows
from mercuric.similarity.first_come import first_come
from mercuric.similarity.window_grid import WindowGrid

# As many bits as there are: nothing is alike, so the dense layer is the definition.
FORMS = {
    "default": ReuseConfig(bits=128, magnitude=8),
    "paper": ReuseConfig(bits=128, magnitude=8, backward="signature"),
    "patches": ReuseConfig(bits=128, magnitude=8, granularity="patch", entries=None),
    "separable": ReuseConfig(
        bits=128, granularity="patch", magnitude=None, entries=None, projection="separable"
    ),
}  # fmt: skip
GRID = WindowGrid.of(2, (4, 5), (2, 3), (1, 2), (2, 1), (1, 1, 1, 0))


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def tracked(*shapes: tuple[int, ...]) -> list[Tensor]:
    return [noise(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(shapes)]


@pytest.mark.parametrize("groups", [1, 2])
def test_the_general_product(groups: int) -> None:
    padded, weight, bias = tracked((2, 2, 5, 4), (1, 3, 8), (3,))
    windows = image_windows(padded, (2, 2), (1, 1), (1, 1))
    count = len(windows.starts)
    source = torch.arange(count).repeat(groups, 1)
    source[:, 5:9], source[-1, 12:] = 2, 11
    operands = (padded, weight, bias)
    assert gradcheck(lambda *values: reuse_product(*values, source, windows), operands)
    assert gradgradcheck(lambda *values: reuse_product(*values, source, windows), operands)
    assert gradgradcheck(lambda x, w: reuse_product(x, w, None, source, windows), operands[:2])


def test_the_product_of_patches() -> None:
    images, weight, bias = tracked((2, 2, 4, 5), (3, 2, 2, 3), (3,))
    kinds = torch.randint(0, 9, (GRID.windows, 1), generator=torch.Generator().manual_seed(0))
    alike = first_come(kinds, 1)
    assert gradcheck(lambda *values: patch_product(*values, alike, GRID), (images, weight, bias))
    assert gradgradcheck(lambda *values: patch_product(*values, alike, GRID), (images, weight, bias))


def critic(last: Callable[[], nn.Module]) -> nn.Sequential:
    torch.manual_seed(0)
    first = spectral_norm(nn.Conv2d(3, 8, 3))
    model = nn.Sequential(first, nn.Softplus(), last()).double()
    model(noise(2, 3, 6, 6))
    return model.eval()


LASTS: dict[str, Callable[[], nn.Module]] = {
    "fully connected": lambda: nn.Sequential(nn.Flatten(), nn.Linear(128, 1)),
    "convolution": lambda: nn.Conv2d(8, 2, 3, padding=1),
    "strided": lambda: nn.Conv2d(8, 4, 2, stride=2, groups=2),
    "two": lambda: nn.Sequential(nn.Conv2d(8, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 2, 3, padding=1)),
    "pixels": lambda: nn.Conv2d(8, 2, 1, bias=False),
}


@pytest.mark.parametrize("last", LASTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_gradient_penalty(form: str, last: str) -> None:
    """WGAN-GP's, where the gradient with respect to the input is no leaf's and needs none itself."""

    def penalty(model: nn.Module, parameters: bool) -> list[Tensor]:
        at = noise(2, 3, 6, 6, seed=1).requires_grad_()
        scores = model(at)
        (slope,) = torch.autograd.grad(scores, at, torch.ones_like(scores), create_graph=True)
        loss = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        wanted = list(model[2].parameters()) if parameters else [at]
        return list(torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True))

    dense = critic(LASTS[last])
    reused = copy.deepcopy(dense)
    handle = reuse_(reused, FORMS[form])
    for parameters in (True, False):
        found, expected = penalty(reused, parameters), penalty(dense, parameters)
        assert any(gradient.norm() > 1e-3 for gradient in expected) or not parameters
        torch.testing.assert_close(found, expected)
    assert sum(state.counts.hit for state in handle.layers.values()) == 0


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 3, 3, stride=2), nn.Softplus(),
        nn.Flatten(), nn.Linear(12, 2),
    ).double()  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_hessians_and_their_products(form: str) -> None:
    dense, reused = network(), network()
    reuse_(reused, FORMS[form])
    at, direction = noise(1, 2, 5, 5), noise(1, 2, 5, 5, seed=1)

    def results(model: nn.Module) -> list[Tensor]:
        def loss(values: Tensor) -> Tensor:
            scores: Tensor = model(values)
            return scores.square().sum() + scores.sin().sum()

        return [
            torch.autograd.functional.hessian(loss, at),
            torch.autograd.functional.hvp(loss, at, direction)[1],
            torch.autograd.functional.vhp(loss, at, direction)[1],
            torch.autograd.functional.jvp(model, at, direction)[1],
            torch.autograd.functional.jacobian(model, at),
        ]

    torch.testing.assert_close(results(reused), results(dense))


@pytest.mark.parametrize("form", FORMS)
def test_learning_to_learn(form: str) -> None:
    """An update's own gradient: weights of one layer move through the inputs of the next."""

    def after_a_step(model: nn.Module) -> list[Tensor]:
        parameters = dict(model.named_parameters())
        inner = model(noise(3, 2, 5, 5)).square().sum()
        slopes = torch.autograd.grad(inner, list(parameters.values()), create_graph=True)
        moved = {
            name: value - 0.1 * slope for (name, value), slope in zip(parameters.items(), slopes, strict=True)
        }
        outer = torch.func.functional_call(model, moved, (noise(3, 2, 5, 5, seed=2),)).square().sum()
        return list(torch.autograd.grad(outer, list(parameters.values())))

    dense, reused = network(), network()
    reuse_(reused, FORMS[form])
    torch.testing.assert_close(after_a_step(reused), after_a_step(dense))


@pytest.mark.parametrize("form", ["default", "patches", "separable"])
def test_where_vectors_are_alike_it_is_the_derivative_of_what_was_computed(form: str) -> None:
    torch.manual_seed(0)
    config: dict[str, Any] = {"bits": 3, "magnitude": None}
    model = nn.Sequential(nn.Conv2d(2, 3, 2)).double()
    handle = reuse_(model, FORMS[form].model_copy(update=config))
    inputs = noise(1, 2, 4, 4).requires_grad_()
    assert gradcheck(model, inputs, eps=1e-7)
    assert gradgradcheck(model, inputs, eps=1e-7)
    assert handle.layers["0"].counts.hit > 0


def test_third_derivatives() -> None:
    dense, reused = network(), network()
    reuse_(reused, FORMS["paper"])
    thirds = []
    for model in (dense, reused):
        at = noise(1, 2, 5, 5).requires_grad_()
        value = model(at).pow(3).sum()
        for _ in range(3):
            (slope,) = torch.autograd.grad(value, at, create_graph=True)
            value = slope.square().sum()
        thirds.append(value.detach())
    torch.testing.assert_close(thirds[1], thirds[0])
