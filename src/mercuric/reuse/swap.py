"""How is reuse turned on for a model, and taken off again?"""

from collections.abc import Iterator, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.reuse.config import PresetName, ReuseConfig, as_config
from mercuric.reuse.coverage import Coverage
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.judge.judge import CostModel
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.layer_filter import FilterFunction, LayerFilter, layer_filter
from mercuric.reuse.layer_kinds import KINDS, is_product, multiplies, reuse_kind, why_dense
from mercuric.reuse.method import method_of
from mercuric.reuse.reuse_layer import drop_hooks_, is_reuse_layer, replace_, with_reuse, without_reuse

__all__ = ["FilterFunction", "is_reuse_layer", "restore_", "reuse_"]


class NothingReusesError(ArgumentError):
    """No layer of a model can reuse; says why."""


def reuse_(
    model: nn.Module,
    config: ReuseConfig | PresetName | None = None,
    filter_fn: LayerFilter | None = None,
    cost: CostModel | Literal["milliseconds"] | None = None,
) -> ReuseHandle:
    """Turn reuse on, in place: convolutions, fully connected layers and attention compute alike vectors once.

    Parameters, hooks and state_dict keys stay the same, so an optimizer made before goes on working.

    Args:
        model: any module with ``nn.Conv1d``, ``nn.Conv2d``, ``nn.ConvTranspose2d``, ``nn.Linear`` or
            ``nn.MultiheadAttention`` layers (their subclasses are left alone), or modules whose forward pass
            calls ``scaled_dot_product_attention``. A module under two names is one layer, of its first name.
        config: how layers compute: :class:`~mercuric.Alike` or :class:`~mercuric.Directions`, or a preset:
            ``"default"`` for ``Alike()``, which is the default, ``"paper"`` for ``Alike.paper()``, ``"fast"``
            for ``Directions.fast()``.
        filter_fn: which layers; the others stay dense. A function that is called with a layer and its name,
            a glob of names (``"layer4.*"``), a class of layers, or a sequence of these, any of which will do.
        cost: what a product costs with reuse and without, for adaptation (paper III-D: C_S and C_B):
            cycles, as :class:`mercuric.CycleCost` counts them, or ``"milliseconds"``, measured on this
            machine now and then (convolutions and fully connected layers). Without it no layer turns
            off by itself, unless ``keep`` of the configuration is ``"faster"``.

    Returns:
        A handle to watch the layers and switch them on and off; printed, it says what is covered.

    Raises:
        ValueError: an argument is not what it must be, the model has reuse layers already, no layer matches,
            the model itself is the layer, two layers share their weights, or the granularity does not
            divide a layer's channels. The model is then unchanged.
    """
    _check_model(model, config)
    config = as_config(config)
    method = method_of(config)
    _check_cost(cost)
    if any(is_reuse_layer(module) for module in model.modules()):
        raise ArgumentError("model has reuse layers already; call restore_(model) first")
    if type(model) in KINDS:
        raise ArgumentError(
            f"model was a single {type(model).__name__}, which can't be replaced in place; wrap it"
        )
    chosen, dense, left_out = sorted_out(model, config, filter_fn)
    if not chosen:
        raise NothingReusesError(_none_chosen(dense))
    states = {name: reuse_kind(module).states(module, name, config) for name, module in chosen.items()}
    method.survey(model, {module: states[name] for name, module in chosen.items()}, left_out)
    made = {name: _made(module, states[name]) for name, module in chosen.items()}
    replace_(model, {chosen[name]: made[name] for name in chosen})
    for module, flag in _fast_paths(model):
        if any(map(is_reuse_layer, module.modules())):
            module.__dict__[_FAST_PATH] = getattr(module, flag)
            setattr(module, flag, False)
    timed = {name: module for name, module in made.items() if reuse_kind(chosen[name]).product != "attention"}
    layers = {state.name: state for own in states.values() for state in own}
    return ReuseHandle(config, layers, cost, timed, Coverage(model, made, dense))


