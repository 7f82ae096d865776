"""What takes the place of a dense layer, and gives it back?"""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar, TypeGuard

from torch import nn


class _State:
    """``layer.reuse``, unless the layer has an attribute of that name of its own."""

    def __get__(self, layer: nn.Module | None, _: type[nn.Module]) -> Any:
        if layer is None:
            return self
        for registered in (layer._parameters, layer._buffers, layer._modules):
            if "reuse" in registered:
                return registered["reuse"]
        return layer.__dict__["_mercuric"]


class ReuseLayer:
    """Mixed into the class of a layer that reuses; what it keeps is named ``_mercuric...``.

    Attributes:
        reuse: the layer's state, a :class:`~mercuric.reuse.layer.LayerReuse` of its method.
    """

    reuse = _State()
    _mercuric: Any
    _mercuric_plain: ClassVar[type[nn.Module]]
    _mercuric_kind: ClassVar[Any]

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)  # type: ignore[misc]
        self._mercuric.loaded()


def is_reuse_layer(module: nn.Module) -> bool:
    """Whether ``module`` reuses results."""
    return isinstance(module, ReuseLayer)


def with_reuse(dense: nn.Module, kind: Any) -> nn.Module:
    """A layer of class ``kind`` that shares the parameters, buffers and hooks of a dense one."""
    layer: nn.Module = kind.__new__(kind)
    layer.__dict__.update(dense.__dict__, _mercuric_dense=dense)
    # What layer.compile() made calls the dense layer.
    layer.__dict__.pop("_compiled_call_impl", None)
    return layer


def without_reuse(layer: nn.Module) -> nn.Module:
    """The dense layer that a reuse layer was made of; what was parametrized meanwhile stays so."""
    kind: Any = _plain_class(type(layer))
    dense: nn.Module = layer.__dict__.get("_mercuric_dense") or kind.__new__(kind)
    dense.__class__ = kind
    compiled = dense.__dict__.get("_compiled_call_impl")
    dense.__dict__.clear()
    dense.__dict__.update(
        {name: value for name, value in layer.__dict__.items() if not name.startswith("_mercuric")}
    )
    dense.__dict__.pop("_compiled_call_impl", None)
    if compiled is not None:
        dense.__dict__["_compiled_call_impl"] = compiled
    drop_hooks_(dense)
    return dense


def replace_(model: nn.Module, replacements: Mapping[nn.Module, nn.Module]) -> None:
    """Put modules in the places of others, under all names that these have."""
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and child in replacements:
                parent._modules[name] = replacements[child]
                if _is_compiled(parent):
                    parent._initialize()


def _is_compiled(module: nn.Module) -> TypeGuard[Any]:
    # Without the compiler, which takes longer to import than PyTorch itself, nothing is compiled.
    compiler = sys.modules.get("torch._dynamo")
    return compiler is not None and isinstance(module, compiler.OptimizedModule)


def drop_hooks_(module: nn.Module) -> None:
    """Take off the hooks that reuse has put on a module."""
    for name, hooks in module.__dict__.items():
        if name.endswith(("_hooks", "_pre_hooks")) and isinstance(hooks, dict):
            for key in [key for key, hook in hooks.items() if _is_own(hook)]:
                for others in (hooks, *_marks(module)):
                    others.pop(key, None)


def _marks(module: nn.Module) -> list[dict[int, bool]]:
    return [
        module._forward_hooks_with_kwargs,
        module._forward_hooks_always_called,
        module._forward_pre_hooks_with_kwargs,
    ]


def _is_own(hook: object) -> bool:
    # Hooks of state dicts are wrapped.
    return str(getattr(getattr(hook, "hook", hook), "__module__", "")).startswith(_HERE)


_HERE = __name__.rpartition(".")[0] + "."


def _plain_class(kind: type[Any]) -> type[Any]:
    """The class without reuse: of a class that PyTorch has derived from a reuse layer's, one like it."""
    if "_mercuric_plain" in kind.__dict__:
        plain: type[nn.Module] = kind._mercuric_plain
        return plain
    bases = tuple(_plain_class(base) if issubclass(base, ReuseLayer) else base for base in kind.__bases__)
    made = {name: value for name, value in kind.__dict__.items() if name not in ("__dict__", "__weakref__")}
    reusing = next(base for base in kind.__mro__ if "_mercuric_plain" in base.__dict__)
    name = kind.__name__.replace(reusing.__name__, reusing.__dict__["_mercuric_plain"].__name__)
    return type(name, bases, made)
