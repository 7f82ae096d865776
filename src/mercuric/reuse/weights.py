"""Which tensors does a plain layer multiply with, and are they plain tensors?"""

from collections import Counter
from collections.abc import Iterator

from torch import Tensor, nn


def weights_of(layer: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """What a layer multiplies with or adds, by name; what the parts of attention do is its own."""
    yield from layer.named_parameters(recurse=type(layer) is nn.MultiheadAttention)
    # Hooks that derive the weight (the older weight_norm) keep it as an attribute.
    derived = layer.__dict__.get("weight")
    if isinstance(derived, Tensor):
        yield "weight", derived


def holders(model: nn.Module) -> Counter[int]:
    """How many of a model's modules hold each parameter, by its identity: more than one share it."""
    return Counter(id(held) for module in model.modules() for held in module.parameters(recurse=False))


def why_foreign(name: str, weight: Tensor) -> str | None:
    """Why a tensor's class may compute otherwise than with its numbers; None where it is PyTorch's own."""
    if type(weight) in (Tensor, nn.Parameter):
        return None
    return f"its {name} is a {type(weight).__name__}"