def restore_(model: nn.Module) -> None:
    """Take reuse off again, in place: the plain layers, with the parameters as they are now.

    Nothing of reuse stays in the model: no hook, no attribute, no class.

    Raises:
        ValueError: ``model`` is not a module.
    """
    _check_model(model)
    for layer in model.modules():
        if is_reuse_layer(layer):
            layer.__dict__["_mercuric"].release()
    replace_(model, {layer: without_reuse(layer) for layer in model.modules() if is_reuse_layer(layer)})
    for module in model.modules():
        drop_hooks_(module)
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

    Raises:
        ValueError: ``model`` is not a module.
    """
    _check_model(model)
    state = model.state_dict()
    return {
        name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in state.items()
    }


def _check_model(model: object, config: object = None) -> None:
    if isinstance(config, nn.Module) and not isinstance(model, nn.Module):
        raise ArgumentError(
            f"model was {described(model)} and config {described(config)}, but the model comes first: "
            "reuse_(model, config)"
        )
    if isinstance(model, nn.Module):
        if isinstance(model, torch.jit.ScriptModule):
            raise ArgumentError(
                "model was compiled to TorchScript, but must be the module that it was made of"
            )
        return
    hint = ""
    if isinstance(model, Mapping):
        hint = "; load a state dict into its module first"
    elif isinstance(model, list | tuple):
        hint = "; put the layers into an nn.Sequential or nn.ModuleList"
    raise ArgumentError(f"model was {described(model)}, but must be a torch.nn.Module{hint}")


def _check_cost(cost: object) -> None:
    if (
        cost is None
        or (isinstance(cost, str) and cost == "milliseconds")
        or (callable(cost) and not isinstance(cost, type | nn.Module))
    ):
        return
    raise ArgumentError(
        f'cost was {described(cost)}, but must be "milliseconds", a cost model such as mercuric.CycleCost(), '
        "or None"
    )


def _made(module: nn.Module, states: list[LayerReuse]) -> nn.Module:
    kind = reuse_kind(module)
    layer = with_reuse(module, kind.layer)
    kind.own(layer, states)
    return layer


def sorted_out(
    model: nn.Module, config: ReuseConfig, given: LayerFilter | None
) -> tuple[dict[str, nn.Module], dict[str, str], list[nn.Module]]:
    """The layers that will reuse, by name, why the others will not, and which the filter leaves out.

    Raises:
        ValueError: the filter is none, or layers share their weights.
    """
    names: dict[nn.Module, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        names.setdefault(module, []).append(name)
    reasons = {module: why_dense(module, config) for module in names if multiplies(module)}
    able = [module for module, reason in reasons.items() if reason is None and module is not model]
    lets_through = layer_filter(given, [name for module in able for name in names[module]])
    chosen: dict[str, nn.Module] = {}
    for module in able:
        if any(lets_through(module, name) for name in names[module]):
            chosen[names[module][0]] = module
        else:
            reasons[module] = _FILTERED
    if model in reasons and reasons[model] is None:
        reasons[model] = "the model itself can't be replaced in place"
    _check_sharing(chosen)
    parts = {
        id(part)
        for module in reasons
        if isinstance(module, nn.MultiheadAttention)
        for part in module.children()
    }
    dense = {
        names[module][0]: reason
        for module, reason in reasons.items()
        if reason is not None and id(module) not in parts
    }
    left_out = [
        module
        for module, reason in reasons.items()
        if is_product(module)
        and not isinstance(module, nn.modules.lazy.LazyModuleMixin)
        and (
            reason == _FILTERED
            or not (module in able or any(lets_through(module, name) for name in names[module]))
        )
    ]
    return chosen, dense, left_out


def _check_sharing(chosen: Mapping[str, nn.Module]) -> None:
    owners: dict[int, str] = {}
    for name, module in chosen.items():
        for parameter in module.parameters(recurse=isinstance(module, nn.MultiheadAttention)):
            first = owners.setdefault(id(parameter), name)
            if first != name:
                raise ArgumentError(
                    f"layers {first!r} and {name!r} share their weights, but each layer has a similarity of "
                    "its own; leave one of them, or both, dense with filter_fn"
                )


def _none_chosen(dense: Mapping[str, str]) -> str:
    said = "model has no convolution, linear or attention layer that filter_fn lets through"
    others = [f"{name or 'the model'}: {why}" for name, why in dense.items() if why != _FILTERED]
    return "; ".join([said, *others[:3]])


_FILTERED = "filter_fn leaves it out"
_FAST_PATH = "_mercuric_fast_path"


def _fast_paths(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    # Fused inference reads the weights past the layers that hold them, and makes nested tensors.
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            yield module, "activation_relu_or_gelu"
        elif isinstance(module, nn.TransformerEncoder):
            yield module, "use_nested_tensor"
