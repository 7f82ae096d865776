"""Which of a layer's vectors share their residual, and which are computed exactly?"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.principal.config import PrincipalConfig
from mercuric.reuse.principal.directions import Directions
from mercuric.reuse.principal.groups import Groups, groups_of, sign_codes
from mercuric.reuse.principal.guarantee import amplification, distances, over_bound
from mercuric.reuse.principal.product import Placement, thin_filters
from mercuric.reuse.principal.residual import group_centres, residual_convolution
from mercuric.reuse.principal.window_pixels import WindowPixels


@dataclass(frozen=True)
class Alike:
    """The groups of one pass.

    Attributes:
        groups: of all vectors; those computed exactly are alone.
        exact: how many vectors were set apart by the bound.
    """

    groups: Groups
    exact: int


@torch.no_grad()
def alike_vectors(
    images: Tensor, weight: Tensor, directions: Directions, placement: Placement, config: PrincipalConfig
) -> Alike:
    """Group the windows of a convolution's input by the signs of their principal components.

    Args:
        images: (N, C, H, W).
        weight: (filters, C, kernel height, kernel width).
        directions: of the outputs without bias.
        placement: stride, padding with zeros, dilation.
        config: bits, members, and the largest error where it is guaranteed.
    """
    bits = min(config.residual_bits or 0, directions.rank)
    basis = directions.basis.to(weight.dtype)
    first = thin_filters(weight, basis[:, :bits]) if bits else weight[:1]
    z = F.conv2d(images, first, None, placement.stride, placement.padding, placement.dilation)
    components = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])
    codes = sign_codes(components, len(images), bits)
    groups = groups_of(codes, len(images) << bits, config.members)
    if config.max_error is None:
        return Alike(groups, 0)
    windows = WindowPixels.of(images, (weight.shape[2], weight.shape[3]), placement)
    centres = torch.cat([centres for _, centres in group_centres(windows, groups)])
    outputs = residual_convolution(images, weight, None, directions, placement, groups)
    apart = over_bound(
        outputs.permute(0, 2, 3, 1).reshape(-1, len(weight)),
        distances(windows, centres, groups.number),
        amplification(weight, directions),
        config.max_error,
    )
    return Alike(groups.without(apart), int(apart.sum()))
