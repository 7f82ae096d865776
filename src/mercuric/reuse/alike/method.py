"""How does a network reuse results of alike vectors?"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mercuric.reuse.alike.config import Alike
from mercuric.reuse.alike.convolution import ReuseConv2d
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.alike.linear import reuse_rows
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import Method
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import gradient_channels, group_channels
from mercuric.reuse.weights import weights_of, why_foreign


class AlikeMethod(Method):
    """MERCURY."""

    def why_dense(self, layer: nn.Module) -> str | None:
        """Signatures need numbers that are the layer's own."""
        reasons = (why_foreign(name, weight) for name, weight in weights_of(layer))
        return next((reason for reason in reasons if reason), None)

    def layer(self, module: nn.Module, name: str, config: Alike, kind: Kind, filters: int = 0) -> AlikeLayer:
        """The granularity must divide a convolution's channels; see :meth:`Method.layer`."""
        if isinstance(module, nn.Conv2d):
            group_channels(config.granularity, module)
            if config.backward == "signature":
                gradient_channels(config.granularity, module)
        return AlikeLayer(name, config, kind, filters=filters)

    def survey(self, model: nn.Module, layers: Mapping[nn.Module, Sequence[LayerReuse]]) -> None:
        """Every layer's similarity is its own."""

    def convolve(self, layer: ReuseConv2d, images: Tensor) -> Tensor:
        """See :meth:`Method.convolve` (paper III-C1, III-C2)."""
        return layer.reused(images)

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
