"""Which two thinner layers take a trained layer's place, by its weights alone or by its responses?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from mercuric.studies.bench.factors import Product, factorise_, factors, products, put_
from mercuric.studies.front.peers.budget import Spectrum, ranks_within
from mercuric.studies.front.peers.peer import Ground, LeftOut
from mercuric.studies.front.peers.reconstruction import reconstructed
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
                energies = torch.linalg.eigvalsh(rows @ rows.T).flip(0).clamp(min=0)
                spectra[name] = Spectrum(energies, rows.shape[1], seen[name].vectors)
        factorise_(network, _ranks(spectra, self.share, self.multiple, ground))
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
        for name, found in seen.items():
            centred = (found.rows - found.rows.mean(0)).double()
            energies = torch.linalg.eigvalsh(centred.T @ centred).flip(0).clamp(min=0)
            length = _layer(network, name).weight[0].numel()
            spectra[name] = Spectrum(energies, length, found.vectors)
        relu = {name: follower_is_relu(network, name, ground.timed[:1]) for name in spectra}
        ranks = _ranks(spectra, self.share, self.multiple, ground)
        for name in [name for name in seen if name in ranks]:
            layer = _layer(network, name)
            given = responses(network, [name], ground.fitted, stop=True)[name].rows
            found = reconstructed(given, seen[name].rows, ranks[name], relu[name])
            put_(network, name, _mapped(layer, found.out, found.into, found.shift))
        return _placed(network)


def _ranks(spectra: Mapping[str, Spectrum], share: float, multiple: int, ground: Ground) -> dict[str, int]:
    ranks = ranks_within(spectra, share, multiple)
    if not ranks:
        raise LeftOut(
            f"{ground.shown} has no layer that fewer ranks make cheaper within {share:.0%} of its work"
        )
    return ranks


def _layer(network: nn.Module, name: str) -> Product:
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Conv2d | nn.Linear)  # noqa: S101 - for mypy
    return layer


def _mapped(layer: Product, out: torch.Tensor, into: torch.Tensor, shift: torch.Tensor) -> nn.Sequential:
    """Two layers that compute ``out into^T (W x + bias) + shift``."""
    made = factors(layer, out.shape[1])
    thin, back = made.thin, made.back
    with torch.no_grad():
        rows = layer.weight.detach().flatten(1).to(into)
        bias = torch.zeros(len(rows)).to(into) if layer.bias is None else layer.bias.detach().to(into)
        thin.weight.copy_((into.T @ rows).view_as(thin.weight))
        back.weight.copy_(out.view_as(back.weight))
        back.bias = nn.Parameter((out @ (into.T @ bias) + shift).to(layer.weight.dtype))
    return made


def _placed(network: nn.Module) -> nn.Module:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
