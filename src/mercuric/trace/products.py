"""Which products does a forward pass make, and in which module?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from mercuric.reuse.operator_macs import pytorch_flops
from mercuric.reuse.vectors import Granularity, Scope
from mercuric.trace.product_shapes import Layout, Part, parts_of
from mercuric.trace.recorder import recording


@dataclass
class Product:
    """One call of an operation that multiplies.

    Attributes:
        operation: PyTorch's name of it, as ``addmm``.
        owner: the module whose weight it reads, else the module that it ran in.
        macs: multiply-accumulates, as PyTorch counts them.
        parts: its input vectors; None where they aren't known.
    """

    operation: str
    owner: str
    macs: int
    parts: list[Part] | None


@dataclass
class Frame:
    """A call of a module that is going on.

    Attributes:
        name: the module's.
        module: the module.
        products: of its own forward pass, without those of modules that it calls.
    """

    name: str
    module: nn.Module
    products: list[Product] = field(default_factory=list)


@contextmanager
def products_of(
    model: nn.Module, done: Callable[[Frame], None], granularity: Granularity, scope: Scope
) -> Iterator[None]:
    """Within the block every product of a network is told of with the call that made it.

    What counts as a product, and its multiply-accumulates, is what PyTorch's ``FlopCounterMode`` says. It has
    no formula for attention on the CPU and for the fused kernel of recurrent layers; these count here too.

    Args:
        model: the network.
        done: called with each module's call when it ends, innermost first; at last with what ran outside
            every call.
        granularity, scope: how convolutions' inputs split into vectors.
    """
    products = _Products(model, done, granularity, scope)
    modules = {
        name: module
        for name, module in model.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)  # takes no hooks
    }
    entered = recording(modules, before=products.enter, foremost=True)
    left = recording(modules, after=products.leave, failed=True)
    with entered, left, products:
        yield
        done(products.outermost)


class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Gives every product to the module's call that goes on."""

    supports_higher_order_operators = True

    def __init__(
        self, model: nn.Module, done: Callable[[Frame], None], granularity: Granularity, scope: Scope
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._done = done
        self._frames = [Frame("", model)]
        self._owners = _owners(model)
        self._layout = Layout(granularity, scope, self._is_weight)

    @property
    def outermost(self) -> Frame:
        """What ran outside every call."""
        return self._frames[0]

    def enter(self, name: str, module: nn.Module, *_: Any) -> None:
        """A call begins."""
        self._frames.append(Frame(name, module))

    def leave(self, _: str, module: nn.Module, *__: Any) -> None:
        """A call has ended."""
        if len(self._frames) > 1 and self._frames[-1].module is module:
            self._done(self._frames.pop())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            return NotImplemented
        operation = func._overloadpacket
        known = pytorch_flops().get(operation)
        if known is None and func is not torch.ops.prim.device.default:
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        out = func(*args, **kwargs)
        parts = parts_of(operation, args, out, self._layout)
        if parts is None and known is None:
            return out
        macs = sum(part.shape.macs for part in parts or [])
        if known is not None:
            macs = known(*args, **kwargs, out_val=out) // 2
        if macs:
            name = str(operation).removeprefix("aten.").lstrip("_")
            self._frames[-1].products.append(Product(name, self._named(args), macs, parts))
        return out

    def _named(self, args: tuple[Any, ...]) -> str:
        """The module whose weight is read, where it is another than the one that reads it."""
        frame = self._frames[-1]
        weights = [one for one in args if isinstance(one, Tensor) and one.dim() > 1 and self._is_weight(one)]
        owner = self._owners[_storage(weights[-1])] if weights else frame.name
        if weights and isinstance(frame.module, nn.MultiheadAttention) and owner == frame.name:
            return f"{owner}.in_proj"  # as its reuse layer is called
        return owner

    def _is_weight(self, tensor: Tensor) -> bool:
        return _storage(tensor) in self._owners


def _owners(model: nn.Module) -> dict[int | None, str]:
    """The module that a storage's parameter belongs to."""
    found: dict[int | None, str] = {}
    for name, parameter in model.named_parameters():
        if not is_lazy(parameter):
            found.setdefault(_storage(parameter), name.rpartition(".")[0])
    found.pop(None, None)
    return found


def _storage(tensor: Tensor) -> int | None:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):
        return None  # sparse tensors have none
