"""Are gradients of maps, of gradients and of one's own functions those of the plain model, or refused?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from plain_twin import Between, Twins, Two, gradients, images
from torch import Tensor, nn

TOO_LATE = r"^the gradient of a feature map \(4, 4, 16, 12\) was asked for after layers had used it"


class Kept(Two):
    """Keeps the map between its convolutions."""

    def forward(self, x: Tensor) -> Any:
        self.map = self.a(x).relu()
        return self.b(self.map)


class Given(Two):
    """Gives that map as well."""

    def forward(self, x: Tensor) -> Any:
        between = self.a(x).relu()
        return self.b(between), between


def test_retained_within_the_pass() -> None:
    class Retained(Two):
        def forward(self, x: Tensor) -> Any:
            self.map = self.a(x).relu()
            self.map.retain_grad()
            return self.b(self.map)

    def asked(model: Any) -> list[Tensor]:
        model.zero_grad()
        model(images()).square().sum().backward()
        return [model.map.grad, *gradients(model)]

    Twins(Retained).agree(asked)


def test_hooks_of_maps_within_the_pass() -> None:
    def hooked(x: Tensor) -> Tensor:
        x.register_hook(lambda gradient: gradient * 3)
        return x

    Twins(lambda: Between(hooked)).step_alike()


def test_gradients_of_outputs() -> None:
    def asked(model: nn.Module) -> list[Tensor]:
        output = model(images())
        output.retain_grad()
        output.square().sum().backward()
        assert output.grad is not None
        return [output.grad, *torch.autograd.grad(model(images()).square().sum(), list(model.parameters()))]

    Twins(Two).agree(asked)


ASKED: dict[str, Callable[[Tensor, Tensor], object]] = {
    "retain_grad": lambda _, between: between.retain_grad(),
    "register_hook": lambda _, between: between.register_hook(lambda gradient: gradient),
    "requires_grad_": lambda _, between: between.requires_grad_(),
    "grad": lambda loss, between: torch.autograd.grad(loss, between),
    "grad of several": lambda loss, between: torch.autograd.grad([loss], [between], allow_unused=True),
    "backward": lambda loss, between: loss.backward(inputs=[between]),
    "autograd.backward": lambda loss, between: torch.autograd.backward(loss, inputs=[between]),
}


@pytest.mark.parametrize("name", ASKED)
def test_gradients_of_kept_maps_are_refused_after_the_pass(name: str) -> None:
    model: Any = Twins(Kept).reused
    loss = model(images()).square().sum()
    with pytest.raises(ValueError, match=TOO_LATE):
        ASKED[name](loss, model.map)


def test_gradients_of_kept_maps_without_reuse() -> None:
    twins = Twins(Kept)
    twins.handle.switch_off()
    twins.agree(lambda model: list(torch.autograd.grad(model(images()).square().sum(), model.map)))


@pytest.mark.parametrize("name", [name for name in ASKED if name != "requires_grad_"])
def test_gradients_of_given_maps_that_layers_used_are_refused(name: str) -> None:
    output, between = Twins(Given).reused(images())
    loss = output.square().sum() + between.pow(3).sum()
    with pytest.raises(ValueError, match=TOO_LATE):
        ASKED[name](loss, between)
        loss.backward()


class GivenPart(Given):
    """Gives some channels of the map, which a layer uses as well."""

    def forward(self, x: Tensor) -> Any:
        between = self.a(x).relu()
        part = between[:, :2]
        return self.b(torch.cat([part, part], 1)), part


@pytest.mark.parametrize("build", [Given, GivenPart])
@pytest.mark.parametrize("alone", [True, False])
def test_gradients_of_parameters_go_by_given_maps(build: Callable[[], nn.Module], alone: bool) -> None:
    def asked(model: nn.Module) -> list[Tensor]:
        output, between = model(images())
        loss = between.pow(3).sum() + (0 if alone else output.square().sum())
        return list(torch.autograd.grad(loss, [model.a.weight, model.a.bias]))

    Twins(build).agree(asked)


def test_maps_written_in_place_are_asked_for_afterwards() -> None:
    class InPlace(Two):
        def forward(self, x: Tensor) -> Any:
            self.map = F.relu(self.a(x), inplace=True)
            self.map.retain_grad()
            last = self.b(self.map)
            return F.relu(last, inplace=True)

    def asked(model: Any) -> list[Tensor]:
        output = model(images())
        output.retain_grad()
        output.square().sum().backward()
        return [model.map.grad, output.grad]

    Twins(InPlace).agree(asked)


def test_given_maps_add_to_the_gradients() -> None:
    def asked(model: nn.Module) -> list[Tensor]:
        model.zero_grad()
        output, between = model(images())
        (output.square().sum() + between.pow(3).sum()).backward()
        return gradients(model)

    Twins(Given).agree(asked)


def test_gradients_of_given_maps_that_no_layer_used() -> None:
    class Last(Two):
        def forward(self, x: Tensor) -> Any:
            between = self.b(self.a(x).relu())
            return between, self.a(x)

    def asked(model: nn.Module) -> list[Tensor]:
        model.zero_grad()
        output, between = model(images())
        between.retain_grad()
        (output.square().sum() + between.pow(3).sum()).backward()
        return [between.grad, *gradients(model)]

    Twins(Last).agree(asked)


class Cubed(torch.autograd.Function):
    """A function of one's own, to be derived twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (x,) = ctx.saved_tensors
        return gradients[0] * 3 * x**2


