"""How do other modules that call ``scaled_dot_product_attention`` reuse its rows?"""

from inspect import getattr_static
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mercuric.reuse.alike.attention import reuse_attention, tell_dense
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.coverage import products_of
from mercuric.reuse.kinds.kind import LayerKind
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import method_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.products import LayerProduct
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.vectors import Granularity, Scope


class SharesRows(ReuseLayer):
    """Mixed into a module's class: the attention in its forward pass shares the rows of alike queries."""

    # timm's attention takes the function that can be intercepted where this is set.
    fused_attn = property(lambda _: True, lambda _, __: None)

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward pass."""
        with _Intercepted(self._mercuric):
            return super().forward(*args, **kwargs)  # type: ignore[misc]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _empty, (self._mercuric_plain,), self.__dict__


def calls_attention(module: nn.Module) -> bool:
    """Whether the module's own forward pass calls ``scaled_dot_product_attention``."""
    code = getattr(getattr(type(module), "forward", None), "__code__", None)
    return code is not None and F.scaled_dot_product_attention.__name__ in code.co_names


class RowsKind(LayerKind):
    """Modules of one class whose forward pass calls attention; see :class:`LayerKind`.

    Args:
        plain: the class; :attr:`layer` is it with :class:`SharesRows` mixed in.
    """

    product: Kind = "attention"
    whole = False

    def __init__(self, plain: type[nn.Module]) -> None:
        self.plain = plain
        own = {"reuse": getattr_static(plain, "reuse")} if hasattr(plain, "reuse") else {}
        namespace = {"__module__": plain.__module__, "_mercuric_plain": plain, "_mercuric_kind": self, **own}
        self.layer: type[nn.Module] = type(f"Reuse{plain.__name__}", (SharesRows, plain), namespace)

    def states(self, module: Any, name: str, config: ReuseConfig) -> list[LayerReuse]:  # noqa: ARG002
        """Its rows' alone: what else the module computes is its own."""
        return [method_of(config).layer(name, config, LayerProduct(self.product))]

    def vectors(self, module: Any, given: Tensor, granularity: Granularity, scope: Scope) -> None:
        """Its products are several, each counted as such."""

    def macs(
        self,
        layer: Any,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: dict[str, Any],  # noqa: ARG002
        output: Any,  # noqa: ARG002
    ) -> dict[str, int]:
        """Counted where attention is called."""
        return {}


def sharing_rows(plain: type[nn.Module]) -> RowsKind:
    """The kind of a class of modules that call attention; the same each time."""
    if plain not in _KINDS:
        _KINDS[plain] = RowsKind(plain)
    return _KINDS[plain]


_KINDS: dict[type[nn.Module], RowsKind] = {}


def _empty(kind: type[nn.Module]) -> nn.Module:
    made: Any = sharing_rows(kind).layer
    empty: nn.Module = made.__new__(made)
    return empty


class _Intercepted(TorchFunctionMode):
    def __init__(self, state: AlikeLayer) -> None:
        super().__init__()
        self._state = state

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        self._state.ran = True
        with products_of(self._state.name) as count:
            rows = _shared(self._state, *args, **(kwargs or {}))
            count(lambda: _macs(rows, *args, **(kwargs or {})))
        return rows


def _shared(
    state: AlikeLayer,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *args: Any,
    enable_gqa: bool = False,
    **kw: Any,
) -> Tensor:
    dense = not state.on and state.config.attention == "softmax"
    if dense or (enable_gqa and not _grouped(query, key, value)):
        kw["enable_gqa"] = enable_gqa
        rows: Tensor = F.scaled_dot_product_attention(query, key, value, *args, **kw)
        tell_dense(state, query, key, value, rows)
        return rows
    if enable_gqa:
        key, value = (x.repeat_interleave(query.shape[-3] // x.shape[-3], -3) for x in (key, value))
    output, _ = reuse_attention(query, key, value, state, *args, **kw)
    return output


def _grouped(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Whether each head of ``key`` and ``value`` serves as many heads of ``query``."""
    heads = [x.shape[-3] if x.dim() > 2 else 0 for x in (query, key, value)]
    return all(heads) and not any(heads[0] % others for others in heads[1:])


def _macs(rows: Tensor, query: Tensor, key: Tensor, *_: Any, **__: Any) -> int:
    return rows.shape[:-1].numel() * key.shape[-2] * (query.shape[-1] + rows.shape[-1])
