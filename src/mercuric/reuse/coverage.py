"""Which share of a model's multiply-accumulates do its reuse layers compute, and who computes the rest?"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack
from torch.utils.hooks import RemovableHandle

from mercuric.reuse.model_pass import NextPass, PassHook, modules_around
from mercuric.reuse.operator_macs import counts, operator_macs
from mercuric.reuse.reuse_layer import ReuseLayer


class Coverage:
    """What the layers of a model multiply, counted in its first forward pass.

    PyTorch's own counter of products tells them, so that those that no layer's module sees are counted too.
    Reuse layers count as the dense layers that they stand for, whether they are on or off.

    Args:
        model: with reuse.
        layers: its reuse layers, by name.
        dense: why other layers stayed dense, by name.

    Attributes:
        dense: as given.
        reused: name to multiply-accumulates of the first pass, of reuse layers; empty before.
        others: the same of modules that multiplied otherwise.
        around: the model, and modules within it that hold all layers.
    """

    def __init__(self, model: nn.Module, layers: Mapping[str, nn.Module], dense: Mapping[str, str]) -> None:
        self.dense = dict(dense)
        self.reused: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.around = modules_around(model, [*layers, *dense])
        self._names = {module: name for name, module in model.named_modules()}
        self._layers = set(layers.values())
        self._products = _Products(self)
        self._stack: list[nn.Module] = []
        self._inside = 0
        self._hooks: list[RemovableHandle] = []
        self._next = NextPass(self.around, self._begin, self._end)

    @property
    def attached(self) -> bool:
        """Whether the model has its reuse layers still."""
        return any(module in self._layers for module in self.around[0].modules())

    @property
    def counted(self) -> bool:
        """Whether a pass was counted."""
        return bool(self.reused or self.others)

    def close(self) -> None:
        """Count nothing any more."""
        self._next.close()

    def reuses(self, name: str, macs: int) -> None:
        """Count a product of a reuse layer."""
        self.reused[name] += macs

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Within the block products are a reuse layer's, which is counted as a whole."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def multiplied(self, macs: int) -> None:
        """Count a product, of the innermost module that runs."""
        if macs and self._stack and not self._inside:
            self.others[self._names.get(self._stack[-1], "")] += macs

    def _begin(self, whole: nn.Module) -> None:
        self._stack = [whole]
        for module in whole.modules():
            # TorchScript takes no hooks; its products count as its parent's.
            if module is whole or isinstance(module, torch.jit.ScriptModule):
                continue
            self._hooks.append(module.register_forward_pre_hook(PassHook(self._enter)))
            self._hooks.append(
                module.register_forward_hook(PassHook(self._leave), with_kwargs=True, always_call=True)
            )
        _here.coverage = self
        self._products.__enter__()  # type: ignore[no-untyped-call]

    def _end(self, failed: bool) -> None:
        self._products.leave()
        _here.coverage = None
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._stack, self._inside = [], [], 0
        if failed:
            self.reused.clear()
            self.others.clear()

    def _enter(self, module: nn.Module, *_: Any) -> None:
        self._stack.append(module)
        self._inside += _is_whole(module)

    def _leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if module not in self._stack[1:]:
            return
        while self._stack.pop() is not module:
            pass
        self._inside -= _is_whole(module)
        if _is_whole(module) and not self._inside and output is not None:
            layer: Any = module
            for name, macs in layer._mercuric_kind.macs(layer, args, kwargs, output).items():
                self.reuses(name, macs)


@contextmanager
def products_of(name: str) -> Iterator[Callable[[Callable[[], int]], None]]:
    """Within the block the reuse layer ``name`` computes a product.

    Gives what takes the product's multiply-accumulates; they are asked for where a pass is counted.
    """
    coverage: Coverage | None = getattr(_here, "coverage", None)
    if coverage is None:
        yield lambda _: None
        return
    with coverage.inside():
        yield lambda macs: coverage.reuses(name, macs())


_here = threading.local()


class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tells the products that PyTorch computes."""

    supports_higher_order_operators = True

    def __init__(self, coverage: Coverage) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._coverage = coverage

    def leave(self) -> None:
        """Tell no more."""
        stack = _get_current_dispatch_mode_stack()
        if self not in stack:
            return
        # After an interrupt modes of somebody else may stand above, whose own exits do more than leave. What
        # stayed below them would keep torch.compile from compiling anything on this thread, and say nothing.
        above = stack[stack.index(self) + 1 :]
        for mode in (*reversed(above), self):
            TorchDispatchMode.__exit__(mode, None, None, None)  # type: ignore[no-untyped-call]
        for mode in above:
            TorchDispatchMode.__enter__(mode)  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        operator = getattr(func, "_overloadpacket", None)
        if operator is not None and not counts(operator) and func is not _DEVICE:
            with self:
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        output = func(*args, **named)
        # Whatever a formula makes of odd arguments, the model's pass goes on.
        with suppress(Exception):
            self._coverage.multiplied(operator_macs(operator, args, named, output) or 0)
        return output


_DEVICE = torch.ops.prim.device.default


def _is_whole(module: nn.Module) -> bool:
    """Whether a module is a reuse layer with all that it computes, and not only with its attention."""
    return isinstance(module, ReuseLayer) and module._mercuric_kind.whole
