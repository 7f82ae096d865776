"""Does a model with exact reuse take and give what the plain model does, in whatever form?"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

from mercuric import Equal, reuse_

IMAGES = torch.randint(0, 3, (4, 3, 8, 6), generator=torch.Generator().manual_seed(0)).double() / 2
Forward = Callable[[Any, Any], Any]


@dataclass
class Output:
    logits: Any
    features: Any = None


class Network(nn.Module):
    def __init__(self, forward: Forward) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, padding=1)
        self._forward = forward
        self.double()

    def body(self, images: Tensor) -> Tensor:
        output: Tensor = self.last(self.first(images).relu())
        return output

    def forward(self, images: Any) -> Any:
        return self._forward(self, images)


def pair(plain: nn.Module) -> tuple[nn.Module, nn.Module, Any]:
    reused = copy.deepcopy(plain)
    return reused, plain, reuse_(reused, Equal(most=1.0))


def train_alike(plain: nn.Module) -> set[str]:
    """Outputs and gradients of both; how the layers computed."""
    reused, plain, handle = pair(plain)
    outputs = [model(IMAGES) for model in (reused, plain)]
    torch.testing.assert_close(*outputs, rtol=1e-12, atol=1e-12)
    for output in outputs:
        output.square().sum().backward()
    for one, other in zip(reused.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-11, atol=1e-11)
    return {state.computes for state in handle.layers.values()}


def normalised_in_place(model: Network, images: Tensor) -> Tensor:
    return model.body(images.sub_(0.5).div_(2))


def written_by_views(model: Network, images: Tensor) -> Tensor:
    images[:, 0] = 1
    images.view(len(images), -1).mul_(2)
    return model.body(images)


@pytest.mark.parametrize("forward", [normalised_in_place, written_by_views])
def test_the_callers_images_change_as_they_do_densely(forward: Forward) -> None:
    reused, plain, _ = pair(Network(forward))
    given = [IMAGES.clone() for _ in range(2)]
    torch.testing.assert_close(reused(given[0]), plain(given[1]))
    assert torch.equal(*given)
    assert not torch.equal(given[0], IMAGES)


def test_outputs_are_plain_tensors() -> None:
    network = Network(lambda model, images: Output(model.body(images), [{"a": (images * 2,)}]))
    reused, plain, handle = pair(network)
    found, expected = reused(IMAGES), plain(IMAGES)
    assert {state.computes for state in handle.layers.values()} == {"classes"}
    for one, other in (
        (found.logits, expected.logits),
        (found.features[0]["a"][0], expected.features[0]["a"][0]),
    ):
        assert type(one) is Tensor
        torch.testing.assert_close(one, other)


TRANSFORMS: dict[str, Callable[[nn.Module], Any]] = {
    "grad": lambda model: grad(lambda values: functional_call(model, values, (IMAGES,)).square().sum())(
        dict(model.named_parameters())
    ),
    "vmap": lambda model: vmap(lambda image: model(image[None]))(IMAGES),
    "jvp": lambda model: jvp(model, (IMAGES,), (IMAGES,)),
    "tangents of parameters": lambda model: jvp(
        lambda values: functional_call(model, values, (IMAGES,)), *[(dict(model.named_parameters()),)] * 2
    ),
    "ensembles": lambda model: vmap(lambda values: functional_call(model, values, (IMAGES,)))(
        {name: torch.stack([value, value]) for name, value in model.named_parameters()}
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_find_dense_layers(name: str) -> None:
    reused, plain, handle = pair(Network(Network.body))
    torch.testing.assert_close(TRANSFORMS[name](reused), TRANSFORMS[name](plain))
    reused(IMAGES)
    assert handle.layers["first"].computes == "classes"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1)])
def test_a_linear_layer_of_flattened_maps(order: tuple[int, ...]) -> None:
    plain = Network(lambda model, images: model.final(model.body(images).permute(order).flatten(1)))
    plain.final = nn.Linear(96, 5).double()
    assert train_alike(plain) == {"classes"}


@pytest.mark.parametrize("options", [{"stride": 2}, {"stride": 2, "groups": 3, "bias": False}], ids=str)
def test_a_transposed_convolution_of_blocks(options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    raised = nn.ConvTranspose2d(3, 3, 2, **options)
    assert train_alike(nn.Sequential(raised, nn.ReLU(True), nn.Conv2d(3, 2, 3)).double()) == {"classes"}


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "zeros"])
def test_convolutions_of_signals_and_their_paddings(mode: str) -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Flatten(2), nn.Conv1d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv1d(4, 6, 5, 2, 2, padding_mode=mode)
    )
    reused, plain, _ = pair(layers.double())
    torch.testing.assert_close(reused(IMAGES), plain(IMAGES), rtol=1e-12, atol=1e-12)
