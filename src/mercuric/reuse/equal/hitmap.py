"""Which vectors are computed, and which take the result of an equal one before them?"""

import torch

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap, HitState


def class_hitmap(classes: Classes, shape: VectorShape) -> Hitmap:
    """What a cache without limit says of a layer's vectors: the first of each class is computed and kept.

    Args:
        classes: of all positions, in raster order.
        shape: how they split into scopes. Groups of a convolution, whose windows lie at the same places,
            are alike.
    """
    ids = classes.ids.reshape(shape.images, -1).long()
    images = torch.arange(shape.images, device=ids.device)[:, None]
    keys = (images * classes.number + ids).flatten()
    places = torch.arange(ids.shape[1], device=ids.device).repeat(shape.images)
    first = torch.full((shape.images * classes.number,), ids.shape[1], device=ids.device)
    first.scatter_reduce_(0, keys, places, "amin")
    sources = first[keys]
    states = torch.where(sources == places, HitState.MAU.value, HitState.HIT.value).to(torch.uint8)
    groups = shape.scopes // max(1, shape.images)
    return Hitmap(*(_of_groups(part.view_as(ids), groups) for part in (states, sources)))


def _of_groups(part: torch.Tensor, groups: int) -> torch.Tensor:
    return part if groups == 1 else part.repeat_interleave(groups, 0)
