"""Which ranks do layers get within a budget of multiplications?

Zhang and others (TPAMI 2016): the accuracy of a network whose layers keep shares of their energies goes as
the product of these shares, so ranks are sought that make it largest. Greedily: the eigenvalue goes that
takes least off the product for the multiplications that it saves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from mercuric.reuse.directions.factors import most_that_saves


@dataclass(frozen=True)
class Spectrum:
    """One layer, as the selection sees it.

    Attributes:
        energies: (filters,): squares of singular values, the largest first.
        length: elements of a filter.
        vectors: of a pass.
    """

    energies: Tensor
    length: int
    vectors: int

    @property
    def filters(self) -> int:
        """Its outputs."""
        return len(self.energies)

    def cost(self, rank: int) -> int:
        """Multiplications of a pass; of ranks that save nothing those of the layer as it is."""
        if rank > most_that_saves(self.filters, self.length):
            return self.vectors * self.filters * self.length
        return self.saved(rank)

    def saved(self, ranks: int) -> int:
        """Multiplications of so many ranks: of a filter of the first product, and a column of the second."""
        return self.vectors * ranks * (self.filters + self.length)


def ranks_within(layers: Mapping[str, Spectrum], share: float, multiple: int = 1) -> dict[str, int]:
    """The ranks of layers that are factorised; the others stay.

    Args:
        layers: name to spectrum.
        share: of the multiplications that may be left.
        multiple: ranks are multiples of this, or all filters.
    """
    ranks = {name: layer.filters for name, layer in layers.items()}
    kept = {name: layer.energies.double().cumsum(0) for name, layer in layers.items()}
    spent = sum(layer.cost(layer.filters) for layer in layers.values())
    budget = share * spent
    while spent > budget:
        prices = {
            name: _lost(kept[name], rank, smaller) / layers[name].saved(rank - smaller)
            for name, rank in ranks.items()
            if (smaller := _next(rank, multiple)) > 0
        }
        if not prices:
            break
        name = min(prices, key=lambda name: prices[name])
        smaller = _next(ranks[name], multiple)
        spent -= layers[name].cost(ranks[name]) - layers[name].cost(smaller)
        ranks[name] = smaller
    return {
        name: rank
        for name, rank in ranks.items()
        if rank <= most_that_saves(layers[name].filters, layers[name].length)
    }


def _next(rank: int, multiple: int) -> int:
    """The next smaller one."""
    return (rank - 1) // multiple * multiple


def _lost(kept: Tensor, rank: int, smaller: int) -> float:
    """Share of the energy kept that goes."""
    whole = float(kept[rank - 1])
    return (whole - float(kept[smaller - 1])) / whole if whole > 0 else 0.0
