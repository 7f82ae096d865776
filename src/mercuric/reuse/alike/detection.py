"""Which of a layer's vectors reuse which other's result?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mercuric.reuse.alike.config import Alike
from mercuric.reuse.vectors import Scope, VectorShape
from mercuric.reuse.windows import Windows
from mercuric.similarity import Hitmap, HitState
from mercuric.similarity.rpq import signatures_and_sizes, window_signatures


@dataclass(frozen=True)
class Detection:
    """The similarity found in one input.

    Attributes:
        hitmap: (scopes, vectors), as the MCACHE saw it.
        zero: bool, (scopes, vectors): vectors whose elements are all zero.
        source: int64, (channel groups, Q): the window whose result each window uses.
        signatures: int64, (scopes, vectors) or (scopes, vectors, 2).
        context: int64, (scopes, vectors): what must be equal besides the signatures, and negative for a
            vector that isn't finite, which is like no other; None for nothing.
    """

    hitmap: Hitmap
    zero: Tensor
    source: Tensor
    signatures: Tensor
    context: Tensor | None


def detect(
    flat: Tensor, windows: Windows, shape: VectorShape, projection: Tensor, config: Alike
) -> Detection:
    """Signatures and MCACHE look-ups of every window (paper III-B).

    Args:
        flat: the padded input, one-dimensional.
        windows: where its windows lie.
        shape: how the windows split into vectors and scopes.
        projection: (vector length, bits).
        config: scope and organisation of the MCACHE.
    """
    groups = windows.length // shape.length
    images = _images(shape, groups, config.scope)
    signatures, zero, sizes = _signatures(flat, windows, projection, groups, config.magnitude)
    by_scope = _by_scope(signatures, images)
    context = None if sizes is None else _by_scope(sizes, images)
    hitmap = config.cache.access(by_scope, context)
    offset = torch.arange(images, device=flat.device).repeat_interleave(groups) * shape.vectors
    source = _by_group(hitmap.representatives + offset[:, None], images)
    return Detection(hitmap, _by_scope(zero, images), source, by_scope, context)


def patch_detection(
    source: Tensor,
    signatures: Tensor,
    zero: Tensor,
    shape: VectorShape,
    finite: Tensor,
    unstored: Tensor | None = None,
) -> Detection:
    """The similarity of whole patches whose representatives are known, scope after scope.

    Args:
        source: int64, (Q,): the window whose result each window uses.
        signatures: int64, (Q, words).
        zero: bool, (Q,): windows that are all zeros.
        shape: how the windows split into scopes.
        finite: bool, (Q,): windows that may be like others.
        unstored: bool, (Q,): windows that found no room in the cache; None for none.
    """
    split = (shape.scopes, shape.vectors)
    places = torch.arange(len(source), device=source.device)
    states = (source == places).to(torch.uint8) * HitState.MAU.value
    unstored = ~finite if unstored is None else unstored | ~finite
    states = states.masked_fill(unstored, HitState.MNU.value)
    context = None if bool(finite.all()) else (finite.to(torch.int64) - 1).view(split)
    words = signatures.view(*split, -1)
    return Detection(
        Hitmap(states.view(split), source.view(split) - places.view(split)[:, :1]),
        zero.view(split),
        source[None],
        words[..., 0] if words.shape[-1] == 1 else words,
        context,
    )


def source_without_zeros(detection: Detection) -> Tensor:
    """``detection.source`` with each zero vector that a zero vector represents on its own.

    Results are the same; their derivative towards each such vector then is its own as well.
    """
    zero, source = detection.zero, detection.source
    both = _by_group(zero & zero.gather(1, detection.hitmap.representatives), len(zero) // len(source))
    return torch.where(both, torch.arange(source.shape[1], device=source.device), source)


def zero_windows(
    flat: Tensor, windows: Windows, shape: VectorShape, projection: Tensor, config: Alike
) -> Tensor:
    """Which vectors are all zeros, bool (scopes, vectors); arguments as for :func:`detect`."""
    groups = windows.length // shape.length
    _, zero, _ = _signatures(flat, windows, projection[:, :1], groups, None)
    return _by_scope(zero, _images(shape, groups, config.scope))


def _images(shape: VectorShape, groups: int, scope: Scope) -> int:
    return 1 if scope == "batch" else shape.scopes // groups


def _signatures(
    flat: Tensor, windows: Windows, projection: Tensor, groups: int, magnitude: int | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    if flat.device.type == "cpu":
        if flat.dtype not in (torch.float32, torch.float64):
            flat = flat.to(torch.float32)
        return window_signatures(
            flat, windows.starts, windows.channel_stride, windows.taps, projection, groups, magnitude
        )
    vectors = flat[windows.addresses()].view(groups, -1, len(windows.starts)).transpose(1, 2)
    found, sizes = signatures_and_sizes(vectors, projection, magnitude)
    return found, (vectors == 0).all(-1), sizes


def _by_scope(values: Tensor, images: int) -> Tensor:
    """(groups, images x vectors, ...) to (images x groups, vectors, ...), as the MCACHE sees them."""
    groups, rest = values.shape[0], values.shape[2:]
    split = values.reshape(groups, images, -1, *rest).transpose(0, 1)
    return split.reshape(images * groups, -1, *rest)


def _by_group(values: Tensor, images: int) -> Tensor:
    """The inverse of :func:`_by_scope`."""
    split = values.reshape(images, -1, values.shape[1]).transpose(0, 1)
    return split.reshape(split.shape[0], -1)
