"""How does a layer reuse the results of whole patches, fast?

For ``projection="separable"`` with an unlimited cache and exact gradients: pixels are projected once,
windows add their pixels' projections up, and the product reads a channels_last image in place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from mercuric.reuse.alike.detection import Detection, patch_detection
from mercuric.reuse.alike.gpu_patches import reuse_patches_on_gpu
from mercuric.reuse.alike.kernels.patch_product import patch_product, pixel_rows
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.row_products import as_image, multiply
from mercuric.reuse.transforms import see
from mercuric.reuse.vectors import VectorShape, conv_vectors
from mercuric.similarity.first_come import FirstCome, first_come
from mercuric.similarity.separable import grid_signatures, lanes, separable_projection
from mercuric.similarity.window_grid import WindowGrid


def reuses_patches(state: AlikeLayer, values: Tensor, groups: int = 1) -> bool:
    """Whether the layer goes this file's way."""
    config = state.config
    return (
        state.on
        and config.projection == "separable"
        and config.entries is None
        and config.backward == "exact"
        and groups == 1
        and values.device.type in ("cpu", "cuda")
    )


def convolve_patches(
    conv: ConvGeometry,
    images: Tensor,
    pads: Sequence[int],
    weight: Tensor,
    bias: Tensor | None,
    state: AlikeLayer,
    dense: Callable[[], Tensor],
) -> Tensor:
    """The convolution of (N, C, H, W) with reuse.

    Args:
        conv: its kernel, stride and dilation.
        images: of any layout; read in place as channels_last.
        pads: zeros left, right, above and below.
        weight: (M, C, kernel rows, kernel columns), of the images' dtype.
        bias: (M,) or None.
        state: the layer's.
        dense: computes the same densely, where the error is measured.

    Returns:
        (N, M, H', W'), channels_last.
    """
    count, _, *sides = images.shape
    grid = WindowGrid.of(count, sides, conv.kernel_size, conv.stride, conv.dilation, pads)
    shape = conv_vectors(conv, count, grid.output[1:], state.config.granularity, state.config.scope)
    return reuse_patches(images, weight, bias, grid, shape, state, dense)


def multiply_rows(
    rows: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    shape: VectorShape,
    state: AlikeLayer,
    dense: Callable[[], Tensor],
) -> Tensor:
    """``F.linear`` of rows (..., features) with reuse: a 1x1 convolution of one image of one line."""
    count = rows.numel() // rows.shape[-1]
    grid = WindowGrid(1, count, (1, 1), (1, 1), (1, 1), 0, 0, (1, 1, count))
    filters = weight[:, :, None, None]
    image = as_image(rows.reshape(count, -1))
    output = reuse_patches(
        image, filters, bias, grid, shape, state, lambda: as_image(dense().reshape(count, -1))
    )
    return output.permute(0, 2, 3, 1).reshape(*rows.shape[:-1], -1)


def reuse_patches(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    grid: WindowGrid,
    shape: VectorShape,
    state: AlikeLayer,
    dense: Callable[[], Tensor],
) -> Tensor:
    """Find alike windows, multiply them once, and tell the layer's state of it."""
    if images.device.type == "cuda":
        return reuse_patches_on_gpu(images, weight, bias, grid, shape, state, dense)
    needs_gradient, dtype = images.requires_grad, images.dtype
    if dtype == torch.float16:
        images, weight = images.float(), weight.float()
        bias = None if bias is None else bias.float()
    images = images.contiguous(memory_format=torch.channels_last)

    def find(numbers: Tensor, *_: Tensor) -> FoundPatches:
        return find_patches(numbers, grid, shape.scopes, state.bits, state.config.seed)

    found = see(state.name, find, images, weight, bias)
    output = patch_product(images, weight, bias, found.assignment, grid).to(dtype)

    def detection() -> Detection:
        return patch_detection(found.assignment.source, found.signatures, found.zero(), shape, found.finite)

    state.conclude(output, dense, shape, detection, needs_gradient)
    return output


@dataclass(frozen=True)
class FoundPatches:
    """The similarity of an image's windows.

    Attributes:
        pixels: (N x H x W, C).
        projected: (N x H x W, lanes), the pixels' projections.
        signatures: int64, (Q, words).
        finite: bool, (Q,): whether a window's projections are; one whose aren't is like no other.
        assignment: each window's representative.
        grid: where the windows lie.
    """

    pixels: Tensor
    projected: Tensor
    signatures: Tensor
    finite: Tensor
    assignment: FirstCome
    grid: WindowGrid

    def zero(self) -> Tensor:
        """Which windows are all zeros, bool, (Q,)."""
        # No projection of zeros is negative, so their signature has no bit set.
        if bool((self.signatures[:, 0] | self.signatures[:, -1]).all()):
            return torch.zeros(len(self.signatures), dtype=torch.bool)
        nonzero = self.projected[:, 0] != 0
        unsure = (~nonzero).nonzero()[:, 0]
        nonzero[unsure] = (self.pixels[unsure] != 0).any(1)
        # A window's bit is set where the sum of its pixels' -1s is negative.
        ones = torch.ones(self.grid.taps, 1)
        return grid_signatures(-nonzero[:, None].to(torch.float32), ones, self.grid)[0][:, 0] == 0


def find_patches(images: Tensor, grid: WindowGrid, scopes: int, bits: int, seed: int) -> FoundPatches:
    """Signatures and representatives of every window of (N, C, H, W), channels_last."""
    pixels = pixel_rows(images)
    filters, taps = pixel_projection(pixels.shape[1], grid.taps, bits, seed, pixels.dtype)
    projected = multiply(pixels, filters)
    if projected.dtype == torch.bfloat16:
        projected = projected.float()
    signatures, finite = grid_signatures(projected, taps, grid)
    assignment = first_come(signatures, scopes, finite)
    return FoundPatches(pixels, projected, signatures, finite, assignment, grid)


@lru_cache(maxsize=256)
def pixel_projection(
    channels: int, taps: int, bits: int, seed: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Filters (lanes, C), zeros after the last bit's, and taps (T, bits)."""
    drawn = separable_projection(channels, taps, bits, seed)
    filters = torch.zeros(lanes(bits), channels, dtype=dtype)
    filters[:bits] = drawn.channels.T
    return filters, drawn.taps
