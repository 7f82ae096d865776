"""Which modules can reuse, and why not the others?"""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.kinds.attention.module import calls_attention, sharing_rows
from mercuric.reuse.kinds.attention.multihead import MULTIHEAD
from mercuric.reuse.kinds.conv1d import CONV1D
from mercuric.reuse.kinds.conv2d import CONV2D
from mercuric.reuse.kinds.conv_transpose2d import CONV_TRANSPOSE2D
from mercuric.reuse.kinds.kind import LayerKind
from mercuric.reuse.kinds.linear import LINEAR
from mercuric.reuse.method import method_of
from mercuric.reuse.weights import weights_of

KINDS: dict[type[nn.Module], LayerKind] = {
    kind.plain: kind for kind in (CONV2D, CONV1D, CONV_TRANSPOSE2D, LINEAR, MULTIHEAD)
}
"""A layer's class and its kind; subclasses may compute something else, and stay."""


def kind_of(module: nn.Module) -> LayerKind | None:
    """The kind of a layer, or of the one that it is a subclass of; None for other modules."""
    return next((kind for plain, kind in KINDS.items() if isinstance(module, plain)), None)


def is_product(module: nn.Module) -> bool:
    """Whether a module is a layer, with reuse or not, that is one product with its weight."""
    kind = kind_of(module)
    return kind is not None and kind.product != "attention"


def filters_of(module: nn.Module) -> Tensor:
    """The weight of a layer that is one product, as filters (M, ...) without gradients."""
    kind, weight = kind_of(module), module.weight
    assert kind is not None and isinstance(weight, Tensor)  # noqa: S101 - for mypy
    return kind.filters(module, weight.detach())


def reuse_kind(module: nn.Module) -> LayerKind:
    """The kind of a plain layer, or of a module that calls attention."""
    return KINDS.get(type(module)) or sharing_rows(type(module))


def why_dense(module: nn.Module, config: ReuseConfig) -> str | None:
    """Why a layer can't reuse by this configuration; None where it can."""
    if why := _other_kind(module) or _unsuited_weight(module):
        return why
    return method_of(config).why_dense(module, reuse_kind(module).product)


def multiplies(module: nn.Module) -> bool:
    """Whether a module is a layer that multiplies by its weights, or attention, as far as can be told."""
    if isinstance(module, _LOOKED_UP | _NORMALISING):
        return False
    if isinstance(module, _MULTIPLYING) or calls_attention(module):
        return True
    weight = dict(module.named_parameters(recurse=False)).get("weight")
    # Quantized layers give their weight by a method.
    return weight.dim() >= 2 if weight is not None else callable(getattr(type(module), "weight", None))


_LOOKED_UP = nn.Embedding | nn.EmbeddingBag
_NORMALISING = nn.LayerNorm | nn.RMSNorm
_MULTIPLYING = (
    *KINDS,
    nn.modules.conv._ConvNd,
    nn.Bilinear,
    nn.RNNBase,
    nn.RNNCellBase,
)


def _other_kind(module: nn.Module) -> str | None:
    kind = type(module)
    if isinstance(module, torch.jit.ScriptModule):
        return "it is compiled to TorchScript"
    if is_parametrized(module):
        names = ", ".join(getattr(module, "parametrizations").keys())  # noqa: B009 - for mypy
        return f"its {names} is parametrized"
    if kind in KINDS or calls_attention(module):
        return None
    plain = next((plain for plain in KINDS if isinstance(module, plain)), None)
    if isinstance(module, nn.modules.lazy.LazyModuleMixin):
        return "it is lazy and has not seen an input yet"
    if plain is not None:
        return f"{_name(kind)} is a subclass of {plain.__name__}"
    return f"{_name(kind)} is no kind of layer that reuses"


def _name(kind: type[nn.Module]) -> str:
    module = kind.__module__
    return kind.__name__ if module.startswith("torch.nn.") else f"{module}.{kind.__qualname__}"


def _unsuited_weight(module: nn.Module) -> str | None:
    for name, weight in weights_of(module):
        if not (weight.is_floating_point() or weight.is_complex()):
            return f"its {name} is {weight.dtype}"
        if weight.is_sparse or weight.layout != torch.strided:
            return f"its {name} is sparse"
    return None
