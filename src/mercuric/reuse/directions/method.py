"""How does a network compute in principal directions?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.layer import DirectionsLayer
from mercuric.reuse.directions.product import Placement
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import Method
from mercuric.reuse.observation import Kind
from mercuric.reuse.precision import autocast, left_to_torch


class DirectionsMethod(Method):
    """Low rank."""

    def why_dense(self, layer: nn.Module) -> str | None:
        """Of weights that can't be put into directions the layers say so themselves, in ``dense_because``."""
        if type(layer) not in (nn.Conv2d, nn.Linear):
            return "attention has no principal directions"
        # A depthwise layer has one filter a channel: nothing to leave out.
        return "its channels are in groups" if getattr(layer, "groups", 1) != 1 else None

    def layer(
        self,
        module: nn.Module,  # noqa: ARG002 - directions fit all
        name: str,
        config: Directions,
        kind: Kind,
        filters: int = 0,  # noqa: ARG002
    ) -> DirectionsLayer:
        """See :meth:`Method.layer`."""
        return DirectionsLayer(name, config, kind)

    def survey(self, model: nn.Module, layers: Mapping[nn.Module, Sequence[LayerReuse]]) -> None:
        """Say of the layers whose weights can't be put into directions why they will be dense."""
        holders = Counter(id(held) for module in model.modules() for held in module.parameters(recurse=False))
        for layer, (state,) in layers.items():
            if isinstance(state, DirectionsLayer):
                state.tied = holders[id(layer.weight)] > 1
                state.dense_because = state.why_dense(layer.weight)

    def convolve(self, layer: Any, images: Tensor) -> Tensor:
        """See :meth:`Method.convolve`; a dense pass of a training finds the directions."""
        state: DirectionsLayer = layer._mercuric
        weight, bias = layer.weight, layer.bias
        if left_to_torch(images, weight, bias) or not state.in_directions(weight, layer.training):
            if state.on and images.numel():
                layer.check_size(images)
            output: Tensor = nn.Conv2d.forward(layer, images)
            if output.numel() and state.learns(output, weight, layer.training):
                state.principal.learn(output.detach().movedim(-3, -1).flatten(0, -2), bias, weight)
            return output
        state.meet_directions(images, weight, bias)
        batch = images if images.dim() == 4 else images.unsqueeze(0)
        x, pads = autocast(batch), layer.pads
        layer.check_size(batch)
        zeros, even = layer.padding_mode == "zeros", pads[0] == pads[1] and pads[2] == pads[3]
        if not (zeros and even):
            x, pads = layer.padded(x), [0, 0, 0, 0]
        placement = Placement(layer.stride, (pads[2], pads[0]), layer.dilation)
        output = state.principal.convolution(x, autocast(weight), autocast(bias), placement)
        return output if images.dim() == 4 else output.squeeze(0)

    def multiply(
        self, rows: Tensor, weight: Tensor, bias: Tensor | None, state: DirectionsLayer, training: bool
    ) -> Tensor:
        """See :meth:`Method.multiply`."""
        if left_to_torch(rows, weight, bias) or not state.in_directions(weight, training):
            output = F.linear(rows, weight, bias)
            if output.numel() and state.learns(output, weight, training):
                state.principal.learn(output.detach().reshape(-1, len(weight)), bias, weight)
            return output
        state.meet_directions(rows, weight, bias)
        x, matrix, offset = autocast(rows.reshape(-1, rows.shape[-1])), autocast(weight), autocast(bias)
        return state.principal.linear(x, matrix, offset).view(*rows.shape[:-1], len(weight))
