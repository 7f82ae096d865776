"""Classes of equal vectors and operations on a row a class, by definition, in plain PyTorch.

Autograd differentiates operations on rows, as often as asked; a row's gradient is the sum over its class.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.kernels.class_table import OUTSIDE, ClassTable
from mercuric.reuse.equal.kernels.window import Window
from mercuric.reuse.precision import accurate


def vector_classes(vectors: Tensor, most: int | None = None, scope: int = 0) -> ClassTable | None:
    """Classes of rows of equal bits.

    Args:
        vectors: (vectors, length), of any dtype.
        most: classes at most.
        scope: vectors of a scope, among which classes are shared; 0 for all.

    Returns:
        The classes, with members where vectors are int32; None where there are more than ``most``.
    """
    count = len(vectors)
    numbers = torch.zeros(count, dtype=torch.int64, device=vectors.device)
    if vectors.numel():
        own = vectors.detach().resolve_neg().contiguous()
        lined_up = own.as_strided(own.shape, (own.shape[1], 1))  # as no dimension of 1 element must have
        _, numbers = torch.unique(lined_up.view(torch.uint8), dim=0, return_inverse=True)
    if scope and count:
        numbers = numbers + torch.arange(count, device=vectors.device) // scope * count
    kinds, found = torch.unique(numbers, return_inverse=True)
    places = torch.arange(count, device=vectors.device)
    first = torch.full_like(kinds, count).scatter_reduce_(0, found, places, "amin")
    if most is not None and len(first) > most:
        return None
    order = first.argsort()
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    first = first[order]
    members = vectors[first] if vectors.dtype == torch.int32 else first.new_empty(len(first), 0).int()
    return ClassTable(rank[found].int(), members, first)


Find = Callable[[Tensor, int | None, int], ClassTable | None]


def image_classes(
    images: Tensor, most: int | None = None, per_image: bool = False, find: Find = vector_classes
) -> ClassTable | None:
    """Classes of pixels of equal bits.

    Args:
        images: (N, C, H, W), of any dtype.
        most: classes at most.
        per_image: whether pixels of different images are of different classes.
        find: classes of vectors.

    Returns:
        The classes, ids (N, H, W); None where there are more than ``most``.
    """
    count, channels, height, width = images.shape
    pixels = images.permute(0, 2, 3, 1).reshape(-1, channels)
    found = find(pixels, most, height * width if per_image else 0)
    if found is None:
        return None
    members = found.members.new_empty(found.classes, 0)
    return ClassTable(found.ids.view(count, height, width), members, found.first)


def window_classes(
    ids: Tensor,
    window: Window,
    most: int | None = None,
    per_image: bool = False,
    find: Find = vector_classes,
) -> ClassTable | None:
    """Classes of windows that hold the same classes at each tap.

    Args:
        ids: int32, (N, H, W): the class of each position, at least 0.
        window: where the windows lie.
        most: classes at most.
        per_image: whether windows of different images are of different classes.
        find: classes of vectors.

    Returns:
        The classes, ids (N, H', W') and members (classes, taps); None where there are more than ``most``.
    """
    count, *sides = ids.shape
    rows, columns = window.output(*sides)
    above, below, left, right = window.padding
    padded = F.pad(ids, (left, right, above, below), value=OUTSIDE)
    starts_y, starts_x = (
        torch.arange(n, device=ids.device) * s for n, s in zip((rows, columns), window.stride, strict=True)
    )
    taps_y, taps_x = (
        torch.arange(k, device=ids.device) * d for k, d in zip(window.kernel, window.dilation, strict=True)
    )
    y = starts_y[:, None, None, None] + taps_y[:, None]
    x = starts_x[:, None, None] + taps_x
    tuples = padded[:, y, x].reshape(-1, window.taps)
    found = find(tuples, most, rows * columns if per_image else 0)
    if found is None:
        return None
    return ClassTable(found.ids.view(count, rows, columns), found.members, found.first)


def class_counts(ids: Tensor, classes: int) -> Tensor:
    """int64, (classes,): positions of each class."""
    return torch.bincount(ids.flatten(), minlength=classes)


def pair_count(members: Tensor) -> int:
    """How many distinct pairs of a tap and a row members (U, T) hold; what lies outside is none."""
    taps = torch.arange(members.shape[1], device=members.device)
    codes = members.long() * members.shape[1] + taps
    return len(codes[members >= 0].unique())  # type: ignore[no-untyped-call]


def expand(rows: Tensor, ids: Tensor) -> Tensor:
    """Each position's row: rows (R, C) and ids (...) to (..., C); of 16 bits gradients are added up in 32."""
    taken = accurate(rows) if rows.requires_grad and torch.is_grad_enabled() else rows
    return taken.index_select(0, ids.flatten()).to(rows.dtype).view(*ids.shape, rows.shape[1])


