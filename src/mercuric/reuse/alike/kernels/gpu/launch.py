"""How are kernels compiled, and how large are their blocks, on a device and under Triton's interpreter?"""

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl

INTERPRETED: bool = triton.knobs.runtime.interpret
UPCAST = tl.constexpr(INTERPRETED)

TILES = [
    (128, 128, 64, 8, 3),
    (128, 256, 64, 8, 3),
    (64, 128, 64, 4, 4),
    (128, 64, 32, 4, 4),
    (64, 64, 32, 4, 4),
]
"""Two outer sides and the inner one of a product's tile, warps, and stages of the pipeline."""


def kernel(function: Callable[..., Any]) -> Any:
    """``triton.jit``, with a type."""
    return triton.jit(function)


def product_kernel(*sides: str, adds_to: tuple[str, ...] = ()) -> Callable[[Callable[..., Any]], Any]:
    """A kernel whose tile is tuned on the device, the first time that a layer's shape comes.

    Args:
        sides: names of the tile's two outer sides and of its inner one.
        adds_to: arguments that the kernel adds to, zeros before.
    """
    return lambda function: triton.autotune(
        _configurations(sides), key=["channels", "filters", "rows", "TAPS"], reset_to_zero=list(adds_to)
    )(triton.jit(function))


def _configurations(sides: tuple[str, ...]) -> list[triton.Config]:
    if INTERPRETED:
        return [triton.Config(dict.fromkeys(sides, 16))]
    return [
        triton.Config(dict(zip(sides, tile, strict=True)), num_warps=warps, num_stages=stages)
        for *tile, warps, stages in TILES
    ]


def blocks(compiled: int, interpreted: int) -> int:
    """A block's side; a small one under the interpreter, so that small tests meet more than one block."""
    return interpreted if INTERPRETED else compiled


def precision(dtype: torch.dtype) -> str:
    """In which precision tensor cores multiply float32: as cuDNN would."""
    return "tf32" if dtype == torch.float32 and torch.backends.cudnn.allow_tf32 else "ieee"


@kernel
def multiply(left: tl.tensor, right: tl.tensor, total: tl.tensor, PRECISION: tl.constexpr) -> tl.tensor:
    """``total`` + ``left`` @ ``right``, summed in float32."""
    if UPCAST:  # The interpreter's dot takes the bits of a bfloat16 for an integer.
        left, right = left.to(tl.float32), right.to(tl.float32)
    return tl.dot(left, right, total, input_precision=PRECISION)
