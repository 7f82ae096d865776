"""How is a convolution of rows computed on a GPU? Rows are gathered into tiles of the products."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel, multiply, precision

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
ROWS_A_PART = 4096
"""Classes whose share of the weight's gradient one program adds up."""
MOST_PARTS = 32


def convolve(rows: Tensor, filters: Tensor, bias: Tensor | None, members: Tensor) -> Tensor:
    """rows (R, C) of members (U, T) times filters (M, T x C), plus a bias (M,): (U, M), summed in float32."""
    products = rows.new_empty(len(members), len(filters))
    tile = _tile()
    grid = (triton.cdiv(len(members), tile["BLOCK_ROWS"]), triton.cdiv(len(filters), tile["BLOCK_FILTERS"]))
    if products.numel():
        _multiply[grid](
            rows.contiguous(), members.contiguous(), filters, filters if bias is None else bias, products,
            len(members), rows.shape[1], len(filters),
            TAPS=members.shape[1], HAS_BIAS=bias is not None, PRECISION=precision(rows.dtype), **tile,
        )  # fmt: skip
    return products


def convolution_gradients(
    gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor, needed: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Of the rows and of the filters, of those that are ``needed``."""
    operands = gradient.contiguous(), rows.contiguous(), filters, members.contiguous()
    d_rows = _row_gradient(*operands) if needed[0] else None
    return d_rows, _filter_gradient(*operands) if needed[1] else None


def _row_gradient(gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor) -> Tensor:
    count, taps = members.shape
    channels = rows.shape[1]
    sums = torch.zeros(rows.shape, dtype=torch.float32, device=rows.device)
    if torch.are_deterministic_algorithms_enabled():
        panel = (gradient @ filters).view(-1, channels).float()
        inside = members.flatten() >= 0
        return sums.index_add_(0, members.flatten()[inside], panel[inside]).to(rows.dtype)
    tile = _tile()
    grid = (triton.cdiv(count, tile["BLOCK_ROWS"]), taps * triton.cdiv(channels, tile["BLOCK_CHANNELS"]))
    if gradient.numel() and rows.numel():
        _scatter[grid](
            gradient, members, filters, sums, count, channels, len(filters),
            TAPS=taps, PRECISION=precision(rows.dtype), **tile,
        )  # fmt: skip
    return sums.to(rows.dtype)


def _filter_gradient(gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor) -> Tensor:
    count, taps = members.shape
    channels = rows.shape[1]
    parts = max(1, min(MOST_PARTS, triton.cdiv(count, ROWS_A_PART)))
    sums = torch.zeros((parts, *filters.shape), dtype=torch.float32, device=rows.device)
    tile = _tile()
    blocks_of_channels = triton.cdiv(channels, tile["BLOCK_CHANNELS"])
    grid = (triton.cdiv(len(filters), tile["BLOCK_FILTERS"]), taps * blocks_of_channels, parts)
    if gradient.numel() and rows.numel():
        _add_outer[grid](
            gradient, rows, members, sums, count, channels, len(filters), triton.cdiv(count, parts),
            TAPS=taps, PRECISION=precision(rows.dtype), **tile,
        )  # fmt: skip
    return sums.sum(0).to(filters.dtype)


def _tile() -> dict[str, int]:
    # Not tuned a shape: the number of classes is another in each batch.
    return {"BLOCK_ROWS": blocks(64, 16), "BLOCK_FILTERS": blocks(64, 16), "BLOCK_CHANNELS": blocks(32, 16)}


@kernel
def _load_rows(
    rows: tl.tensor, members: tl.tensor, own: tl.tensor, exists: tl.tensor, tap: tl.tensor, c: tl.tensor,
    channels: tl.tensor, TAPS: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """Channels ``c`` of classes' members at ``tap``, zeros outside: (classes, channels)."""
    member = tl.load(members + own.to(tl.int64) * TAPS + tap, mask=exists, other=-1)
    inside = (member >= 0)[:, None] & (c < channels)[None, :]
    return tl.load(rows + member.to(tl.int64)[:, None] * channels + c[None, :], mask=inside, other=0.0)


@kernel
def _multiply(
    rows: tl.tensor, members: tl.tensor, filters: tl.tensor, bias: tl.tensor, products: tl.tensor,
    count: tl.tensor, channels: tl.tensor, width: tl.tensor,
    TAPS: tl.constexpr, HAS_BIAS: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_ROWS: tl.constexpr, BLOCK_FILTERS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
) -> None:  # fmt: skip
    own = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    f = tl.program_id(1) * BLOCK_FILTERS + tl.arange(0, BLOCK_FILTERS)
    total = tl.zeros([BLOCK_ROWS, BLOCK_FILTERS], dtype=tl.float32)
    for tap in range(TAPS):
        for begin in range(0, channels, BLOCK_CHANNELS):
            c = begin + tl.arange(0, BLOCK_CHANNELS)
            values = _load_rows(rows, members, own, own < count, tap, c, channels, TAPS)
            at = f[None, :] * (TAPS * channels) + tap * channels + c[:, None]
            factors = tl.load(filters + at, mask=(f < width)[None, :] & (c < channels)[:, None], other=0.0)
            total = multiply(values, factors, total, PRECISION)
    if HAS_BIAS:
        total += tl.load(bias + f, mask=f < width, other=0.0).to(tl.float32)[None, :]
    at = own.to(tl.int64)[:, None] * width + f[None, :]
    inside = (own < count)[:, None] & (f < width)[None, :]
    tl.store(products + at, total.to(products.dtype.element_ty), mask=inside)


@kernel
def _scatter(
    gradient: tl.tensor, members: tl.tensor, filters: tl.tensor, sums: tl.tensor,
    count: tl.tensor, channels: tl.tensor, width: tl.tensor,
    TAPS: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_ROWS: tl.constexpr, BLOCK_FILTERS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
) -> None:  # fmt: skip
    own = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    tap = tl.program_id(1) % TAPS
    c = tl.program_id(1) // TAPS * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    total = tl.zeros([BLOCK_ROWS, BLOCK_CHANNELS], dtype=tl.float32)
    for begin in range(0, width, BLOCK_FILTERS):
        f = begin + tl.arange(0, BLOCK_FILTERS)
        wanted = (own < count)[:, None] & (f < width)[None, :]
        values = tl.load(gradient + own.to(tl.int64)[:, None] * width + f[None, :], mask=wanted, other=0.0)
        at = f[:, None] * (TAPS * channels) + tap * channels + c[None, :]
        factors = tl.load(filters + at, mask=(f < width)[:, None] & (c < channels)[None, :], other=0.0)
        total = multiply(values, factors, total, PRECISION)
    member = tl.load(members + own.to(tl.int64) * TAPS + tap, mask=own < count, other=-1)
    inside = (member >= 0)[:, None] & (c < channels)[None, :]
    place = member.to(tl.int64)[:, None] * channels + c[None, :]
    tl.atomic_add(sums + place, total, mask=inside, sem="relaxed")


@kernel
def _add_outer(
    gradient: tl.tensor, rows: tl.tensor, members: tl.tensor, sums: tl.tensor,
    count: tl.tensor, channels: tl.tensor, width: tl.tensor, part: tl.tensor,
    TAPS: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_ROWS: tl.constexpr, BLOCK_FILTERS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
) -> None:  # fmt: skip
    f = tl.program_id(0) * BLOCK_FILTERS + tl.arange(0, BLOCK_FILTERS)
    tap = tl.program_id(1) % TAPS
    c = tl.program_id(1) // TAPS * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    total = tl.zeros([BLOCK_FILTERS, BLOCK_CHANNELS], dtype=tl.float32)
    end = tl.minimum((tl.program_id(2) + 1) * part, count)
    for begin in range(tl.program_id(2) * part, end, BLOCK_ROWS):
        own = begin + tl.arange(0, BLOCK_ROWS)
        wanted = (own < end)[None, :] & (f < width)[:, None]
        values = tl.load(gradient + own.to(tl.int64)[None, :] * width + f[:, None], mask=wanted, other=0.0)
        taken = _load_rows(rows, members, own, own < end, tap, c, channels, TAPS)
        total = multiply(values, taken, total, PRECISION)
    at = (
        (tl.program_id(2) * width + f[:, None]).to(tl.int64) * (TAPS * channels) + tap * channels + c[None, :]
    )
    tl.store(sums + at, total, mask=(f < width)[:, None] & (c < channels)[None, :])
