"""What turns a module into a layer that reuses, and back into a plain one?

The module stays the same object and its class changes, so that whatever holds it (two names, a list, a
compiled wrapper, a hook) goes on holding the layer.
"""

from typing import Any, ClassVar

from torch import nn

from mercuric.reuse.layer_reuse import LayerReuse


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
        reuse: the layer's state.
    """

    reuse = _State()
    _mercuric: LayerReuse
    _mercuric_plain: ClassVar[type[nn.Module]]


def is_reuse_layer(module: nn.Module) -> bool:
    """Whether ``module`` reuses results."""
    return isinstance(module, ReuseLayer)


def plain_(layer: nn.Module) -> None:
    """Make a reuse layer the plain one again, in place; what was parametrized meanwhile stays so."""
    layer.__class__ = _plain_class(type(layer))
    for name in [name for name in layer.__dict__ if name.startswith("_mercuric")]:
        del layer.__dict__[name]
    drop_hooks_(layer)


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
