"""Does a GPU's convolution with reuse equal the reference, with its gradients, and never ask the host?"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from operators_recorded import Recorded
from torch import Tensor
from windows_drawn import TOLERANCE, Layer, layers

pytest.importorskip("triton", reason="the kernels are compiled by Triton")

from mercuric.errors import MercuricError
from mercuric.reuse.alike.kernels.gpu import device as gpu_device
from mercuric.reuse.alike.kernels.gpu.convolution import gpu_product
from mercuric.reuse.alike.kernels.reference import reference_product
from mercuric.reuse.windows import image_windows
from mercuric.similarity.window_grid import WindowGrid

GRID = WindowGrid(4, 5, (3, 3), (1, 1), (1, 1), 1, 1, (2, 4, 5))
LAYER = Layer(GRID, 3, 4, torch.float32, 0)


def operands(layer: Layer, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Images (N, C, H, W), a weight and a bias that want gradients."""
    images = layer.images(device).permute(0, 3, 1, 2).contiguous()
    weight = layer.normal(device, layer.filters, layer.channels, *layer.grid.kernel)
    bias = layer.normal(device, layer.filters)
    return images.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()


def reference(layer: Layer, values: tuple[Tensor, ...], source: Tensor) -> Tensor:
    """The library's reference in float32, (Q, M)."""
    images, weight, bias = (value.float() for value in values)
    grid = layer.grid
    ends = [
        (count - 1) * stride + dilation * (kernel - 1) + 1 - side - before
        for count, stride, dilation, kernel, side, before in zip(
            grid.output[1:], grid.stride, grid.dilation, grid.kernel,
            (grid.height, grid.width), (grid.top, grid.left), strict=True,
        )
    ]  # fmt: skip
    padded = torch.nn.functional.pad(images, (grid.left, ends[1], grid.top, ends[0])).contiguous()
    windows = image_windows(padded, grid.kernel, grid.dilation, grid.stride)
    return reference_product(padded, weight.flatten(1)[None], bias, source.long()[None], windows)


