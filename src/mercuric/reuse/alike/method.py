"""How does a network reuse results of alike vectors?"""

from collections.abc import Collection, Mapping, Sequence

from torch import Tensor, nn

from mercuric.reuse.alike.config import Alike
from mercuric.reuse.alike.convolution import reuse_convolution
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.alike.linear import reuse_rows
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import Method
from mercuric.reuse.observation import Kind
from mercuric.reuse.products import ConvolutionCall, LayerProduct
from mercuric.reuse.vectors import gradient_channels, group_channels
from mercuric.reuse.weights import weights_of, why_foreign


class AlikeMethod(Method):
    """MERCURY."""

    def why_dense(self, layer: nn.Module, kind: Kind) -> str | None:  # noqa: ARG002
        """Signatures need numbers that are the layer's own."""
        reasons = (why_foreign(name, weight) for name, weight in weights_of(layer))
        return next((reason for reason in reasons if reason), None)

    def layer(self, name: str, config: Alike, product: LayerProduct) -> AlikeLayer:
        """The granularity must divide a convolution's channels; see :meth:`Method.layer`."""
        if product.geometry is not None:
            group_channels(config.granularity, product.geometry)
            if config.backward == "signature":
                gradient_channels(config.granularity, product.geometry)
        return AlikeLayer(name, config, product.kind, filters=product.filters)

    def survey(
        self,
        model: nn.Module,
        layers: Mapping[nn.Module, Sequence[LayerReuse]],
        left_out: Collection[nn.Module],
    ) -> None:
        """Every layer's similarity is its own."""

    def convolve(self, call: ConvolutionCall) -> Tensor:
        """See :meth:`Method.convolve` (paper III-C1, III-C2)."""
        return reuse_convolution(call)

    def multiply(
        self,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        state: AlikeLayer,
        training: bool,  # noqa: ARG002 - alike in both modes
    ) -> Tensor:
        """See :meth:`Method.multiply` (paper III-C3)."""
        return reuse_rows(rows, weight, bias, state)
