"""What is a multilayer perceptron on a table of categories?"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.errors import ArgumentError


def build_table_mlp(categories: Sequence[int], outputs: int, hidden: Sequence[int] = (256, 256)) -> nn.Module:
    """Fully connected layers with activations between, on rows that :func:`one_hot` wrote.

    Args:
        categories: how many there are in each column.
        outputs: of the last layer.
        hidden: of the layers before it.

    Returns:
        A module from (B, sum of categories) to (B, outputs).

    Raises:
        ValueError: no column, or a number under 1.
    """
    _check(categories)
    if outputs < 1 or min(hidden, default=1) < 1:
        raise ArgumentError(f"outputs was {outputs} and hidden {list(hidden)}, but all must be at least 1")
    sizes = (sum(categories), *hidden)
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))


def one_hot(table: Tensor, categories: Sequence[int]) -> Tensor:
    """A table of categories as a network reads it.

    Args:
        table: (B, columns) int64, each entry from 0 to its column's categories - 1.
        categories: how many there are in each column.

    Returns:
        (B, sum of categories) float32: 1 at each entry's category, 0 elsewhere.

    Raises:
        ValueError: another shape or type, no column, or an entry out of its range.
    """
    _check(categories)
    if table.dtype != torch.int64 or table.ndim != 2 or table.shape[1] != len(categories):
        raise ArgumentError(
            f"table was a {table.dtype} tensor of shape {tuple(table.shape)}, but must be a torch.int64 one "
            f"of {len(categories)} columns"
        )
    for column, (entries, count) in enumerate(zip(table.unbind(1), categories, strict=True)):
        if len(wrong := entries[(entries < 0) | (entries >= count)]):
            raise ArgumentError(
                f"column {column} of table held {wrong[0].item()}, but entries must be from 0 to {count - 1}"
            )
    columns = zip(table.unbind(1), categories, strict=True)
    return torch.cat([F.one_hot(entries, count) for entries, count in columns], 1).float()


def _check(categories: Sequence[int]) -> None:
    if min(categories, default=0) < 1:
        raise ArgumentError(f"categories was {list(categories)}, but must name a column, each of at least 1")
