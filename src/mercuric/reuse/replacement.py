"""How is reuse turned on for a model, and taken off again?"""

from collections.abc import Callable

from torch import nn

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.layers import ReuseConv2d, ReuseLinear, with_reuse, without_reuse

FilterFunction = Callable[[nn.Module, str], bool]


def reuse_(
    model: nn.Module, config: ReuseConfig | None = None, filter_fn: FilterFunction | None = None
) -> ReuseHandle:
    """Turn reuse on, in place: convolutions and fully connected layers compute alike vectors once.

    Parameters, hooks and state_dict keys stay the same, so an optimizer made before goes on working.

    Args:
        model: any module with ``nn.Conv2d`` or ``nn.Linear`` layers (subclasses of them are left alone).
        config: how similarity is found; :meth:`ReuseConfig.paper` by default.
        filter_fn: called with a layer and its name; False leaves that layer dense.

    Returns:
        A handle to watch the layers and switch them on and off.

    Raises:
        ValueError: the model has reuse layers already, no layer matches, the model itself is the
            layer, or the granularity does not divide a layer's channels. The model is then unchanged.
    """
    config = config or ReuseConfig.paper()
    if any(isinstance(module, ReuseConv2d | ReuseLinear) for module in model.modules()):
        raise ValueError("model has reuse layers already; call restore_(model) first")
    if type(model) in (nn.Conv2d, nn.Linear):
        raise ValueError(
            f"model was a single {type(model).__name__}, which can't be replaced in place; wrap it"
        )
    layers = {
        name: with_reuse(module, name, config)
        for name, module in model.named_modules()
        if type(module) in (nn.Conv2d, nn.Linear) and (filter_fn is None or filter_fn(module, name))
    }
    if not layers:
        raise ValueError("model has no Conv2d or Linear layer that filter_fn lets through")
    _replace(model, {model.get_submodule(name): layer for name, layer in layers.items()})
    return ReuseHandle(config, layers)


def restore_(model: nn.Module) -> None:
    """Take reuse off again, in place: the plain layers, with the parameters as they are now."""
    reuse_layers = (m for m in model.modules() if isinstance(m, ReuseConv2d | ReuseLinear))
    _replace(model, {layer: without_reuse(layer) for layer in reuse_layers})


def _replace(model: nn.Module, replacements: dict[nn.Module, nn.Module]) -> None:
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child in replacements:
                parent._modules[name] = replacements[child]