@settings(max_examples=6, deadline=None)
@given(layers(), st.booleans(), st.sampled_from([None, 1, 4]))
def test_output_and_gradients_are_the_references(
    device: torch.device, layer: Layer, by_image: bool, capacity: int | None
) -> None:
    values, scopes = operands(layer, device), layer.grid.output[0] if by_image else 1
    projection = layer.projection(12)
    output, alike, computed = gpu_product(*values, projection, layer.grid, scopes, capacity)
    assert output.is_contiguous(memory_format=torch.channels_last)
    vectors = layer.grid.windows // scopes
    own = torch.arange(layer.grid.windows, device=device)
    assert torch.equal(alike.representatives // vectors, (own // vectors).int())
    expected = reference(layer, values, computed.source)
    gradient = layer.normal(device, *output.shape)
    found = torch.autograd.grad(output, values, gradient)
    rows = gradient.permute(0, 2, 3, 1).reshape(expected.shape).float()
    wanted = (expected, *torch.autograd.grad(expected, values, rows))
    result = output.permute(0, 2, 3, 1).reshape(expected.shape)
    for one, true in zip((result, *found), wanted, strict=True):
        atol = 4 * TOLERANCE[layer.dtype] * max(1.0, float(true.detach().float().abs().max()))
        torch.testing.assert_close(one.float(), true.float(), rtol=0, atol=atol)


def test_alike_windows_share_a_result_and_others_have_their_own(device: torch.device) -> None:
    output, alike, computed = gpu_product(*operands(LAYER, device), LAYER.projection(40), GRID, scopes=1)
    rows = output.permute(0, 2, 3, 1).reshape(GRID.windows, -1)
    assert 1 < int(computed.count) < GRID.windows
    assert torch.equal(rows, rows[alike.representatives.long()])


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_what_is_beyond_the_capacity_is_computed_exactly(device: torch.device, capacity: int) -> None:
    values = operands(LAYER, device)
    output, _, computed = gpu_product(*values, LAYER.projection(40), GRID, 2, capacity)
    dense = torch.nn.functional.conv2d(*values, padding=1)
    own = computed.source == torch.arange(GRID.windows, device=device)
    assert int(computed.shared) == capacity < int(own.sum()) == int(computed.count)
    exact = own.view(2, 1, 4, 5).expand_as(dense)
    torch.testing.assert_close(output[exact], dense[exact], rtol=1e-5, atol=1e-5)


def test_a_window_that_is_not_finite_is_like_no_other(device: torch.device) -> None:
    images = torch.ones(1, 3, 4, 5, device=device)
    images[0, 1, 0, 4] = float("nan")
    grid = replace(GRID, output=(1, 4, 5))
    weight = torch.ones(4, 3, 3, 3, device=device)
    output, _, _ = gpu_product(images, weight, None, LAYER.projection(20), grid, 1)
    expected = torch.nn.functional.conv2d(images, weight, padding=1)
    assert torch.equal(output.isnan(), expected.isnan())


def test_an_activation_may_change_the_output_in_place(device: torch.device) -> None:
    images, weight, bias = operands(LAYER, device)
    output, _, _ = gpu_product(images, weight, bias, LAYER.projection(20), GRID, 2)
    output.relu_().sum().backward()
    assert images.grad is not None and weight.grad is not None and bias.grad is not None


@pytest.mark.parametrize("layout", ["channels_last", "sliced"])
def test_layouts_give_one_result(device: torch.device, layout: str) -> None:
    images, weight, bias = (value.detach() for value in operands(LAYER, device))
    projection = LAYER.projection(20)
    plain, _, _ = gpu_product(images, weight, bias, projection, GRID, 2)
    if layout == "sliced":
        images, weight = (torch.cat([value, value], 3)[..., : value.shape[3]] for value in (images, weight))
    else:
        images, weight = (value.contiguous(memory_format=torch.channels_last) for value in (images, weight))
    assert torch.equal(gpu_product(images, weight, bias, projection, GRID, 2)[0], plain)


def test_deterministic_algorithms_give_the_same_gradients(device: torch.device) -> None:
    values = operands(LAYER, device)

    def gradients() -> tuple[Tensor, ...]:
        output, _, _ = gpu_product(*values, LAYER.projection(20), GRID, 2, capacity=3)
        return torch.autograd.grad(output.square().sum(), values)

    usual = gradients()
    torch.use_deterministic_algorithms(True)
    try:
        fixed, again = gradients(), gradients()
    finally:
        torch.use_deterministic_algorithms(False)
    for one, other, same in zip(usual, fixed, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)
        assert torch.equal(other, same)


def test_a_step_never_asks_the_device_and_no_shape_depends_on_data(device: torch.device) -> None:
    projection = LAYER.projection(20)
    records = []
    for values in (torch.zeros(2, 3, 4, 5), torch.randn(2, 3, 4, 5)):
        images, (_, weight, bias) = values.to(device).requires_grad_(), operands(LAYER, device)
        with Recorded() as recorded:
            output, _, _ = gpu_product(images, weight, bias, projection, GRID, 2, capacity=4)
            output.backward(torch.ones_like(output))
        records.append(recorded.calls)
    assert records[0] == records[1]
    assert len(records[0]) > 10


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_step_is_captured_in_a_graph() -> None:
    images, weight, bias = operands(LAYER, torch.device("cuda"))
    projection = LAYER.projection(20)

    def step() -> tuple[Tensor, ...]:
        output, _, _ = gpu_product(images, weight, bias, projection, GRID, 2, capacity=4)
        return output, *torch.autograd.grad(output.sum(), (images, weight, bias))

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = step()
    with torch.no_grad():
        images.copy_(torch.randn_like(images))
    graph.replay()
    for one, true in zip(captured, step(), strict=True):
        torch.testing.assert_close(one, true)


REFUSED = {
    "images were torch.float64": {"dtype": torch.float64},
    "weight was torch.float32": {"dtype": torch.bfloat16, "weight": torch.zeros(4, 3, 3, 3)},
    "know no groups": {"weight": torch.zeros(4, 1, 3, 3)},
    "must be .2, channels, 4, 5.": {"images": torch.zeros(2, 3, 6, 5)},
    "and hold a window": {"images": torch.zeros(0, 3, 4, 5), "grid": replace(GRID, output=(0, 4, 5))},
    "projection was of 3 channels and 4 taps": {
        "projection": replace(LAYER, grid=replace(GRID, kernel=(2, 2)))
    },
    "capacity was 0": {"capacity": 0},
    "capacity was -3": {"capacity": -3},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_operands_that_do_not_fit_are_refused(device: torch.device, sentence: str) -> None:
    wrong: dict[str, Any] = REFUSED[sentence]
    dtype = wrong.get("dtype", torch.float32)
    images = wrong.get("images", torch.zeros(2, 3, 4, 5)).to(device, dtype)
    weight = (
        wrong["weight"].to(device)
        if "weight" in wrong
        else torch.zeros(4, 3, 3, 3, device=device, dtype=dtype)
    )
    projection = wrong.get("projection", LAYER).projection(8)
    with pytest.raises(ValueError, match=sentence):
        gpu_product(images, weight, None, projection, wrong.get("grid", GRID), 1, wrong.get("capacity"))


def test_a_device_without_triton_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_device, "find_spec", lambda _: None)
    with pytest.raises(MercuricError, match="reuse on cuda:0 needs Triton, which is not installed"):
        gpu_device.require_triton(torch.device("cuda:0"))
