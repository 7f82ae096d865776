"""When do a layer's thin filters serve again?

They are a product of the weight and the basis, which on images of few pixels takes as long as the layer:
passes without gradients keep them while weight and basis stay the same.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.pointwise import pointwise
from mercuric.reuse.directions.product import Placement, projected_convolution, thin_filters
from mercuric.reuse.directions.weights import Mark
from mercuric.reuse.row_products import as_image


@dataclass(frozen=True)
class _Kept:
    weight: Tensor  # its memory is no other weight's as long as it is held
    mark: Mark
    thin: Tensor


@dataclass
class KeptFilters:
    """The thin filters of one layer; a copy keeps none.

    They are made anew when the weight's version or its sample changes: a few single elements that are set
    through ``weight.data``, which counts no version, may go unnoticed.
    """

    _kept: _Kept | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[type["KeptFilters"], tuple[()]]:
        return KeptFilters, ()

    def convolution(
        self,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        directions: PrincipalDirections,
        placement: Placement,
    ) -> Tensor:
        """See :func:`~mercuric.reuse.directions.product.projected_convolution`."""
        if _needs_gradients(images, weight, bias):
            return projected_convolution(images, weight, bias, directions, placement)
        basis = directions.basis
        thin = self._thin(weight, basis)
        z = F.conv2d(images, thin, None, placement.stride, placement.padding, placement.dilation)
        return pointwise(z, basis.to(weight.dtype), bias)

    def linear(
        self, rows: Tensor, weight: Tensor, bias: Tensor | None, directions: PrincipalDirections
    ) -> Tensor:
        """The same of a fully connected layer: rows (V, features) by a weight (filters, features)."""
        filters = weight[:, :, None, None]
        output = self.convolution(as_image(rows), filters, bias, directions, Placement())
        return output.permute(0, 2, 3, 1)[0, 0]

    @torch.no_grad()
    def _thin(self, weight: Tensor, basis: Tensor) -> Tensor:
        # Autocast makes a new weight each pass, tensors of inference mode count no versions, and to compare
        # a sample would have the CPU wait for another device. A trace must hold what makes them.
        passing = weight.is_inference() or torch.is_autocast_enabled("cpu")
        if weight.device.type != "cpu" or passing or torch._C._get_tracing_state() is not None:
            return thin_filters(weight, basis.to(weight.dtype))
        if self._kept is None or not self._kept.mark.fits(weight, basis):
            thin = thin_filters(weight, basis.to(weight.dtype))
            thin = thin.contiguous(memory_format=torch.channels_last)
            self._kept = _Kept(weight.detach(), Mark.of(weight, basis, inside=True), thin)
        return self._kept.thin


def _needs_gradients(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(one is not None and one.requires_grad for one in tensors)
