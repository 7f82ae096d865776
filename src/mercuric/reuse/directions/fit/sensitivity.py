"""What does a network's output feel of each layer's outputs?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError

Batch = Tensor | tuple[Any, ...]
"""The arguments of a forward pass, or the only one."""
DRAWS = 2
"""Random combinations of a batch's outputs whose gradients are taken."""
_FLOOR = 1e-3
"""The least squared gradient of a direction, as a share of the largest: none is left out altogether."""


@dataclass
class Moments:
    """Second moments of one layer's outputs, without bias, and of the gradients that they receive.

    Attributes:
        outputs: float64, (filters, filters): sum of y y^T over all vectors.
        gradients: float64, (filters, filters): sum of g g^T, which is that of the network's Jacobian
            over all outputs, in the mean over draws.
        vectors: how many.
    """

    outputs: Tensor
    gradients: Tensor
    vectors: int = 0

    def weighed(self) -> "Weighed":
        """The directions in which most of what the network's output feels of this layer lies."""
        energies, vectors = torch.linalg.eigh(self.gradients)
        largest = float(energies[-1])
        roots = energies.clamp(min=_FLOOR * largest).sqrt() if largest > 0 else torch.ones_like(energies)
        root, inverse = (vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T
        felt, turned = torch.linalg.eigh(root @ self.outputs @ root)
        left = felt.clamp(min=0).cumsum(0).flip(0)[1:] / max(1, self.vectors)
        scale = float(largest > 0)
        return Weighed(inverse @ turned.flip(1), root @ turned.flip(1), scale * left)


@dataclass(frozen=True)
class Weighed:
    """Maps of a layer's outputs to fewer directions.

    The map of rank r, ``out[:, :r] @ into[:, :r].T``, leaves least of the squares of G^(1/2) y, where G is
    the gradients' second moment (Eckart and Young in that metric); with G = I it projects on the outputs'
    principal directions. Zhang and others (TPAMI 2016) weigh by the nonlinearity behind a layer instead.

    Attributes:
        out: float64, (filters, filters).
        into: float64, (filters, filters).
        left: float64, (filters - 1,): squares of the network's outputs that rank 1, 2, ... is predicted to
            leave out, summed over outputs and batches, were the layer alone.
    """

    out: Tensor
    into: Tensor
    left: Tensor

    def map(self, rank: int) -> Tensor:
        """The map of that rank, (filters, filters)."""
        return self.out[:, :rank] @ self.into[:, :rank].T

    def basis(self, rank: int) -> Tensor:
        """An orthonormal basis, (filters, rank), of what the map of that rank gives."""
        basis: Tensor = torch.linalg.qr(self.out[:, :rank])[0]
        return basis


def layer_moments(
    model: nn.Module, layers: Mapping[str, nn.Module], batches: Sequence[Batch], seed: int = 0
) -> tuple[dict[str, Moments], list[Tensor]]:
    """Take the moments of convolutions and fully connected layers; no ``.grad`` changes.

    Args:
        model: gives one floating-point tensor.
        layers: of the model, by name; those that a pass does not reach have no vectors.
        batches: arguments of forward passes.
        seed: what combinations of outputs are drawn from.

    Returns:
        Moments by name, and the model's outputs.

    Raises:
        ValueError: the model gives something else.
    """
    moments = {name: _none(layer) for name, layer in layers.items()}
    generator = torch.Generator().manual_seed(seed)
    outputs = []
    for batch in batches:
        with torch.enable_grad(), _watched(layers) as seen:
            output = passed(model, batch)
        for name, made in seen:
            rows = _rows(layers[name], made.detach())
            bias = layers[name].bias
            without = rows if bias is None else rows - bias.detach()  # type: ignore[operator]
            moments[name].outputs += (without.T @ without).double()
            moments[name].vectors += len(rows)
        outputs.append(output.detach())
        if not seen:
            continue
        for draw in range(DRAWS):
            signs = torch.randint(0, 2, output.shape, generator=generator).to(output) * 2 - 1
            gradients = torch.autograd.grad(
                output, [made for _, made in seen], signs, retain_graph=draw + 1 < DRAWS, allow_unused=True
            )
            for (name, _), gradient in zip(seen, gradients, strict=True):
                if gradient is not None:
                    rows = _rows(layers[name], gradient)
                    moments[name].gradients += (rows.T @ rows).double() / DRAWS
    return moments, outputs


def called(model: nn.Module, batch: Batch) -> Any:
    """What the model gives for a pass's arguments, whatever that is."""
    return model(*batch) if isinstance(batch, tuple) else model(batch)


def passed(model: nn.Module, batch: Batch) -> Tensor:
    """What the model makes of a batch.

    Raises:
        ValueError: it is not one floating-point tensor.
    """
    output = called(model, batch)
    if not isinstance(output, Tensor) or not output.is_floating_point():
        raise ArgumentError(
            f"model gave {type(output).__name__}, but must give one tensor of floating-point numbers"
        )
    return output


@contextmanager
def _watched(layers: Mapping[str, nn.Module]) -> Iterator[list[tuple[str, Tensor]]]:
    """Within the block layers' outputs are kept, in order, as tensors whose gradients can be asked for."""
    seen: list[tuple[str, Tensor]] = []
    with ExitStack() as hooks:
        for name, layer in layers.items():
            hooks.callback(layer.register_forward_hook(_keeper(name, seen)).remove)
        yield seen


def _keeper(name: str, seen: list[tuple[str, Tensor]]) -> Callable[[Any, Any, Tensor], Tensor]:
    def keep(_layer: Any, _given: Any, output: Tensor) -> Tensor:
        made = output.clone() if output.requires_grad else output.detach().requires_grad_()
        seen.append((name, made))
        # A copy: an operation in place behind the layer must not change what is kept.
        return made.clone()

    return keep


def _none(layer: nn.Module) -> Moments:
    weight: Tensor = layer.weight  # type: ignore[assignment]
    empty = torch.zeros(len(weight), len(weight), dtype=torch.float64, device=weight.device)
    return Moments(empty, empty.clone())


def _rows(layer: Any, outputs: Tensor) -> Tensor:
    """A layer's outputs as float32 or float64 vectors of its filters."""
    last: Tensor = layer._mercuric_kind.rows(outputs)
    rows = last.reshape(-1, last.shape[-1])
    return rows if rows.dtype == torch.float64 else rows.float()
