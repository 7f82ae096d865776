"""Which vectors are equal, and how does a layer compute a row for each class of them?"""

from mercuric.reuse.equal.kernels.class_table import OUTSIDE, ClassTable
from mercuric.reuse.equal.kernels.convolution import class_convolution
from mercuric.reuse.equal.kernels.flat_product import class_product_flat
from mercuric.reuse.equal.kernels.moves import expand, gather
from mercuric.reuse.equal.kernels.normalisation import class_normalisation
from mercuric.reuse.equal.kernels.pooling import class_maximum, class_sum, image_sums
from mercuric.reuse.equal.kernels.tables import (
    class_counts,
    image_classes,
    vector_classes,
    window_classes,
)
from mercuric.reuse.equal.kernels.window import Window

__all__ = [
    "OUTSIDE",
    "ClassTable",
    "Window",
    "class_convolution",
    "class_counts",
    "class_maximum",
    "class_normalisation",
    "class_product_flat",
    "class_sum",
    "expand",
    "gather",
    "image_classes",
    "image_sums",
    "vector_classes",
    "window_classes",
]
