"""How does ``nn.MultiheadAttention`` reuse results?"""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.alike.attention import reuse_attention
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.kinds.kind import LayerKind
from mercuric.reuse.kinds.linear import reuse_linear
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import method_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.precision import refuse_complex, require_tensors
from mercuric.reuse.products import LayerProduct
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.vectors import Granularity, Scope, attention_vectors, row_vectors


class ReuseMultiheadAttention(ReuseLayer, nn.MultiheadAttention):
    """``nn.MultiheadAttention`` whose projections and rows are computed once for alike vectors.

    Three reuse layers: ``in_proj`` (fully connected, its rows are the sequence's vectors), the
    attention itself (paper III-C4), and ``out_proj`` (fully connected). Made by ``reuse_``.
    """

    _mercuric_plain = nn.MultiheadAttention
    _mercuric: AlikeLayer
    _mercuric_in: AlikeLayer
    _mercuric_out: AlikeLayer

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As ``nn.MultiheadAttention.forward``.

        Raises:
            ValueError: a mask or an input of the wrong shape, ``is_causal`` without its mask, or complex
                weights.
        """
        states = (self._mercuric_in, self._mercuric, self._mercuric_out)
        for state in states:
            state.ran = True
        on = any(state.on for state in states)
        if on:
            require_tensors(self._mercuric.name, query=query, key=key, value=value)
        if on and query.numel() and key.numel():
            return self._share(
                query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
            )
        with torch._C.DisableTorchFunction():  # or a module around this one counts the rows as its own
            output: tuple[Tensor, Tensor | None] = super().forward(
                query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
            )
        if output[0].numel() and key.numel():
            self._tell_dense([query, key, value], output[0].requires_grad)
        return output

    def _share(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None,
        need_weights: bool,
        attn_mask: Tensor | None,
        average_attn_weights: bool,
        is_causal: bool,
    ) -> tuple[Tensor, Tensor | None]:
        refuse_complex(self._mercuric.name, self.out_proj.weight)
        if is_causal and attn_mask is None:
            raise ArgumentError(
                f"is_causal of layer {self._mercuric.name!r} was True, but needs attn_mask with it"
            )
        batched = query.dim() == 3
        inputs = [self._batch_first(x, batched) for x in (query, key, value)]
        q, k, v = self._project(inputs, self._together(query, key, value))
        mask = self._mask(key_padding_mask, attn_mask, q, k, batched)
        heads = [self._split(x) for x in self._with_extra_keys(q, k, v)]
        rows, weights = reuse_attention(
            heads[0], heads[1], heads[2], self._mercuric, self._with_extra_columns(mask),
            self.dropout if self.training else 0.0, need_weights=need_weights,
        )  # fmt: skip
        joined = rows.transpose(1, 2).flatten(2)
        output = reuse_linear(joined, self.out_proj.weight, self.out_proj.bias, self._mercuric_out)
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            return output[0], None if weights is None else weights[0]
        return output if self.batch_first else output.transpose(0, 1), weights

    def _batch_first(self, x: Tensor, batched: bool) -> Tensor:
        if x.is_nested or x.dim() != (3 if batched else 2):
            raise ArgumentError(
                f"input of layer {self._mercuric.name!r} was {'nested' if x.is_nested else tuple(x.shape)}, "
                "but query, key and value must all have 3 dimensions, or all 2"
            )
        if not batched:
            return x[None]
        return x if self.batch_first else x.transpose(0, 1)

    def _tell_dense(self, given: list[Tensor], trained: bool) -> None:
        inputs = [self._batch_first(x, x.dim() == 3) for x in given]
        scope = self._mercuric.config.scope
        for first, last in self._together(*given):
            rows, filters = inputs[first], (last - first) * self.embed_dim
            self._mercuric_in.tell(row_vectors(tuple(rows.shape), filters, scope), None, rows.requires_grad)
        sequences, rows_of_one, _ = inputs[0].shape
        keys = inputs[1].shape[1] + (self.bias_k is not None) + self.add_zero_attn
        queries = (sequences, self.num_heads, rows_of_one, self.head_dim)
        self._mercuric.tell(attention_vectors(queries, keys, self.head_dim), None, trained)
        joined = (sequences, rows_of_one, self.embed_dim)
        self._mercuric_out.tell(row_vectors(joined, self.embed_dim, scope), None, trained)

    def _together(self, query: Tensor, key: Tensor, value: Tensor) -> list[tuple[int, int]]:
        """Which of the three, from and to, are one tensor: projected at once, signed once."""
        apart = self.in_proj_weight is None
        first_of = [
            0,
            *(place for place in (1, 2) if apart or not (key is query, value is key)[place - 1]),
            3,
        ]
        return list(pairwise(first_of))

    def _project(self, inputs: list[Tensor], together: list[tuple[int, int]]) -> list[Tensor]:
        biases = [None] * 3 if self.in_proj_bias is None else list(self.in_proj_bias.chunk(3))
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
            return [
                reuse_linear(x, weight, bias, self._mercuric_in)
                for x, weight, bias in zip(inputs, weights, biases, strict=True)
            ]
        projected: list[Tensor] = []
        for first, last in together:
            part = slice(first * self.embed_dim, last * self.embed_dim)
            bias = None if self.in_proj_bias is None else self.in_proj_bias[part]
            joint = reuse_linear(inputs[first], self.in_proj_weight[part], bias, self._mercuric_in)
            projected += joint.chunk(last - first, dim=-1)
        return projected

    def _split(self, x: Tensor) -> Tensor:
        """(N, L, E) to (N, heads, L, E / heads)."""
        return x.view(*x.shape[:2], self.num_heads, self.head_dim).transpose(1, 2)

    def _mask(
        self, key_padding_mask: Tensor | None, attn_mask: Tensor | None, q: Tensor, k: Tensor, batched: bool
    ) -> Tensor | None:
        """Both masks as one, True or 0 where a key takes part: (N or 1, heads or 1, L or 1, S)."""
        sequences, rows, keys = len(q), q.shape[1], k.shape[1]
        padding = None
        if key_padding_mask is not None:
            expected = (sequences, keys) if batched else (keys,)
            padding = self._checked("key_padding_mask", key_padding_mask, [expected]).view(
                sequences, 1, 1, keys
            )
        if attn_mask is None:
            return padding
        full = (sequences * self.num_heads, rows, keys)
        own = self._checked("attn_mask", attn_mask, [(rows, keys), full])
        own = own[None, None] if own.dim() == 2 else own.view(sequences, self.num_heads, rows, keys)
        if padding is None:
            return own
        if own.dtype == padding.dtype == torch.bool:
            return own & padding
        return _added(own, q.dtype) + _added(padding, q.dtype)

    def _checked(self, what: str, mask: Tensor, shapes: list[tuple[int, ...]]) -> Tensor:
        if tuple(mask.shape) not in shapes:
            expected = " or ".join(map(str, shapes))
            raise ArgumentError(
                f"{what} of layer {self._mercuric.name!r} was {tuple(mask.shape)}, but must be {expected}"
            )
        if mask.dtype != torch.bool and not mask.is_floating_point():
            raise ArgumentError(
                f"{what} of layer {self._mercuric.name!r} was {mask.dtype}, but must be bool or floating"
            )
        return ~mask if mask.dtype == torch.bool else mask

    def _with_extra_keys(self, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
        if self.bias_k is not None and self.bias_v is not None:
            k = torch.cat([k, self.bias_k.to(k.dtype).expand(len(k), 1, -1)], dim=1)
            v = torch.cat([v, self.bias_v.to(v.dtype).expand(len(v), 1, -1)], dim=1)
        if self.add_zero_attn:
            k, v = F.pad(k, (0, 0, 0, 1)), F.pad(v, (0, 0, 0, 1))
        return [q, k, v]

    def _with_extra_columns(self, mask: Tensor | None) -> Tensor | None:
        extra = (self.bias_k is not None) + self.add_zero_attn
        if mask is None or not extra:
            return mask
        return F.pad(mask, (0, extra), value=True if mask.dtype == torch.bool else 0.0)


def _added(mask: Tensor, dtype: torch.dtype) -> Tensor:
    if mask.is_floating_point():
        return mask.to(dtype)
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, -torch.inf)


class MultiheadAttentionKind(LayerKind):
    """Projections and rows of queries; see :class:`~mercuric.reuse.kinds.kind.LayerKind`."""

    plain = nn.MultiheadAttention
    layer = ReuseMultiheadAttention
    product: Kind = "attention"

    def states(self, module: Any, name: str, config: ReuseConfig) -> list[LayerReuse]:
        """Of its inputs' projections, of its rows and of its output's."""
        method, width = method_of(config), module.embed_dim
        return [
            method.layer(f"{name}.in_proj", config, LayerProduct("linear", width)),
            method.layer(name, config, LayerProduct("attention")),
            method.layer(f"{name}.out_proj", config, LayerProduct("linear", width)),
        ]

    def own(self, layer: Any, states: list[LayerReuse]) -> None:
        """See :meth:`LayerKind.own`."""
        layer._mercuric_in, layer._mercuric, layer._mercuric_out = states

    def vectors(self, module: Any, given: Tensor, granularity: Granularity, scope: Scope) -> None:
        """Its products are several, each counted as such."""

    def macs(
        self,
        layer: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,  # noqa: ARG002
    ) -> dict[str, int]:
        """See :meth:`LayerKind.macs`."""
        given = [*args, *(kwargs[name] for name in ("query", "key", "value") if name in kwargs)]
        query, key, value = given[:3]
        width, own = layer.embed_dim, layer.__dict__
        sequences = query.shape[0 if layer.batch_first else 1] if query.dim() == 3 else 1
        keys = key.numel() // key.shape[-1] + sequences * ((layer.bias_k is not None) + layer.add_zero_attn)
        return {
            own["_mercuric_in"].name: width * (query.numel() + key.numel() + value.numel()),
            own["_mercuric"].name: 2 * query.numel() * keys // max(1, sequences),
            own["_mercuric_out"].name: width * query.numel(),
        }


MULTIHEAD = ReuseMultiheadAttention._mercuric_kind = MultiheadAttentionKind()
