"""Of which class is each vector of any dtype, and each pixel? They are compared as words of 32 bits."""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.class_table import ClassTable
from mercuric.reuse.equal.kernels.cpu.parts import Part, searched
from mercuric.reuse.equal.kernels.cpu.vector_table import VectorTable

BLOCK_WORDS = 1 << 18
"""Words of pixels looked at together: where they lie apart, they are copied."""


def vector_classes(vectors: Tensor, most: int | None, scope: int, period: int = 0) -> ClassTable | None:
    """See :func:`mercuric.reuse.equal.kernels.reference.vector_classes`; ``period``: of the vectors, where
    many are equal to those so far before."""
    count, unit = len(vectors), scope or 1
    words = _words(vectors).numpy()
    ids = np.empty(count, dtype=np.int32)
    most = count if most is None else most

    def search(first: int, last: int) -> Part | None:
        part = slice(first * unit, last * unit)
        table = VectorTable(words.shape[1], most, (last - first) * unit)
        within = table.add(words[part], ids[part], part.start, scope, period)
        return Part(table.tuples(), table.places()) if within else None

    table = searched(search, count // unit, ids, most, scope > 0)
    if table is None or vectors.dtype == torch.int32:
        return table
    return ClassTable(table.ids, table.members.new_empty(table.classes, 0), table.first)


def image_classes(images: Tensor, most: int | None, per_image: bool) -> ClassTable | None:
    """See :func:`mercuric.reuse.equal.kernels.reference.image_classes`."""
    count, channels, height, width = images.shape
    pixels = images.permute(0, 2, 3, 1)
    if pixels.is_contiguous() and pixels.numel():
        size = height * width
        table = vector_classes(pixels.reshape(-1, channels), most, size if per_image else 0, period=size)
        return None if table is None else _of_images(table, images)
    ids = np.empty((count * height, width), dtype=np.int32)
    most = ids.size if most is None else most
    step = max(1, BLOCK_WORDS // max(1, width * channels))
    planes = _planes(images)
    unit = height if per_image else 1

    def search(first: int, last: int) -> Part | None:
        length = (channels * images.element_size() + 3) // 4
        table, line = VectorTable(length, most, (last - first) * unit * width), first * unit
        while line < last * unit:
            image, y = line // height, line % height
            end = min(line + step, last * unit, (image + 1) * height)
            if planes is None:
                words = _words(pixels[image, y : y + end - line].reshape(-1, channels)).numpy()
            else:
                words = np.empty(((end - line) * width, channels), dtype=np.int32)
                _interleave(planes[image], y * width, words)
            scope = height * width if per_image and y == 0 else 0
            if not table.add(words, ids[line:end].reshape(-1), line * width, scope):
                return None
            line = end
        return Part(table.tuples(), table.places())

    table = searched(search, len(ids) // max(unit, 1), ids.reshape(-1), most, per_image)
    return None if table is None else _of_images(table, images)


def _of_images(table: ClassTable, images: Tensor) -> ClassTable:
    """Of pixels (N x H x W), without members."""
    ids = table.ids.view(len(images), *images.shape[2:])
    return ClassTable(ids, table.members.new_empty(table.classes, 0), table.first)


def _planes(images: Tensor) -> NDArray[np.int32] | None:
    """Images whose channels lie one behind another, in words: (images, channels, pixels)."""
    if images.element_size() != 4 or images.shape[1] == 1 or not images.is_contiguous():
        return None
    words: NDArray[np.int32] = images.detach().resolve_neg().flatten(2).view(torch.int32).numpy()
    return words


@njit(nogil=True, cache=True)
def _interleave(planes: NDArray[np.int32], first: int, words: NDArray[np.int32]) -> None:
    """Write pixels from ``first`` on, (channels, pixels), as vectors."""
    for pixel in range(len(words)):
        for channel in range(words.shape[1]):
            words[pixel, channel] = planes[channel, first + pixel]


def _words(vectors: Tensor) -> Tensor:
    """int32, (vectors, words), of vectors (vectors, length): their bits, and zeros to the last word's end."""
    values = vectors.detach().resolve_neg().contiguous()
    values = values.as_strided(values.shape, (values.shape[1], 1))  # as no dimension of 1 element must have
    size = values.element_size()
    odd = values.shape[1] * size % 4
    if size < 4 and (odd or values.storage_offset() * size % 4):
        whole = torch.zeros(len(values), (values.shape[1] * size + 3) // 4 * 4, dtype=torch.uint8)
        whole[:, : values.shape[1] * size] = values.view(torch.uint8)
        values = whole
    return values.view(torch.int32)
