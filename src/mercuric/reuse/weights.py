"""Which tensors does a plain layer multiply with, and are they plain tensors?"""

from collections.abc import Iterator

from torch import Tensor, nn


def weights_of(layer: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """What a layer multiplies with or adds, by name; what the parts of attention do is its own."""
    yield from layer.named_parameters(recurse=type(layer) is nn.MultiheadAttention)
    # Hooks that derive the weight (the older weight_norm) keep it as an attribute.
    derived = layer.__dict__.get("weight")
    if isinstance(derived, Tensor):
        yield "weight", derived


def why_foreign(name: str, weight: Tensor) -> str | None:
    """Why a tensor's class may compute otherwise than with its numbers; None where it is PyTorch's own."""
    if type(weight) in (Tensor, nn.Parameter):
        return None
    return f"its {name} is a {type(weight).__name__}"
