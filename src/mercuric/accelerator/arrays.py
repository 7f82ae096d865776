"""What does each of several arrays do of a layer?"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch

from mercuric.accelerator.energy.operands import Operands, Tensor, operands
from mercuric.accelerator.hardware import Accelerator
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

Divided = Literal["filters", "groups", "images"]

_SHARED: dict[Divided, Tensor | None] = {"filters": "inputs", "images": "weights", "groups": None}


@dataclass(frozen=True)
class Share:
    """What an array does of a layer.

    Attributes:
        work: its vectors, with their Hitmap: an array computes the signatures of all its vectors itself.
        tensors: what it reads and writes.
        arrays: how many do as much.
        shared: the tensor that all arrays need whole; None: none.
    """

    work: Work
    tensors: Operands
    arrays: int = 1
    shared: Tensor | None = None


def busy(accelerator: Accelerator, work: Work) -> int:
    """Arrays that have a share of a layer; the others are idle."""
    return sum(share.arrays for share in shares(accelerator, work))


def shares(accelerator: Accelerator, work: Work, tensors: Operands | None = None) -> list[Share]:
    """The shares of a layer, the largest first: as even as they can be, none of them empty.

    Args:
        accelerator: its arrays, and what they split.
        work: the layer's input vectors and their Hitmap.
        tensors: what the layer reads and writes; None: vectors that don't overlap.
    """
    tensors = operands(work.shape) if tensors is None else tensors
    if accelerator.arrays == 1:
        return [Share(work, tensors)]
    what = _divided(accelerator, work)
    parts = {"filters": work.shape.filters, "groups": work.shape.groups, "images": work.shape.images}[what]
    if parts <= 1:
        return [Share(work, tensors)]
    least, more = divmod(parts, accelerator.arrays)
    if what == "filters":
        sizes = {least + 1: more, least: accelerator.arrays - more}
        return [
            Share(_with_filters(work, size), _of_filters(work, size, tensors), arrays, _SHARED[what])
            for size, arrays in sizes.items()
            if size and arrays
        ]
    starts = [place * least + min(place, more) for place in range(min(accelerator.arrays, parts) + 1)]
    return [_slice(work, tensors, what, start, stop) for start, stop in pairwise(starts)]


def _divided(accelerator: Accelerator, work: Work) -> Divided:
    """What arrays get a share of: whole groups where filters of several groups read different inputs."""
    if work.kind == "attention" or (accelerator.split_by == "filters" and work.shape.groups > 1):
        return "groups"
    return accelerator.split_by


def _with_filters(work: Work, filters: int) -> Work:
    return replace(work, shape=replace(work.shape, filters=filters))


def _of_filters(work: Work, filters: int, tensors: Operands) -> Operands:
    return operands(_with_filters(work, filters).shape, tensors.words.inputs, tensors.fresh)


def _slice(work: Work, tensors: Operands, what: Divided, start: int, stop: int) -> Share:
    """Images or groups from ``start`` to ``stop``."""
    shape, whole = work.shape, work.shape.images if what == "images" else work.shape.groups
    images = stop - start if what == "images" else shape.images
    part = replace(shape, scopes=shape.scopes * (stop - start) // whole, images=images)

    def cut(table: torch.Tensor) -> torch.Tensor:
        grid = table.reshape(shape.images, -1, shape.depth, shape.vectors)
        grid = grid[start:stop] if what == "images" else grid[:, start:stop]
        return grid.reshape(part.scopes, shape.vectors)

    hitmap = work.hitmap and Hitmap(cut(work.hitmap.states), cut(work.hitmap.representatives))
    sets = None if work.cache_sets is None else cut(work.cache_sets)
    inputs = tensors.words.inputs * stop // whole - tensors.words.inputs * start // whole
    own = replace(work, shape=part, hitmap=hitmap, cache_sets=sets)
    return Share(own, operands(part, inputs, tensors.fresh), shared=_SHARED[what])
