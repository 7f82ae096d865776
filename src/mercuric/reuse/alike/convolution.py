"""How does a convolution reuse results? (paper III-C1, III-C2)"""

import torch
from torch import Tensor

from mercuric.reuse.alike.detection import Detection, detect
from mercuric.reuse.alike.gradient import ImageGradient, Saved, attach, hand_back
from mercuric.reuse.alike.patches import convolve_patches, reuses_patches
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.geometry import like
from mercuric.reuse.precision import autocast, left_to_torch
from mercuric.reuse.products import ConvolutionCall
from mercuric.reuse.transforms import meet, see
from mercuric.reuse.vectors import VectorShape, vectors_of
from mercuric.reuse.windows import Windows, conv_windows


def reuse_convolution(call: ConvolutionCall) -> Tensor:
    """A layer's pass by similarity, or dense while it is off."""
    state = call.state
    if not state.on:
        return _dense(call)
    if left_to_torch(call.given, call.weight, call.bias):
        return call.dense()
    meet(state.name, call.given, call.weight, call.bias)
    x, weight, bias = autocast(call.images), autocast(call.filters), autocast(call.offsets)
    if reuses_patches(state, x, call.geometry.groups):
        return call.raised(_of_patches(call, x, weight, bias))
    return call.raised(_of_windows(call, x, weight, bias))


def _dense(call: ConvolutionCall) -> Tensor:
    output = call.dense()
    if call.given.numel():
        config = call.state.config
        shape = vectors_of(call.geometry, call.images, config.granularity, config.scope)
        call.state.tell(shape, None, call.given.requires_grad)
    return output


def _of_windows(call: ConvolutionCall, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    state, geometry, images = call.state, call.geometry, call.images
    needs_gradient = images.requires_grad
    padded = geometry.padded(x, state.name)

    def find(numbers: Tensor, *_: Tensor) -> tuple[Detection, VectorShape, Windows]:
        windows = conv_windows(numbers, geometry)
        shape = vectors_of(geometry, x, state.config.granularity, state.config.scope)
        projection = state.projection(shape.length, numbers.device, len(windows.taps))
        return detect(numbers.view(-1), windows, shape, projection, state.config), shape, windows

    detection, shape, windows = see(state.name, find, padded, weight, bias)
    filters = weight.reshape(geometry.groups, geometry.filters, -1)
    own_gradient = state.own_gradient and torch.is_grad_enabled() and needs_gradient
    product = reuse_product(padded, filters, bias, detection.source, windows, to_input=not own_gradient)
    output = like(images, product.view(*windows.output, -1).permute(0, 3, 1, 2))
    if state.own_gradient and (geometry.padding_mode == "zeros" or not geometry.is_padded):
        hand_back(images, _saved(call, detection, shape))
    if own_gradient:
        output = _with_own_gradient(call, output, x, padded, weight)
    state.conclude(output, call.product, shape, lambda: detection, needs_gradient and not own_gradient)
    return output


def _of_patches(call: ConvolutionCall, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    geometry, pads, name = call.geometry, call.geometry.pads, call.state.name
    if geometry.padding_mode == "zeros":
        geometry.check_size(x, name)
    else:
        x, pads = geometry.padded(x, name), (0, 0, 0, 0)
    return like(call.images, convolve_patches(geometry, x, pads, weight, bias, call.state, call.product))


def _with_own_gradient(
    call: ConvolutionCall, output: Tensor, x: Tensor, padded: Tensor, weight: Tensor
) -> Tensor:
    geometry, shapes = call.geometry, (tuple(output.shape), tuple(padded.shape))
    if geometry.padding_mode == "zeros":
        return attach(output, x, weight, ImageGradient(call.state, geometry, *shapes, geometry.pads))
    return attach(output, padded, weight, ImageGradient(call.state, geometry, *shapes, (0, 0, 0, 0)))


def _saved(call: ConvolutionCall, detection: Detection, shape: VectorShape) -> Saved:
    geometry = call.geometry
    placement = (
        *geometry.kernel_size,
        *geometry.dilation,
        *geometry.stride,
        geometry.pads[2],
        geometry.pads[0],
    )
    return Saved(detection, (shape.scopes, shape.vectors, shape.length), placement)
