"""Which two thinner layers take a trained layer's place, by its weights alone or by its responses?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from mercuric.reuse.directions.factors import Product, decompose_, factors, products, put_
from mercuric.studies.front.peers.budget import Spectrum, ranks_within
from mercuric.studies.front.peers.peer import Ground, LeftOut
from mercuric.studies.front.peers.reconstruction import Reconstruction, reconstructed
from mercuric.studies.front.peers.responses import follower_is_relu, responses

MULTIPLE = 16
"""Ranks are multiples of this, as those of :class:`~mercuric.Directions` are."""


@dataclass(frozen=True)
class WeightSvd:
    """The singular value decomposition of each weight; ranks within one budget, by the weights' energies.

    Attributes:
        share: of the network's multiplications that are left.
        multiple: ranks are multiples of this.
    """

    trains: ClassVar[bool] = True
    narrows: ClassVar[bool] = True

    share: float
    multiple: int = MULTIPLE

    def make(self, network: nn.Module, ground: Ground) -> nn.Module:
        """See :meth:`~mercuric.studies.front.peers.peer.Peer.make`."""
        seen = responses(network, [name for name, _ in products(network)], [ground.timed], 1)
        spectra = {}
        for name, layer in products(network):
            if name in seen:
                rows = layer.weight.detach().flatten(1).double()
                spectra[name] = Spectrum(_energies(rows @ rows.T), rows.shape[1], seen[name].vectors)
        decompose_(network, _ranks(spectra, self.share, self.multiple, ground))
        return _placed(network)


@dataclass(frozen=True)
class ResponseReconstruction:
    """The responses' principal components, with ranks within one budget, layer after layer behind the ReLU.

    Zhang, Zou, He, Sun, "Accelerating Very Deep Convolutional Networks for Classification and Detection"
    (TPAMI 2016), without their spatial decomposition and without training again. Ranks are those of the
    largest product of accumulated energies. Then each layer gets the map of its rank which brings what is
    behind its ReLU, for inputs that the layers before have changed already, nearest to the trained network
    (the asymmetric reconstruction).

    Attributes:
        share: of the network's multiplications that are left.
        multiple: ranks are multiples of this.
    """

    trains: ClassVar[bool] = True
    narrows: ClassVar[bool] = True

    share: float
    multiple: int = MULTIPLE

    def make(self, network: nn.Module, ground: Ground) -> nn.Module:
        """See :meth:`~mercuric.studies.front.peers.peer.Peer.make`."""
        names = [name for name, layer in products(network) if layer.weight.shape[0] > 1]
        seen = responses(network, names, ground.fitted)
        spectra = {}
        for name, given in seen.items():
            centred = (given.rows - given.rows.mean(0)).double()
            length = _layer(network, name).weight[0].numel()
            spectra[name] = Spectrum(_energies(centred.T @ centred), length, given.vectors)
        relu = {name: follower_is_relu(network, name, ground.timed[:1]) for name in spectra}
        ranks = _ranks(spectra, self.share, self.multiple, ground)
        for name in [name for name in seen if name in ranks]:
            changed = responses(network, [name], ground.fitted, stop=True)[name].rows
            found = reconstructed(changed, seen[name].rows, ranks[name], relu[name])
            put_(network, name, _mapped(_layer(network, name), found))
        return _placed(network)


def _energies(gram: Tensor) -> Tensor:
    """Eigenvalues of a symmetric matrix, the largest first."""
    values: Tensor = torch.linalg.eigvalsh(gram)
    return values.flip(0).clamp(min=0)


def _ranks(spectra: Mapping[str, Spectrum], share: float, multiple: int, ground: Ground) -> dict[str, int]:
    """The ranks within the budget.

    Raises:
        LeftOut: there are none.
    """
    ranks = ranks_within(spectra, share, multiple)
    whole = sum(layer.cost(layer.filters) for layer in spectra.values())
    left = sum(layer.cost(ranks.get(name, layer.filters)) for name, layer in spectra.items())
    if left > share * whole:
        raise LeftOut(
            f"low rank of {share:.0%} of the multiplications needs ranks below {multiple} in {ground.shown}"
        )
    return ranks


def _layer(network: nn.Module, name: str) -> Product:
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Conv2d | nn.Linear)  # noqa: S101 - for mypy
    return layer


def _mapped(layer: Product, found: Reconstruction) -> nn.Sequential:
    """Two layers that map the layer's responses so."""
    made = factors(layer, found.out.shape[1])
    thin, back = (cast(Product, one) for one in made)
    with torch.no_grad():
        into, rows = found.into, layer.weight.flatten(1)
        bias = rows.new_zeros(len(rows)) if layer.bias is None else layer.bias
        thin.weight.copy_((into.T @ rows).view_as(thin.weight))
        back.weight.copy_(found.out.view_as(back.weight))
        back.bias = nn.Parameter(found.out @ (into.T @ bias) + found.shift)
    return made


def _placed(network: nn.Module) -> nn.Module:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
