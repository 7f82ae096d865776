"""How does a layer's input split into input vectors?"""

from dataclasses import dataclass
from math import prod
from typing import Literal

from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.geometry import ConvGeometry, Pair

Granularity = int | Literal["channel", "patch"]
Scope = Literal["image", "batch"]


@dataclass(frozen=True)
class VectorShape:
    """The input vectors of one layer on one batch, and what each is multiplied with.

    Attributes:
        scopes: how often the MCACHE is cleared: one scope an image and channel group, or one a
            channel group where the whole batch shares it.
        vectors: input vectors in one scope, in raster order.
        rows: rows of the window, each held by one PE of a PE set (1 for fully connected layers).
        elements: elements of the vector in one row (channels of the group x kernel width).
        filters: dot products that each vector takes part in (filters of its convolution group).
        images: scopes that are multiplied with the same filters, one an image.
        depth: scopes whose dot products add up to one output, one a channel (or group of them). The
            ``scopes / (images x depth)`` groups of a grouped convolution are independent of each other.
        output_rows: rows of the output that a scope's vectors make, all of one length (of every image
            where a batch is one scope); None: not known, or no image.
    """

    scopes: int
    vectors: int
    rows: int
    elements: int
    filters: int
    images: int = 1
    depth: int = 1
    output_rows: int | None = None

    @property
    def length(self) -> int:
        """Elements of one input vector."""
        return self.rows * self.elements

    @property
    def groups(self) -> int:
        """Groups of a convolution, each of filters and channels of its own; 0 of no image."""
        return self.scopes // max(self.images * self.depth, 1)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense product."""
        return self.scopes * self.vectors * self.length * self.filters


def group_channels(granularity: Granularity, conv: ConvGeometry) -> int:
    """Channels that one input vector of ``conv`` spans.

    Raises:
        ValueError: the granularity divides no group of channels of this layer.
    """
    return _span(granularity, conv, conv.in_channels // conv.groups, "channels")


def gradient_channels(granularity: Granularity, conv: ConvGeometry) -> int:
    """Channels that one gradient vector of ``conv`` spans: those of its output (paper III-C2).

    Raises:
        ValueError: the granularity divides no group of output channels of this layer.
    """
    return _span(granularity, conv, conv.out_channels // conv.groups, "output channels")


def _span(granularity: Granularity, conv: ConvGeometry, channels: int, what: str) -> int:
    # A one-element vector has no direction, so a 1x1 kernel spans every channel of the pixel.
    if granularity == "patch" or conv.taps == 1:
        return channels
    if granularity == "channel":
        return 1
    if granularity >= channels:
        return channels
    if channels % granularity:
        raise ArgumentError(
            f"granularity was {granularity}, but it must divide the {channels} {what} of each group of "
            f"{conv.layer}"
        )
    return granularity


def conv_vectors(
    conv: ConvGeometry, images: int, output: Pair, granularity: Granularity, scope: Scope
) -> VectorShape:
    """Input vectors of a convolution over ``images`` images with ``output`` rows and columns of windows."""
    span = group_channels(granularity, conv)
    filters = conv.out_channels // conv.groups
    return _image_vectors(conv, images, output, conv.in_channels // span, span, filters, scope)


def gradient_vectors(
    conv: ConvGeometry, images: int, size: Pair, granularity: Granularity, scope: Scope
) -> VectorShape:
    """Gradient vectors of a convolution whose ``images`` inputs have ``size`` rows and columns of pixels.

    The gradient of the input is a convolution of the output's gradient with the same kernels turned
    by 180 degrees (paper II-C, equation 2): its vectors are windows of that gradient.
    """
    span = gradient_channels(granularity, conv)
    filters = conv.in_channels // conv.groups
    return _image_vectors(conv, images, size, conv.out_channels // span, span, filters, scope)


def _image_vectors(
    conv: ConvGeometry, images: int, sides: Pair, groups: int, span: int, filters: int, scope: Scope
) -> VectorShape:
    height, width = conv.kernel_size
    window, depth = (height, span * width, filters), groups // conv.groups
    if scope == "image":
        return VectorShape(images * groups, prod(sides), *window, images, depth, sides[0])
    return VectorShape(groups, images * prod(sides), *window, 1, depth, images * sides[0] or None)


def vectors_of(geometry: ConvGeometry, images: Tensor, granularity: Granularity, scope: Scope) -> VectorShape:
    """The input vectors of a convolution of images (N, C, H, W)."""
    count = len(images)
    rows, columns = geometry.grid(count, images.shape[-2:]).output[1:]
    return conv_vectors(geometry, count, (rows, columns if count else 0), granularity, scope)


def row_vectors(shape: tuple[int, ...], filters: int, scope: Scope, blocks: int = 1) -> VectorShape:
    """The rows of ``shape`` (..., length) as vectors of ``filters`` dot products each (paper III-C3).

    They are cut into ``blocks`` vectors of equal length, whose dot products add up, or the most below that
    divide them: 1,000 elements into 125 where 128 are asked for.

    A two-dimensional input is one scope whatever ``scope`` says: an image gives one vector, and the
    paper compares the vectors of a minibatch. With more dimensions ``"image"`` clears the MCACHE
    for each index of the first.
    """
    rows = prod(shape[:-1])
    scopes = shape[0] if scope == "image" and len(shape) > 2 else 1
    vectors, length = rows // scopes if scopes else 0, shape[-1]
    cut = next(count for count in range(max(1, min(blocks, length)), 0, -1) if length % count == 0)
    return VectorShape(scopes * cut, vectors, 1, length // cut, filters, images=scopes, depth=cut)


def attention_vectors(query: tuple[int, ...], keys: int, value_length: int) -> VectorShape:
    """Input vectors of attention: the queries (..., L, d) of each sequence and head (paper III-C4).

    A row of the result takes ``keys`` dot products of length d for its weights and
    ``keys x value_length`` multiplications more for the average; they count as dot products of length d.
    """
    *leading, vectors, length = query
    return VectorShape(prod(leading), vectors, 1, length, keys + keys * value_length // length)
