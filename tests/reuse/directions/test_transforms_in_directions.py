"""Do ``torch.func``'s transforms meet layers in directions as they meet dense ones, or refuse by name?"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

from mercuric import Directions, ReuseConfig, ReuseHandle, reuse_
from mercuric.reuse.transforms import is_wrapped

IMAGES = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.Tanh(), nn.Conv2d(64, 64, 3, padding=1))


def projecting(residual_bits: int | None) -> ReuseConfig:
    return Directions(rank=16, error=None, residual_bits=residual_bits)


def trained(config: ReuseConfig) -> tuple[nn.Module, ReuseHandle]:
    model = network()
    handle = reuse_(model, config)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    for _ in range(2):
        optimizer.zero_grad()
        loss(model, IMAGES).backward()
        optimizer.step()
    assert handle.layers["2"].principal.directions is not None  # type: ignore[union-attr]
    return model, handle


def loss(model: nn.Module, images: Tensor) -> Tensor:
    value: Tensor = model(images).square().mean()
    return value


def gradients(model: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
    leaf = IMAGES.clone().requires_grad_()
    named = dict(model.named_parameters())
    towards, *others = torch.autograd.grad(loss(model, leaf), [leaf, *named.values()])
    return towards, dict(zip(named, others, strict=True))


@pytest.mark.parametrize("residual_bits", [None, 4])
def test_grad_is_backwards(residual_bits: int | None) -> None:
    model, _ = trained(projecting(residual_bits))
    towards, others = gradients(model)
    torch.testing.assert_close(grad(lambda x: loss(model, x))(IMAGES), towards)
    found = grad(lambda values: functional_call(model, values, (IMAGES,)).square().mean())(
        dict(model.named_parameters())
    )
    if residual_bits is not None:
        torch.testing.assert_close(found, others)


@pytest.mark.parametrize("residual_bits", [None, 4])
def test_other_transforms_are_refused_by_name(residual_bits: int | None) -> None:
    model, _ = trained(projecting(residual_bits))
    for call in (
        lambda: jvp(model, (IMAGES,), (IMAGES,)),
        lambda: vmap(lambda image: model(image[None]))(IMAGES),
    ):
        with pytest.raises(NotImplementedError, match=r"^layer '[02]' was called under torch\.func\.[jv]"):
            call()


@pytest.mark.parametrize("config", [ReuseConfig.fast(), projecting(None)], ids=["fast", "always"])
def test_a_pass_under_a_transform_is_dense_and_teaches_nothing(config: ReuseConfig) -> None:
    dense, model = network(), network()
    handle = reuse_(model, config)
    calls: list[Any] = [
        lambda one: grad(lambda x: loss(one, x))(IMAGES),
        lambda one: jvp(one, (IMAGES,), (IMAGES,)),
        lambda one: vmap(lambda image: one(image[None]))(IMAGES),
    ]
    for call in calls:
        torch.testing.assert_close(call(model), call(dense))
        assert all(state.principal.rank == 0 for state in handle.layers.values())  # type: ignore[union-attr]
    handle.step(1.0)
    loss(model, IMAGES).backward()
    candidate = handle.layers["2"].principal.candidate  # type: ignore[union-attr]
    assert candidate is not None
    assert not is_wrapped(candidate.basis)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_a_trace_holds_the_thin_layers() -> None:
    model = trained(projecting(None))[0].eval()
    with torch.no_grad():
        traced = torch.jit.trace(model, (IMAGES,))
        torch.testing.assert_close(traced(IMAGES[:3]), model(IMAGES[:3]))
    assert not any(node.kind() == "prim::PythonOp" for node in traced.inlined_graph.nodes())


def test_a_trace_is_refused_where_residuals_are_shared() -> None:
    model = trained(projecting(4))[0].eval()
    with pytest.raises(NotImplementedError, match=r"^layer '[02]' was called under torch\.jit\.trace"):
        torch.jit.trace(model, (IMAGES,))
