"""Which positions of a batch have the same prefix, and so one node of its tree?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PrefixTree:
    """Distinct prefixes of a batch, a node each, in preorder: what continues a node follows it.

    Node ``k`` is an ancestor of node ``q``, or ``q`` itself, where ``k <= q < end[k]``.

    Attributes:
        rows: the sequence of the batch in which a node was met first, (nodes,).
        columns: its position there, (nodes,).
        end: the first node behind those that continue it, (nodes,).
        seen: whether the attention mask lets others attend to it, (nodes,).
        where: the node of each position, or -1 where nobody wants it, (sequences, length).
    """

    rows: Integers
    columns: Integers
    end: Integers
    seen: Flags
    where: Integers

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def blind(self) -> bool:
        """Whether some node attends to nothing, not even to itself, as padding on the left does."""
        reach = np.maximum.accumulate(np.where(self.seen, self.end, 0))
        return bool((reach <= np.arange(len(self))).any())


def distinct_prefixes(tokens: Integers, seen: Flags, positions: Integers | None = None) -> int:
    """How many nodes the tree of a batch has; arguments as in :func:`prefix_tree`."""
    _, common = _sorted_rows(tokens, seen, positions)
    return tokens.size - int(common.sum())


def prefix_tree(
    tokens: Integers, seen: Flags, positions: Integers | None = None, wanted: Flags | None = None
) -> PrefixTree:
    """The tree of a batch's prefixes.

    Two positions have one node where their tokens, what the mask says of them, and their positions are the
    same, and so is all before them.

    Args:
        tokens: (sequences, length).
        seen: whether others attend to a token, (sequences, length).
        positions: position ids, (sequences, length); None where they are the columns.
        wanted: positions whose outputs somebody reads, (sequences, length); all by default. Nodes are left
            out that none of these is and none attends to.
    """
    order, common = _sorted_rows(tokens, seen, positions)
    sequences, length = tokens.shape
    fresh = np.arange(length) >= common[:, None]
    numbers = np.cumsum(fresh).reshape(fresh.shape) - 1
    where = np.empty_like(numbers)
    where[order] = np.maximum.accumulate(np.where(fresh, numbers, -1), axis=0)
    starts = np.append(0, np.cumsum(length - common))
    end = np.concatenate([_ends(row, common, starts, length) for row in range(sequences)])
    met, columns = np.nonzero(fresh)
    rows = order[met]
    tree = PrefixTree(rows, columns, end, seen[rows, columns], where)
    return tree if wanted is None or wanted.all() else _pruned(tree, seen, wanted)


def _sorted_rows(tokens: Integers, seen: Flags, positions: Integers | None) -> tuple[Integers, Integers]:
    """Sequences in an order that brings equal beginnings together, and how much each shares with the last."""
    parts = [tokens * 2 + seen]
    if positions is not None:
        parts.append(positions)
    keys = np.ascontiguousarray(np.stack(parts, axis=-1))
    texts = [row.tobytes() for row in keys]
    order = np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.int64)
    rows = keys[order]
    differs = (rows[1:] != rows[:-1]).any(axis=-1)
    common = np.zeros(len(rows), dtype=np.int64)
    common[1:] = np.where(differs.any(axis=1), differs.argmax(axis=1), tokens.shape[1])
    return order, common


def _ends(row: int, common: Integers, starts: Integers, length: int) -> Integers:
    """Where the subtrees end of the nodes that a sorted row adds: at the row that leaves them."""
    left = np.minimum.accumulate(common[row + 1 :])
    columns = np.arange(common[row], length)
    return starts[row + 1 + np.searchsorted(-left, -columns, side="left")]


def _pruned(tree: PrefixTree, seen: Flags, wanted: Flags) -> PrefixTree:
    columns = np.arange(wanted.shape[1])
    last = np.where(wanted, columns, -1).max(axis=1, keepdims=True)
    needed = wanted | (seen & (columns <= last))
    keep = np.zeros(len(tree), dtype=np.bool_)
    keep[tree.where[needed]] = True
    before = np.append(0, np.cumsum(keep))
    where = np.where(keep[tree.where], before[tree.where], -1)
    return PrefixTree(tree.rows[keep], tree.columns[keep], before[tree.end[keep]], tree.seen[keep], where)


def allowed(end: Integers, seen: Flags, nodes: Sequence[int] | slice = slice(None)) -> Flags:
    """Which node (a row) attends to which (a column), among ``nodes``."""
    numbers = np.arange(len(end))[nodes]
    return seen[nodes] & (numbers <= numbers[:, None]) & (numbers[:, None] < end[nodes])
