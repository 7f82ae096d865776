"""Does the CPU's product of patches equal the definition on every shape and layout, or say what is wrong?"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from windows_drawn import Layer, first_of_kind, layers

from mercuric.reuse.alike.kernels import patch_product as patches
from mercuric.reuse.alike.kernels.patch_product import patch_product
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.windows import image_windows
from mercuric.similarity.first_come import FirstCome, first_come
from mercuric.similarity.window_grid import WindowGrid

CPU = torch.device("cpu")
GRID = WindowGrid.of(2, (5, 6), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1))
LAYER = Layer(GRID, 3, 4, torch.float64, 0)


def found(layer: Layer, kinds: int) -> FirstCome:
    return first_come(first_of_kind(layer.grid.windows, kinds, layer.seed, CPU).long()[:, None], 1)


def operands(layer: Layer) -> list[Tensor]:
    grid = layer.grid
    weight = layer.weight(CPU).permute(0, 2, 1).reshape(layer.filters, layer.channels, *grid.kernel)
    return [layer.images(CPU).permute(0, 3, 1, 2), weight, layer.normal(CPU, layer.filters)]


def reference(images: Tensor, weight: Tensor, bias: Tensor, source: Tensor, grid: WindowGrid) -> Tensor:
    sizes = zip(grid.output[1:], grid.stride, grid.dilation, grid.kernel, strict=True)
    below, right = ((count - 1) * s + d * (k - 1) + 1 for count, s, d, k in sizes)
    padded = F.pad(
        images, [grid.left, right - grid.left - grid.width, grid.top, below - grid.top - grid.height]
    )
    windows = F.unfold(padded, grid.kernel, grid.dilation, stride=grid.stride).transpose(1, 2).flatten(0, 1)
    rows = windows[source] @ weight.flatten(1).T + bias
    return rows.view(*grid.output, -1).permute(0, 3, 1, 2)


def laid_out(value: Tensor, layout: str) -> Tensor:
    if layout == "sliced":
        return torch.cat([value, value], 3)[..., : value.shape[3]]
    last = layout == "channels_last"
    return value.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


@settings(max_examples=60, deadline=None)
@given(
    layers(), st.sampled_from([1, 3, 1000]), st.sampled_from(["channels_first", "channels_last", "sliced"]),
    st.sampled_from([1, 200, 1 << 22]),
)  # fmt: skip
def test_it_is_the_definition_forward_and_backward(
    layer: Layer, kinds: int, layout: str, scratch: int
) -> None:
    layer = replace(layer, dtype=torch.float64)
    images, weight, bias = operands(layer)
    values = [laid_out(images, layout), laid_out(weight, layout), bias]
    values = [value.detach().requires_grad_() for value in values]
    alike = found(layer, kinds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patches, "SCRATCH_ELEMENTS", scratch)
        output = patch_product(*values, alike, layer.grid)
        upstream = laid_out(layer.normal(CPU, *output.shape), layout)
        gradients = torch.autograd.grad(output, values, upstream)
    expected = reference(*values, alike.source, layer.grid)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, values, upstream))


def test_no_images_give_no_outputs_and_no_gradients() -> None:
    images, weight, bias = (value.detach().requires_grad_() for value in operands(LAYER))
    none = replace(GRID, output=(0, *GRID.output[1:]))
    nobody = first_come(torch.zeros(0, 1, dtype=torch.int64), 1)
    output = patch_product(images[:0], weight, bias, nobody, none)
    output.sum().backward()
    assert output.shape == (0, 4, 5, 6)
    assert not weight.grad.any() and not bias.grad.any() and not images.grad.any()
    windows = image_windows(images[:0], (3, 3), (1, 1), (1, 1))
    source = torch.zeros(1, 0, dtype=torch.int64)
    assert reuse_product(images[:0].detach(), weight.reshape(1, 4, -1), bias, source, windows).shape == (0, 4)


def test_the_general_product_takes_any_layout() -> None:
    images, weight, bias = operands(LAYER)
    windows, rows = image_windows(images, (3, 3), (1, 1), (1, 1)), weight.reshape(1, 4, -1)
    source = torch.arange(len(windows.starts))[None]

    def both(values: Tensor) -> tuple[Tensor, ...]:
        leaf = values.detach().requires_grad_()
        output = reuse_product(leaf, rows, bias, source, windows)
        return output, *torch.autograd.grad(output.square().sum(), leaf)

    for layout in ("channels_last", "sliced"):
        torch.testing.assert_close(both(laid_out(images, layout)), both(images.contiguous()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.int32])
def test_other_dtypes_are_refused(dtype: torch.dtype) -> None:
    images, weight, _ = (value.to(dtype) for value in operands(LAYER))
    with pytest.raises(ValueError, match=f"images and weight were {dtype} and {dtype}, but must both be"):
        patch_product(images, weight, None, found(LAYER, 3), GRID)


def test_what_would_lie_outside_the_images_is_refused() -> None:
    images, weight, _ = operands(LAYER)
    alike = found(LAYER, 3)
    for wrong in ((images[:1], weight), (images[..., :5], weight), (images, weight[..., :2])):
        with pytest.raises(ValueError, match="but by the grid and the weight must be"):
            patch_product(*wrong, None, alike, GRID)
    with pytest.raises(ValueError, match="windows 7, but by the grid"):
        patch_product(images, weight, None, first_come(torch.zeros(7, 1).long(), 1), GRID)
    with pytest.raises(ValueError, match=r"were torch\.float64 and torch\.float32"):
        patch_product(images, weight.float(), None, alike, GRID)
