"""Do convolutions that models call as functions, of whatever weight, go by classes as layers do?"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_twin import Twins, close, images, seeded, step
from shared_maps import Map, hold, maps
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import mercuric
from mercuric import torchvision_operators  # noqa: F401 - timm needs them
from mercuric.reuse.equal import plan
from mercuric.reuse.equal.layer import FunctionProducts
from mercuric.reuse.equal.look import Look
from mercuric.reuse.equal.shared_tensor import SharedTensor


def called(image: Map) -> FunctionProducts:
    """Products of a record like a model's."""
    config = mercuric.Equal(most=1.0)
    products = FunctionProducts(config, Look(config, sequences=False), [])
    products.call = lambda name: _on(FunctionProducts.call(products, name))  # type: ignore[method-assign]
    image.record.functions = products
    return products


def _on(product: Any) -> Any:
    product.on = True
    return product


@given(
    maps(channels=4),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2, (2, 3), (3, 1)]),
    st.sampled_from([0, 1, (2, 1), "same", "valid"]),
    st.sampled_from([1, (1, 2)]),
    st.sampled_from([1, 2]),
    st.booleans(),
)
@settings(max_examples=100)
def test_convolutions_of_images(
    image: Map, groups: int, kernel: Any, padding: Any, dilation: Any, stride: int, offset: bool
) -> None:
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    weight = torch.randn(4, 4 // groups, *sides, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True) if offset else None
    parameters = (weight,) if bias is None else (weight, bias)
    products = called(image)

    def convolve(x: Tensor) -> Tensor:
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)

    try:
        convolve(image.plain())
    except RuntimeError as error:
        with pytest.raises(RuntimeError) as caught:
            convolve(image.shared())
        assert str(caught.value) == str(error)
        return
    assert isinstance(hold(convolve, image, parameters=parameters), SharedTensor)
    assert [product.computes for product in products.products.values()] == ["classes"]


@given(maps(channels=2, shape=(3, 9)), st.sampled_from([0, 1, "same"]), st.sampled_from([1, 2, 3]))
@settings(max_examples=30)
def test_convolutions_of_sequences(sequence: Map, padding: Any, taps: int) -> None:
    weight = torch.randn(3, 2, taps, dtype=torch.float64, requires_grad=True)
    called(sequence)
    found = hold(lambda x: F.conv1d(x, weight, padding=padding), sequence, parameters=(weight,))
    assert isinstance(found, SharedTensor)


class Standardised(nn.Conv2d):
    """Of the weight, less its mean."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight - self.weight.mean((1, 2, 3), keepdim=True), self.bias)


class Calling(nn.Module):
    """A layer of its own class, a function, and a layer; perhaps again in the backward pass."""

    def __init__(self, again: bool = False) -> None:
        super().__init__()
        self.a = Standardised(3, 4, 3, padding=1)
        self.weight = nn.Parameter(torch.randn(4, 4, 3, 3) / 6)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.again = again
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        y = self.a(x).relu()
        y = checkpoint(self.middle, y, use_reentrant=False) if self.again else self.middle(y)
        found: Tensor = self.b(y)
        return found

    def middle(self, y: Tensor) -> Tensor:
        for _ in range(2):
            y = y + F.conv2d(y, self.weight, padding="same").relu()
        return y


def functions(handle: mercuric.ReuseHandle) -> dict[str, str]:
    return {name: figures["computes"] for name, figures in handle.report().attrs["functions"].items()}


@pytest.mark.parametrize("again", [True, False])
def test_models_that_call_functions(again: bool) -> None:
    twins = Twins(lambda: Calling(again))
    twins.step_alike()
    assert twins.computes == ["classes"]
    names = ["conv2d of (3, 16, 12) with (4, 3, 3, 3), padding (1, 1, 1, 1)",
             "conv2d of (4, 16, 12) with (4, 4, 3, 3), padding (1, 1, 1, 1)"]  # fmt: skip
    assert functions(twins.handle) == dict.fromkeys(names, "classes")
    first = twins.handle.report().attrs["functions"][names[0]]
    assert 0 < first["computed"] < 0.6


@pytest.mark.parametrize("again", [True, False])
def test_decisions_are_those_of_the_first_time(again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([0.9, 0.0, 0.9, 0.0, 0.9, 0.0] * 10)
    monkeypatch.setattr(plan.Plan, "highest_share", lambda *_: next(shares))
    model, plain = (seeded(lambda: Calling(again)) for _ in range(2))
    handle = mercuric.reuse_(model, mercuric.Equal())
    for _ in range(3):
        close(step(model, images()), step(plain, images()))
    assert "classes" in functions(handle).values()


@pytest.mark.parametrize("filter_fn", ["b", lambda _, name: name == "b"], ids=["glob", "function"])
def test_layers_of_their_own_class_that_a_filter_leaves_out_are_dense(filter_fn: Any) -> None:
    model, plain = (seeded(Calling) for _ in range(2))
    handle = mercuric.reuse_(model, mercuric.Equal(most=1.0), filter_fn=filter_fn)
    close(step(model, images()), step(plain, images()))
    assert functions(handle) == {}
    assert handle.report()["computes"].tolist() == [
        "dense: a layer left dense before it needed plain tensors"
    ]


def test_functions_are_dense_where_all_layers_are_off() -> None:
    twins = Twins(Calling)
    with twins.handle.off():
        twins.step_alike()
    assert list(functions(twins.handle).values()) == ["dense: all layers are switched off"]
    twins.step_alike()
    twins.handle.reset()
    assert all(figures["computed"] != figures["computed"]
               for figures in twins.handle.report().attrs["functions"].values())  # fmt: skip


def test_what_is_called_is_copied_and_restored() -> None:
    twins = Twins(Calling)
    twins.step_alike()
    other = copy.deepcopy(twins.reused)
    close(step(other, images()), step(twins.plain, images()))
    mercuric.restore_(twins.reused)
    twins.step_alike()


TIMM: dict[str, Callable[[Any], nn.Module]] = {
    "resnetv2": lambda timm: timm.models.resnetv2.ResNetV2(
        [1, 1],
        [16, 32],
        num_classes=5,
        stem_chs=8,
        conv_layer=timm.layers.StdConv2d,
        norm_layer=partial(timm.layers.GroupNormAct, num_groups=4),
    ),
    "tf_efficientnet": lambda timm: timm.create_model("tf_efficientnet_lite0", num_classes=5, drop_rate=0.0),
}


@pytest.mark.parametrize("name", TIMM)
@pytest.mark.parametrize("again", [True, False])
def test_timm_networks_of_their_own_convolutions(name: str, again: bool) -> None:
    timm = pytest.importorskip("timm")

    def build() -> nn.Module:
        model = TIMM[name](timm).double()
        model.set_grad_checkpointing(again)
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eps = 0.1
        return model

    given = images().repeat_interleave(3, 2).repeat_interleave(4, 3)
    twins = Twins(build)
    twins.agree(lambda model: step(model, given), 1e-9)
    assert "classes" in functions(twins.handle).values()