class OnceOnly(torch.autograd.Function):
    """One that knows neither its input's kind nor second derivatives."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        ctx.mark_dirty(x)
        return x.mul_(factor)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0] * ctx.factor, None


@pytest.mark.parametrize(
    "function", [Cubed.apply, lambda x: OnceOnly.apply(x * 1, 3.0)], ids=["cubed", "in place"]
)
def test_functions_of_ones_own_in_a_model(function: Callable[[Tensor], Tensor]) -> None:
    Twins(lambda: Between(function)).step_alike()


def penalty(model: nn.Module) -> list[Tensor]:
    """Gradients of the gradients' square."""
    model.zero_grad()
    torch.manual_seed(3)
    loss = model(images()).square().mean()
    slopes = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
    total = torch.stack([slope.square().sum() for slope in slopes]).sum()
    total.backward()
    return [total.detach(), *gradients(model)]


PENALISED: dict[str, Callable[[], nn.Module]] = {
    "plain": Two,
    "own function": lambda: Between(Cubed.apply),
    "normalised": lambda: Between(nn.BatchNorm2d(4, 0.1).double()),
    "dropped": lambda: Between(nn.Dropout(0.3)),
    "pooled": lambda: Between(nn.MaxPool2d(2)),
}


@pytest.mark.parametrize("name", PENALISED)
def test_penalties_of_gradients(name: str) -> None:
    Twins(PENALISED[name]).agree(penalty)


def test_gradients_of_the_input() -> None:
    def asked(model: nn.Module) -> list[Tensor]:
        given = images().requires_grad_()
        (slope,) = torch.autograd.grad(model(given).square().mean(), given, create_graph=True)
        slope.norm().backward()
        return [slope.detach(), *gradients(model)]

    twins = Twins(Two)
    twins.agree(asked)
    assert twins.computes[0] == "dense: the input requires a gradient"


def another_storage(x: Tensor) -> Tensor:
    with torch.no_grad():
        return x.set_(torch.ones(4, 4, 16, 12).double())


def storage_of_a_view(x: Tensor) -> Tensor:
    with torch.no_grad():
        x.flatten(1).set_(torch.ones(4, 4 * 16 * 12).double())
    return x


def other_data(x: Tensor) -> Tensor:
    x.data = torch.ones(4, 4, 16, 12).double()
    return x


@pytest.mark.parametrize("function", [another_storage, storage_of_a_view, other_data])
def test_storage_stays(function: Callable[[Tensor], Tensor]) -> None:
    reused = Twins(lambda: Between(function)).reused.requires_grad_(False)
    with pytest.raises(ValueError, match=r"was called on a feature map .* leave the model dense$"):
        reused(images())


OPERATORS: dict[str, Callable[[Tensor], Tensor]] = {
    "written by an operator": lambda x: torch.ops.aten.mul_.Tensor(x, 3),
    "a view written by an operator": lambda x: torch.ops.aten.add_.Scalar(x[:, 1:], 1) + x[:, :1],
    "an operator": lambda x: torch.ops.aten.tanh.default(x) * torch.ops.aten.exp(x),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_called_by_name(name: str) -> None:
    def after(x: Tensor) -> Tensor:
        y = x * 1
        return OPERATORS[name](y).sum(1, keepdim=True) * y

    Twins(lambda: Between(after)).step_alike()
