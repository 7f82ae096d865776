"""How does ``nn.Linear`` compute by a method? (paper III-C3)"""

from typing import Any

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.config import ReuseConfig, as_config
from mercuric.reuse.kinds.kind import LayerKind
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import method_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.precision import refuse_complex, require_tensors
from mercuric.reuse.products import LayerProduct
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.vectors import Granularity, Scope, VectorShape, row_vectors


class LinearKind(LayerKind):
    """Rows times a matrix; see :class:`~mercuric.reuse.kinds.kind.LayerKind`."""

    plain = nn.Linear
    product: Kind = "linear"

    def __init__(self, layer: type[nn.Module]) -> None:
        self.layer = layer

    def states(self, module: Any, name: str, config: ReuseConfig) -> list[LayerReuse]:
        """One state; see :meth:`LayerKind.states`."""
        return [method_of(config).layer(name, config, LayerProduct(self.product, module.out_features))]

    def vectors(
        self,
        module: Any,
        given: Tensor,
        granularity: Granularity,  # noqa: ARG002 - a row is one vector
        scope: Scope,
    ) -> VectorShape:
        """Rows; see :meth:`LayerKind.vectors`."""
        return row_vectors(tuple(given.shape), module.out_features, scope)

    def macs(
        self,
        layer: Any,
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: dict[str, Any],  # noqa: ARG002
        output: Any,
    ) -> dict[str, int]:
        """All of them are the product's; see :meth:`LayerKind.macs`."""
        return {layer.__dict__["_mercuric"].name: output.numel() * layer.in_features}


class ReuseLinear(ReuseLayer, nn.Linear):
    """``nn.Linear`` that computes alike input vectors of a minibatch once (paper III-C3).

    Args:
        reuse: how similarity is found; :class:`ReuseConfig` by default.
    """

    _mercuric_plain = nn.Linear

    def __init__(self, *args: Any, reuse: ReuseConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        LINEAR.own(self, LINEAR.states(self, "", as_config(reuse)))

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        """Map (..., in_features) to (..., out_features).

        Raises:
            ValueError: another number of features, or complex weights.
        """
        return reuse_linear(input, self.weight, self.bias, self._mercuric, self.training)


def reuse_linear(
    input: Tensor,  # noqa: A002 - the name that F.linear gives it
    weight: Tensor,
    bias: Tensor | None,
    state: LayerReuse,
    training: bool = True,
) -> Tensor:
    """``F.linear`` of (..., features) that computes alike rows once; ``training`` as modules have it.

    What PyTorch refuses raises PyTorch's error, and an empty batch gives what it gives there.

    Raises:
        ValueError: another number of features, or complex weights.
    """
    state.ran = True
    if state.on:
        _check(input, weight, bias, state.name)
    return method_of(state.config).multiply(input, weight, bias, state, training)


def _check(input: Tensor, weight: Tensor, bias: Tensor | None, name: str) -> None:  # noqa: A002
    require_tensors(name, input=input)
    refuse_complex(name, weight, bias)
    if input.dim() < 1 or input.shape[-1] != weight.shape[1]:
        raise ArgumentError(
            f"input of layer {name!r} was {tuple(input.shape)}, but its last dimension must be "
            f"{weight.shape[1]}"
        )


LINEAR = ReuseLinear._mercuric_kind = LinearKind(ReuseLinear)
