"""Which positions hold equal vectors?"""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from mercuric.reuse.equal.kernels import OUTSIDE, Window, class_counts, vector_classes, window_classes

_IMAGE = object()
"""The mark of images as classes."""


class Classes:
    """A class a position; positions of one class hold bitwise equal vectors.

    Args:
        ids: int32, any shape: the class of each position.
        number: how many classes there are; some may have no position.
        first: int64, (number,): a flat position of each class, or None where that is not known.
        finer_than: classes of the same positions that these tell.
        of_image: whether no class has positions in two images.
    """

    def __init__(
        self,
        ids: Tensor,
        number: int,
        first: Tensor | None = None,
        finer_than: "Sequence[Classes]" = (),
        of_image: bool = False,
    ) -> None:
        self.ids = ids
        self.number = number
        self._first = first
        # A mark of these classes and of all that they tell: no reference, which would go round in a circle.
        self._mark = object()
        self._marks: frozenset[object] = frozenset({self._mark}).union(*(each._marks for each in finer_than))
        if of_image:
            self._marks |= {_IMAGE}
        self._counts: Tensor | None = None
        self._derived: dict[Hashable, tuple[Classes, Tensor] | None] = {}

    @property
    def positions(self) -> int:
        """How many there are."""
        return self.ids.numel()

    @property
    def counts(self) -> Tensor:
        """Positions of each class, int64 (number,)."""
        if self._counts is None:
            self._counts = class_counts(self.ids, self.number)
        return self._counts

    @property
    def first(self) -> Tensor:
        """A flat position of each class, int64 (number,); 0 for a class without positions."""
        if self._first is None:
            first = torch.zeros(self.number, dtype=torch.int64, device=self.ids.device)
            places = torch.arange(self.positions, device=self.ids.device)
            self._first = first.scatter_(0, self.ids.flatten().long(), places)
        return self._first

    @property
    def _all(self) -> Tensor:
        return torch.arange(self.number, dtype=torch.int32, device=self.ids.device)

    def tells(self, other: "Classes") -> bool:
        """Whether a class of these is within one class of the others."""
        return other._mark in self._marks

    def inside(self, other: "Classes") -> Tensor:
        """For each class, its class among ``other``, which these tell: int32 (number,)."""
        return other.ids.flatten()[self.first]

    def windows(self, window: Window, most: int | None = None) -> "tuple[Classes, Tensor] | None":
        """Classes of the windows of ids (N, H, W), and the classes in each: int32 (number, taps).

        Args:
            window: where the kernel lies.
            most: give up beyond so many classes.

        Returns:
            None where there are more.
        """
        if window == Window((1, 1)):
            return None if most is not None and self.number > most else (self, self._all[:, None])
        known = self._derived.get(window)
        if known is not None:
            return known if most is None or known[0].number <= most else None
        table = window_classes(self.ids, window, most)
        if table is None:
            return None
        coarser = (self,) if _keeps_places(window) else ()
        # A window's class has that of a pixel in it, unless all lies in the padding.
        of_image = _IMAGE in self._marks and not (table.members == OUTSIDE).all(1).any()
        found = (Classes(table.ids, table.classes, table.first, coarser, bool(of_image)), table.members)
        self._derived[window] = found
        return found

    def with_classes(self, other: "Classes") -> tuple["Classes", Tensor | None, Tensor | None]:
        """Classes of pairs of these and others of the same positions, and both classes of each pair.

        Int32 (number,); None where they are the pairs' own.
        """
        if self.tells(other):
            return self, None, None if self is other else self.inside(other)
        if other.tells(self):
            return other, other.inside(self), None
        table = vector_classes(torch.stack([self.ids.flatten(), other.ids.flatten()], 1))
        assert table is not None  # noqa: S101 - nothing was to be given up
        found = Classes(table.ids.view(self.ids.shape), table.classes, table.first, (self, other))
        return found, table.members[:, 0].contiguous(), table.members[:, 1].contiguous()

    def images(self) -> "Classes":
        """A class an image, of positions (images, ...)."""
        ids = self.ids
        images = torch.arange(len(ids), dtype=torch.int32, device=ids.device)
        found = Classes(images.view(-1, *[1] * (ids.dim() - 1)).expand(ids.shape).contiguous(), len(ids))
        found._mark, found._marks = _IMAGE, frozenset({_IMAGE})
        return found

    def moved(self, ids: Tensor) -> "Classes":
        """The same classes at other positions."""
        return self if ids is self.ids else Classes(ids.contiguous(), self.number)


def _keeps_places(window: Window) -> bool:
    """Whether a window has a pixel at the place that it stands for, so that its class tells the pixel's."""
    top, bottom, left, right = window.padding
    pads = ((top, bottom), (left, right))
    return window.stride == (1, 1) and all(
        before % step == 0 and before // step < taps and before + after == step * (taps - 1)
        for (before, after), taps, step in zip(pads, window.kernel, window.dilation, strict=True)
    )