def gather(rows: Tensor, members: Tensor) -> Tensor:
    """Rows of each class's members, zeros outside: rows (R, C) and members (U, T) to (U, T x C)."""
    return _taps(rows, members, 0.0).flatten(1)


def class_convolution(
    rows: Tensor, weight: Tensor, bias: Tensor | None, members: Tensor, groups: int = 1
) -> Tensor:
    """A convolution's result for each class of windows.

    Args:
        rows: (R, C).
        weight: (M, C / groups, kernel rows, kernel columns).
        bias: (M,) or None.
        members: int32, (U, T): the row at each tap, :data:`OUTSIDE` for zeros.
        groups: of channels.

    Returns:
        (U, M).
    """
    filters = weight.reshape(groups, len(weight) // groups, weight.shape[1], -1)
    taps = _taps(rows, members, 0.0)
    taps = taps.reshape(*members.shape, groups, weight.shape[1])
    product = torch.einsum("utgc,gmct->ugm", taps, filters).flatten(1)
    return product if bias is None else product + bias


def class_product_flat(rows: Tensor, ids: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear layer on flattened maps, whose features are channels x positions.

    Args:
        rows: (R, C).
        ids: (N, P): the row at each position.
        weight: (M, C x P).
        bias: (M,) or None.

    Returns:
        (N, M).
    """
    return F.linear(expand(rows, ids).mT.flatten(1), weight, bias)


def class_maximum(rows: Tensor, members: Tensor) -> Tensor:
    """The largest of each class's members, channel by channel: (R, C) and (U, T) to (U, C).

    Members outside are ignored; NaN is largest, and of equal members the first gets the gradient.
    """
    taps = _taps(rows, members, -torch.inf)
    inside = members >= 0
    best = taps[:, 0]
    chosen = inside.int().argmax(1)[:, None].expand_as(best)
    for tap in range(1, members.shape[1]):
        value = taps[:, tap]
        better = ((value > best) | value.isnan()) & inside[:, tap, None]
        best, chosen = value.where(better, best), chosen.where(~better, tap)
    return taps.gather(1, chosen[:, None]).squeeze(1)


def class_sum(rows: Tensor, members: Tensor) -> Tensor:
    """The sum of each class's members: rows (R, C) and members (U, T) to (U, C)."""
    return _taps(rows, members, 0.0).sum(1)


def image_sums(rows: Tensor, ids: Tensor) -> Tensor:
    """The sum over each image's positions: rows (R, C) and ids (N, P) to (N, C)."""
    return expand(rows, ids).sum(1)


def class_normalisation(
    rows: Tensor, counts: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation by the statistics of all positions.

    Args:
        rows: (U, C).
        counts: (U,): positions of each class.
        weight, bias: (C,) or None.
        eps: added to the variance.

    Returns:
        The normalised rows, and mean and biased variance (C,), through which no gradient flows.
    """
    exact, shares = rows.double(), (counts.double() / counts.sum())[:, None]
    mean = (exact * shares).sum(0)
    variance = ((exact - mean).square() * shares).sum(0)
    normalised = ((exact - mean) * (variance + eps).rsqrt()).to(rows.dtype)
    if weight is not None:
        normalised = normalised * weight
    if bias is not None:
        normalised = normalised + bias
    return normalised, mean.detach().to(rows.dtype), variance.detach().to(rows.dtype)


def _taps(rows: Tensor, members: Tensor, outside: float) -> Tensor:
    """(U, T, C), with ``outside`` where a member lies outside."""
    framed = F.pad(rows, (0, 0, 0, 1), value=outside)
    return expand(framed, members.where(members >= 0, len(rows)))
