"""What must a method of computing layers know?

A method is a folder with the class of its configuration, which :func:`~mercuric.reuse_` chooses it by, and a
:class:`Method`; the line in :mod:`mercuric.reuse.methods` makes it known.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, cast

from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.config import METHODS, ReuseConfig
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.observation import Kind
from mercuric.reuse.products import ConvolutionCall, LayerProduct


class Method(Protocol):
    """How layers compute by one class of configurations; it holds nothing, layers have their states."""

    def why_dense(self, layer: nn.Module, kind: Kind) -> str | None:
        """Why a plain layer, of this kind of product, can't compute by this method; None where it can."""

    def layer(self, name: str, config: Any, product: LayerProduct) -> LayerReuse:
        """The state of a layer.

        Args:
            name: its name in the model.
            config: of this method.
            product: what it computes.

        Raises:
            ValueError: the configuration does not fit the layer.
        """

    def survey(
        self,
        model: nn.Module,
        layers: Mapping[nn.Module, Sequence[LayerReuse]],
        left_out: Collection[nn.Module],
    ) -> None:
        """Learn what only the whole model tells, before the plain layers are replaced.

        Args:
            model: with plain layers.
            layers: those that will compute by the method, with their states.
            left_out: layers, of subclasses too, that the filter leaves out.
        """

    def convolve(self, call: ConvolutionCall) -> Tensor:
        """A pass of a layer whose product is a convolution, whether it is on or off."""

    def multiply(
        self, rows: Tensor, weight: Tensor, bias: Tensor | None, state: Any, training: bool
    ) -> Tensor:
        """``F.linear`` of (..., features), whether the layer is on or off.

        Args:
            rows: what it reads.
            weight: (filters, features).
            bias: (filters,) or None.
            state: the layer's.
            training: as modules have it.
        """


def method_of(config: ReuseConfig) -> Method:
    """The method of a configuration.

    Raises:
        ValueError: there is none for its class.
    """
    if type(config) in METHODS:
        return cast("Method", METHODS[type(config)])
    known = ", ".join(f"a {kind.__name__}" for kind in METHODS)
    raise ArgumentError(f"config was a {type(config).__name__}, but must be one of {known}")
