"""Which positions hold equal vectors, and which windows equal classes?

Processors and GPUs search by compiled hash tables, other devices by the definition: with the same classes.
"""

import torch
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.class_table import ClassTable, check_positions
from mercuric.reuse.equal.kernels.cpu import counts, window_table, words
from mercuric.reuse.equal.kernels.gpu.device import is_on_gpu
from mercuric.reuse.equal.kernels.window import Window


def vector_classes(vectors: Tensor, most: int | None = None, scope: int = 0) -> ClassTable | None:
    """Classes of vectors of equal bits: 0.0 and -0.0 differ, NaNs of the same bits are equal.

    Args:
        vectors: (vectors, length), of any dtype.
        most: classes at most, or None for any number.
        scope: vectors of a scope, among which classes are shared; 0 for all.

    Returns:
        The classes, with members where vectors are int32; None where there are more than ``most``.

    Raises:
        ValueError: vectors of another shape, more than 2**31 - 1, or a scope that doesn't divide them.
    """
    if vectors.dim() != 2:
        raise ArgumentError(f"vectors were {tuple(vectors.shape)}, but must be (vectors, length)")
    check_positions("vectors", len(vectors))
    if scope < 0 or (scope and len(vectors) % scope):
        raise ArgumentError(f"scope was {scope}, but must be 0 or divide the {len(vectors)} vectors")
    if vectors.device.type == "cpu":
        return words.vector_classes(vectors, most, scope)
    return _find(vectors)(vectors, most, scope)


def image_classes(images: Tensor, most: int | None = None, per_image: bool = False) -> ClassTable | None:
    """Classes of pixels of equal bits, in all channels.

    Args:
        images: (N, C, H, W), of any dtype and strides.
        most: classes at most, or None for any number.
        per_image: whether pixels of different images are of different classes.

    Returns:
        The classes, ids (N, H, W), without members; None where there are more than ``most``.

    Raises:
        ValueError: images of another shape, or of more than 2**31 - 1 pixels.
    """
    if images.dim() != 4:
        raise ArgumentError(f"images were {tuple(images.shape)}, but must be (N, C, H, W)")
    check_positions("images", len(images) * images.shape[2] * images.shape[3])
    if images.device.type == "cpu":
        return words.image_classes(images, most, per_image)
    return reference.image_classes(images, most, per_image, _find(images))


def window_classes(
    ids: Tensor, window: Window, most: int | None = None, per_image: bool = False
) -> ClassTable | None:
    """Classes of windows that hold the same classes at each tap.

    Args:
        ids: int32, (N, H, W): the class of each position, at least 0.
        window: where the windows lie.
        most: classes at most, or None for any number.
        per_image: whether windows of different images are of different classes.

    Returns:
        The classes, ids (N, H', W') and members (classes, taps); None where there are more than ``most``.

    Raises:
        ValueError: ids of another shape or dtype, a map smaller than the window, or more than 2**31 - 1
            windows.
    """
    if ids.dtype != torch.int32 or ids.dim() != 3:
        raise ArgumentError(
            f"ids were {ids.dtype} of shape {tuple(ids.shape)}, but must be torch.int32 of shape (N, H, W)"
        )
    rows, columns = window.output(ids.shape[1], ids.shape[2])
    check_positions("windows", len(ids) * rows * columns)
    if ids.device.type == "cpu":
        return window_table.window_classes(ids, window, most, per_image)
    return reference.window_classes(ids, window, most, per_image, _find(ids))


def class_counts(ids: Tensor, classes: int) -> Tensor:
    """int64, (classes,): positions of each class.

    Args:
        ids: int32, of any shape: the class of each position.
        classes: how many there are.
    """
    if ids.device.type == "cpu":
        return counts.class_counts(ids, classes)
    return reference.class_counts(ids, classes)


def _find(values: Tensor) -> reference.Find:
    """What finds classes of vectors on a device that is no processor."""
    if is_on_gpu(values):
        from mercuric.reuse.equal.kernels.gpu.tables import vector_classes as found

        return found
    return reference.vector_classes
