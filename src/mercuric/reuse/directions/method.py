"""How does a network compute in principal directions?"""

from collections.abc import Collection, Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.layer import DirectionsLayer
from mercuric.reuse.directions.product import Placement
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import Method
from mercuric.reuse.observation import Kind
from mercuric.reuse.precision import autocast, left_to_torch
from mercuric.reuse.products import ConvolutionCall, LayerProduct
from mercuric.reuse.weights import holders


class DirectionsMethod(Method):
    """Low rank."""

    def why_dense(self, layer: nn.Module, kind: Kind) -> str | None:
        """Of weights that can't be put into directions the layers say so themselves, in ``dense_because``."""
        if kind == "attention":
            return "attention has no principal directions"
        # A depthwise layer has one filter a channel: nothing to leave out.
        return "its channels are in groups" if getattr(layer, "groups", 1) != 1 else None

    def layer(self, name: str, config: Directions, product: LayerProduct) -> DirectionsLayer:
        """See :meth:`Method.layer`."""
        return DirectionsLayer(name, config, product.kind, view=product.view)

    def survey(
        self,
        model: nn.Module,
        layers: Mapping[nn.Module, Sequence[LayerReuse]],
        left_out: Collection[nn.Module],  # noqa: ARG002
    ) -> None:
        """Say of the layers whose weights can't be put into directions why they will be dense."""
        held = holders(model)
        for layer, (state,) in layers.items():
            if isinstance(state, DirectionsLayer):
                state.tied = held[id(layer.weight)] > 1
                state.dense_because = state.why_dense(layer.weight)

    def convolve(self, call: ConvolutionCall) -> Tensor:
        """See :meth:`Method.convolve`; a dense pass of a training finds the directions."""
        state: DirectionsLayer = call.state
        given, weight, bias = call.given, call.weight, call.bias
        if left_to_torch(given, weight, bias) or not state.in_directions(weight, call.training):
            if state.on and given.numel():
                call.geometry.check_size(call.images, state.name)
            output = call.dense()
            if output.numel() and state.learns(output, weight, call.training):
                state.principal.learn(*call.product_rows(output.detach()), weight)
            return output
        state.meet_directions(given, weight, bias)
        geometry, x = call.geometry, autocast(call.images)
        left, right, above, below = geometry.pads
        geometry.check_size(x, state.name)
        if geometry.padding_mode != "zeros" or (left, above) != (right, below):
            x, left, above = geometry.padded(x, state.name), 0, 0
        placement = Placement(geometry.stride, (above, left), geometry.dilation)
        filters, offsets = autocast(call.filters), autocast(call.offsets)
        return call.raised(state.principal.convolution(x, filters, offsets, placement))

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
