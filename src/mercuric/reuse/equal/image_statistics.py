"""What are sums, averages and largest numbers over the positions of each image?"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.kernels import OUTSIDE, class_maximum, expand, image_sums
from mercuric.reuse.equal.table import Table
from mercuric.reuse.precision import accurate


def of_images(table: Table) -> tuple[Classes, Tensor, Tensor]:
    """Classes that tell images, the rows of these and the image of each, int64."""
    images = table.classes.images()
    classes = table.classes.with_classes(images)[0]
    rows = table.rows if classes is table.classes else expand(table.rows, classes.inside(table.classes))
    return classes, rows, classes.inside(images).long()


def image_totals(table: Table) -> Tensor:
    """The sum of each image's vectors: (images, channels)."""
    return image_sums(accurate(table.rows), table.classes.ids.flatten(1)).to(table.rows.dtype)


def image_norms(table: Table) -> Tensor:
    """The Euclidean length of each image's channels: (images, channels); the gradient at 0 is 0."""
    squares = image_sums(accurate(table.rows).square(), table.classes.ids.flatten(1))
    zero = squares == 0
    return squares.masked_fill(zero, 1).sqrt().masked_fill(zero, 0).to(table.rows.dtype)


def image_averages(table: Table) -> Tensor:
    """The average of each image's vectors: (images, channels)."""
    ids = table.classes.ids.flatten(1)
    return (image_sums(accurate(table.rows), ids) / ids.shape[1]).to(table.rows.dtype)


def image_maxima(table: Table) -> Tensor:
    """The largest numbers of each image's vectors: (images, channels).

    Of equal ones the first has the gradient.
    """
    images = table.classes.images()
    classes = table.classes.with_classes(images)[0]
    ids = classes.ids.flatten()
    places = torch.arange(len(ids), device=ids.device)
    first = torch.full((classes.number,), len(ids), device=ids.device)
    first = first.scatter_reduce_(0, ids.long(), places, "amin")
    first, order = first.sort()
    taken = order[first < len(ids)]
    image = first[: len(taken)] // (len(ids) // images.number)
    counts = torch.bincount(image, minlength=images.number)
    column = torch.arange(len(taken), device=ids.device) - (counts.cumsum(0) - counts)[image]
    members = ids.new_full((images.number, int(counts.max())), OUTSIDE)
    members[image, column] = classes.inside(table.classes)[taken]
    return class_maximum(table.rows, members)


def even_maxima(table: Table) -> Tensor:
    """The largest numbers of each image's vectors: (images, channels), whose gradient equal ones share."""
    classes, rows, image = of_images(table)
    with torch.no_grad():
        largest = image_maxima(table)
        ties = (rows == largest[image]) * classes.counts[:, None].to(rows.dtype)
        ties /= torch.zeros_like(largest).index_add_(0, image, ties)[image]
    even: Tensor = _Largest.apply(rows, image, ties, largest)  # type: ignore[no-untyped-call]
    return even


class _Largest(Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, image: Tensor, ties: Tensor, largest: Tensor) -> Tensor:  # noqa: ARG004
        ctx.save_for_backward(image, ties)
        return largest.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        image, ties = ctx.saved_tensors
        return gradients[0][image] * ties, None, None, None
