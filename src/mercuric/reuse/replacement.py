"""How is reuse turned on for a model, and taken off again?"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

from torch import Tensor, nn

from mercuric.reuse.adaptation import CostModel
from mercuric.reuse.attention_module import SharesRows, calls_attention, sharing_rows
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.convolution import ReuseConv2d, conv_reuse
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.layer_reuse import LayerReuse
from mercuric.reuse.linear import ReuseLinear, linear_reuse
from mercuric.reuse.multihead_attention import ReuseMultiheadAttention

FilterFunction = Callable[[nn.Module, str], bool]
Layer = TypeVar("Layer", bound=nn.Module)
States = dict[str, LayerReuse]


def reuse_(
    model: nn.Module,
    config: ReuseConfig | None = None,
    filter_fn: FilterFunction | None = None,
    cost: CostModel | Literal["milliseconds"] | None = None,
) -> ReuseHandle:
    """Turn reuse on, in place: convolutions, fully connected layers and attention compute alike vectors once.

    Parameters, hooks and state_dict keys stay the same, so an optimizer made before goes on working.

    Args:
        model: any module with ``nn.Conv2d``, ``nn.Linear`` or ``nn.MultiheadAttention`` layers (their
            subclasses are left alone), or modules whose forward pass calls
            ``scaled_dot_product_attention``.
        config: how similarity is found; :class:`ReuseConfig` by default.
        filter_fn: called with a layer and its name; False leaves that layer dense.
        cost: what a product costs with reuse and without, for adaptation (paper III-D: C_S and C_B):
            cycles, as :class:`mercuric.CycleCost` counts them, or ``"milliseconds"``, measured on this
            machine now and then (convolutions and fully connected layers). Without it no layer turns
            off by itself, unless ``keep`` of the configuration is ``"faster"``.

    Returns:
        A handle to watch the layers and switch them on and off.

    Raises:
        ValueError: the model has reuse layers already, no layer matches, the model itself is the
            layer, two layers share their weights, or the granularity does not divide a layer's
            channels. The model is then unchanged.
    """
    config = config or ReuseConfig()
    if any(is_reuse_layer(module) for module in model.modules()):
        raise ValueError("model has reuse layers already; call restore_(model) first")
    if _replaceable(model):
        raise ValueError(
            f"model was a single {type(model).__name__}, which can't be replaced in place; wrap it"
        )
    chosen = list(_chosen(model, config, filter_fn))
    if not chosen:
        raise ValueError("model has no Conv2d, Linear or attention layer that filter_fn lets through")
    states: States = {}
    replacements: dict[nn.Module, nn.Module] = {}
    shared = _shared_parameters(model)
    for name, dense in chosen:
        replacements[dense], own = with_reuse(dense, name, config)
        states.update(own)
        if config.principal is not None:
            own[name].tied = id(dense.weight) in shared
            own[name].dense_because = own[name].why_dense(dense.weight)
    _replace(model, replacements)
    for module, flag in _fast_paths(model):
        if any(map(is_reuse_layer, module.modules())):
            module.__dict__[_FAST_PATH] = getattr(module, flag)
            setattr(module, flag, False)
    timed = {name: replacements[dense] for name, dense in chosen if type(dense) in _TIMED}
    measured = cost == "milliseconds" or config.keep == "faster"
    handle = ReuseHandle(config, states, None if measured else cost, timed)  # type: ignore[arg-type]
    if measured:
        handle.time_layers(timed)
    return handle


def restore_(model: nn.Module) -> None:
    """Take reuse off again, in place: the plain layers, with the parameters as they are now."""
    _replace(model, {layer: without_reuse(layer) for layer in model.modules() if is_reuse_layer(layer)})
    for module, flag in _fast_paths(model):
        if _FAST_PATH in module.__dict__:
            setattr(module, flag, module.__dict__.pop(_FAST_PATH))


def plain_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """A copy of what ``restore_(model)`` would leave, for a model without reuse of the same kind.

    The keys are those of ``model.state_dict()``, and so are the values: a layer's weight is at all times
    what the layer computes. Later training steps don't change the copy. What shared residuals
    (``residual_bits``) or similarity add is in no weight.

    Args:
        model: with reuse or without.

    Returns:
        Parameters and buffers by name, on their devices.
    """
    state = model.state_dict()
    return {
        name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in state.items()
    }


def is_reuse_layer(module: nn.Module) -> bool:
    """Whether ``module`` reuses results."""
    return isinstance(module, ReuseConv2d | ReuseLinear | ReuseMultiheadAttention | SharesRows)


def with_reuse(dense: nn.Module, name: str, config: ReuseConfig) -> tuple[nn.Module, States]:
    """A reuse layer that shares the parameters, buffers and hooks of a dense one, and its states by name.

    Raises:
        ValueError: the configuration does not fit the layer.
    """
    if type(dense) is nn.Conv2d:
        conv = _adopt(ReuseConv2d, dense)
        conv.reuse = conv_reuse(dense, name, config)
        return conv, {name: conv.reuse}
    if type(dense) is nn.Linear:
        linear = _adopt(ReuseLinear, dense)
        linear.reuse = linear_reuse(dense, name, config)
        return linear, {name: linear.reuse}
    if type(dense) is nn.MultiheadAttention:
        attention = _adopt(ReuseMultiheadAttention, dense)
        return attention, attention.start(name, config)
    module = _adopt(sharing_rows(type(dense)), dense)
    state = LayerReuse(name, config, "attention")
    module.reuse = state  # type: ignore[assignment]
    return module, {name: state}


def without_reuse(layer: nn.Module) -> nn.Module:
    """The plain layer again; it shares the parameters, buffers and hooks of the reuse layer."""
    kind: type[nn.Module] = type(layer).__mro__[2 if isinstance(layer, SharesRows) else 1]
    dense = _adopt(kind, layer)
    if isinstance(layer, ReuseConv2d | ReuseLinear) and layer.reuse.principal is not None:
        layer.reuse.principal.release()
    for state in ("reuse", "in_projection", "out_projection"):
        dense.__dict__.pop(state, None)
    return dense


def _chosen(
    model: nn.Module, config: ReuseConfig, filter_fn: FilterFunction | None
) -> Iterator[tuple[str, nn.Module]]:
    suits = _replaceable if config.principal is None else _has_principal_part
    owners: dict[int, str] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if not suits(module) or (filter_fn is not None and not filter_fn(module, name)):
            continue
        for parameter in module.parameters(recurse=type(module) is nn.MultiheadAttention):
            first = owners.setdefault(id(parameter), name)
            if first != name:
                raise ValueError(
                    f"layers {first!r} and {name!r} share their weights, but each layer has a similarity of "
                    "its own; leave one of them, or both, dense with filter_fn"
                )
        yield name, module


def _shared_parameters(model: nn.Module) -> set[int]:
    """Ids of parameters that several modules hold."""
    holders = Counter(
        id(parameter) for module in model.modules() for parameter in module.parameters(recurse=False)
    )
    return {key for key, count in holders.items() if count > 1}


def _replaceable(module: nn.Module) -> bool:
    return type(module) in (nn.Conv2d, nn.Linear, nn.MultiheadAttention) or calls_attention(module)


def _has_principal_part(module: nn.Module) -> bool:
    # A depthwise layer has one filter a channel: nothing to leave out.
    return type(module) is nn.Linear or (type(module) is nn.Conv2d and module.groups == 1)


_TIMED = (nn.Conv2d, nn.Linear)
_FAST_PATH = "_mercuric_fast_path"


def _fast_paths(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    # Fused inference reads the weights past the layers that hold them, and makes nested tensors.
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            yield module, "activation_relu_or_gelu"
        elif isinstance(module, nn.TransformerEncoder):
            yield module, "use_nested_tensor"


def _adopt(kind: type[Layer], other: nn.Module) -> Layer:
    # Shared, not copied: what is registered on either later holds for both.
    layer = kind.__new__(kind)
    layer.__dict__.update(other.__dict__)
    return layer


def _replace(model: nn.Module, replacements: dict[nn.Module, nn.Module]) -> None:
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child in replacements:
                parent._modules[name] = replacements[child]
