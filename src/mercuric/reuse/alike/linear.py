"""How does a fully connected layer reuse results?"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.alike.detection import Detection, detect
from mercuric.reuse.alike.gradient import RowGradient, Saved, attach, hand_back
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.alike.patches import multiply_rows, reuses_patches
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.precision import autocast, left_to_torch
from mercuric.reuse.transforms import meet, see
from mercuric.reuse.vectors import VectorShape, row_vectors
from mercuric.reuse.windows import Windows, row_windows


def reuse_rows(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None,
    state: AlikeLayer,
) -> Tensor:
    """The same by similarity, or densely while the layer is off."""
    if not state.on:
        return _dense(input, weight, bias, state)
    if left_to_torch(input, weight, bias):
        return F.linear(input, weight, bias)
    meet(state.name, input, weight, bias)
    shape = _vectors(input, weight, state)
    needs_gradient = input.requires_grad
    x, matrix, offset = autocast(input.contiguous()), autocast(weight), autocast(bias)
    state.in_place = reuses_patches(state, x)
    if state.in_place:
        return multiply_rows(x, matrix, offset, shape, state, lambda: F.linear(input, weight, bias))

    def find(rows: Tensor, *_: Tensor) -> tuple[Detection, Windows]:
        windows, projection = row_windows(rows), state.projection(shape.length, rows.device)
        return detect(rows.view(-1), windows, shape, projection, state.config), windows

    detection, windows = see(state.name, find, x, matrix, offset)
    own_gradient = state.own_gradient and torch.is_grad_enabled() and needs_gradient
    product = reuse_product(x, matrix[None], offset, detection.source, windows, to_input=not own_gradient)
    output = product.view(*windows.output, len(weight))
    if state.own_gradient:
        hand_back(input, Saved(detection, (shape.scopes, shape.vectors, shape.length), ()))
    if own_gradient:
        output = attach(output, x, matrix, RowGradient(state, tuple(output.shape), input.shape[-1]))
    state.conclude(
        output, lambda: F.linear(input, weight, bias), shape, lambda: detection,
        needs_gradient and not own_gradient,
    )  # fmt: skip
    return output


def _dense(input: Tensor, weight: Tensor, bias: Tensor | None, state: AlikeLayer) -> Tensor:  # noqa: A002
    output = F.linear(input, weight, bias)
    if input.numel():
        state.tell(_vectors(input, weight, state), None, input.requires_grad)
    return output


def _vectors(input: Tensor, weight: Tensor, state: AlikeLayer) -> VectorShape:  # noqa: A002
    config = state.config
    return row_vectors(tuple(input.shape), weight.shape[0], config.scope, config.weight_blocks)
