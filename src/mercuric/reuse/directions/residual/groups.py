"""Which vectors of an image share what the principal directions leave out?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """Vectors by the signs of their first principal components, image by image.

    Attributes:
        number: int64, (vectors,): the group of each vector.
        members: int64, (groups, members): vectors whose mean stands for the group, the first ones in
            vector order; -1 where a group has fewer.
        exact: how many vectors were set apart, to be computed exactly.
    """

    number: Tensor
    members: Tensor
    exact: int = 0

    @property
    def counts(self) -> Tensor:
        """int64, (groups,): members of each group."""
        return (self.members >= 0).sum(1)

    def without(self, apart: Tensor) -> "Groups":
        """The same groups, but each vector of ``apart``, bool (vectors,), in one of its own."""
        alone = apart.nonzero()[:, 0]
        number = self.number.clone()
        number[alone] = len(self.members) + torch.arange(len(alone), device=number.device)
        own = self.members.new_full((len(alone), self.members.shape[1]), -1)
        own[:, 0] = alone
        return Groups(number, torch.cat([self.members, own]), self.exact + len(alone))


def sign_groups(components: Tensor, bits: int, members: int) -> Groups:
    """Vectors of an image whose first ``bits`` components have equal signs.

    Args:
        components: (N, rank, H', W'), the principal components of a convolution's windows.
        bits: at most; no more than there are components.
        members: vectors that stand for a group, at most.
    """
    first = components[:, :bits].permute(0, 2, 3, 1).flatten(0, 2)
    bits = first.shape[1]
    return groups_of(sign_codes(first, len(components), bits), len(components) << bits, members)


def sign_codes(components: Tensor, images: int, bits: int) -> Tensor:
    """The signs of the first ``bits`` components as a number, and the image above them.

    Args:
        components: (images x vectors, at least ``bits``), image by image.
        images: how many images.
        bits: signs that vectors of a group have in common.

    Returns:
        int64, (images x vectors,), below ``images << bits``.
    """
    powers = 1 << torch.arange(bits, device=components.device)
    signs = ((components[:, :bits] > 0) * powers).sum(1)
    image = torch.arange(images, device=components.device).repeat_interleave(
        len(components) // max(images, 1)
    )
    return signs + (image << bits)


def groups_of(codes: Tensor, possible: int, members: int) -> Groups:
    """Vectors of equal code, and the first few of each.

    Args:
        codes: int64, (vectors,), from 0 to ``possible - 1``.
        possible: how many codes there can be.
        members: vectors that stand for a group, at most.
    """
    if codes.device.type != "cpu":
        return reference_groups(codes, members)
    number, first = (
        np.empty(len(codes), np.int64),
        np.full((min(possible, len(codes)), members), -1, np.int64),
    )
    groups = _group(codes.numpy(), np.full(possible, -1, np.int64), number, first)
    return Groups(torch.from_numpy(number), torch.from_numpy(first[:groups]))


def reference_groups(codes: Tensor, members: int) -> Groups:
    """What :func:`groups_of` finds, by definition: groups in the order of their first vectors."""
    _, number, counts = torch.unique(codes, return_inverse=True, return_counts=True)
    order = number.argsort(stable=True)
    starts = counts.cumsum(0) - counts
    places = torch.arange(members, device=codes.device)
    inside = places < counts[:, None]
    first = order[(starts[:, None] + places).where(inside, 0)].where(inside, -1)
    by_first = first[:, 0].argsort()
    return Groups(by_first.argsort()[number], first[by_first])


@njit(cache=True, nogil=True)
def _group(
    codes: NDArray[np.int64], numbers: NDArray[np.int64], number: NDArray[np.int64], first: NDArray[Any]
) -> int:
    groups = 0
    filled = np.zeros(len(first), np.int64)
    for vector in range(len(codes)):
        group = numbers[codes[vector]]
        if group < 0:
            group = numbers[codes[vector]] = groups
            groups += 1
        number[vector] = group
        if filled[group] < first.shape[1]:
            first[group, filled[group]] = vector
            filled[group] += 1
    return groups
