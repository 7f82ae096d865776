"""How does a fully connected layer reuse results?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.alike.detection import Detection, detect
from mercuric.reuse.alike.gradient import RowGradient, Saved, attach, hand_back
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.alike.patches import multiply_rows, reuses_patches
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.config import ReuseConfig, as_config
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import method_of
from mercuric.reuse.precision import autocast, left_to_torch, refuse_complex, require_tensors
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.transforms import meet, see
from mercuric.reuse.vectors import row_vectors
from mercuric.reuse.windows import Windows, row_windows


class ReuseLinear(ReuseLayer, nn.Linear):
    """``nn.Linear`` that computes alike input vectors of a minibatch once (paper III-C3).

    Args:
        reuse: how similarity is found; :class:`ReuseConfig` by default.
    """

    _mercuric_plain = nn.Linear

    def __init__(self, *args: Any, reuse: ReuseConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mercuric = linear_reuse(self, "", as_config(reuse))

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        """Map (..., in_features) to (..., out_features).

        Raises:
            ValueError: another number of features, or complex weights.
        """
        return reuse_linear(input, self.weight, self.bias, self._mercuric, self.training)


def reuse_linear(
    input: Tensor,  # noqa: A002 - the name that F.linear gives it
    weight: Tensor,
    bias: Tensor | None,
    state: LayerReuse,
    training: bool = True,
) -> Tensor:
    """``F.linear`` of (..., features) that computes alike rows once; ``training`` as modules have it.

    What PyTorch refuses raises PyTorch's error, and an empty batch gives what it gives there.

    Raises:
        ValueError: another number of features, or complex weights.
    """
    state.ran = True
    if state.on:
        _check(input, weight, bias, state.name)
    return method_of(state.config).multiply(input, weight, bias, state, training)


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
    shape = row_vectors(tuple(input.shape), weight.shape[0], state.config.scope)
    needs_gradient = input.requires_grad
    x, matrix, offset = autocast(input.contiguous()), autocast(weight), autocast(bias)
    if reuses_patches(state, x):
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


def _check(input: Tensor, weight: Tensor, bias: Tensor | None, name: str) -> None:  # noqa: A002
    require_tensors(name, input=input)
    refuse_complex(name, weight, bias)
    if input.dim() < 1 or input.shape[-1] != weight.shape[1]:
        raise ArgumentError(
            f"input of layer {name!r} was {tuple(input.shape)}, but its last dimension must be "
            f"{weight.shape[1]}"
        )


def _dense(input: Tensor, weight: Tensor, bias: Tensor | None, state: AlikeLayer) -> Tensor:  # noqa: A002
    output = F.linear(input, weight, bias)
    if input.numel():
        shape = row_vectors(tuple(input.shape), weight.shape[0], state.config.scope)
        state.tell(shape, None, input.requires_grad)
    return output


def linear_reuse(linear: nn.Linear, name: str, config: ReuseConfig) -> LayerReuse:
    """The state of ``linear`` with reuse."""
    return method_of(config).layer(linear, name, config, "linear", linear.out_features)
