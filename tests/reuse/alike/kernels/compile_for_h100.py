"""Compiles every GPU kernel for an H100, which needs no GPU, and prints what its machine code holds, as JSON.

The interpreter runs what the compiler may refuse. Run without TRITON_INTERPRET.
"""

import json
import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from mercuric.reuse.alike.kernels.gpu import (
    compaction,
    gradient_sum,
    input_gradient,
    product,
    signature,
    table,
    weight_gradient,
)
from mercuric.reuse.alike.kernels.gpu.placement import arguments
from mercuric.similarity.window_grid import WindowGrid

H100 = GPUTarget("cuda", 90, 32)
GRID = WindowGrid(28, 28, (3, 3), (1, 1), (1, 1), 1, 1, (64, 28, 28))
LAYOUT = {name: value for name, value in arguments(GRID).items() if name.isupper()}
INTEGERS = ("windows", "rows", "source", "taken", "table", "found", "row", "rank", "flags", "representatives")
TILE = {"BLOCK_ROWS": 64, "BLOCK_FILTERS": 64, "BLOCK_CHANNELS": 32}


def kernels(dtype: str) -> list[tuple[Any, dict[str, str], dict[str, Any]]]:
    """Each kernel, its pointers' types and its constants."""
    value = f"*{dtype}"
    indices = {"windows": "*i32", "count": "*i32"}
    grouped = {**indices, "shared": "*i32", "gradient": value, "sums": value}
    tile = {**LAYOUT, **TILE, "PRECISION": "tf32" if dtype == "fp32" else "ieee"}
    each = {name: "*i32" for name in INTEGERS if name not in ("windows", "row", "rows")}
    pairs = {"BLOCK": 32, "BLOCK_FILTERS": 128}
    signed = {"BITS": 70, "WORDS": 2, "BLOCK_BITS": 64, "BLOCK": 32}
    operands = {"images": value, "weight": value, "bias": value, "output": value}
    return [
        (
            signature._sign,
            {"projected": value, "taps": "*fp32", "packed": "*i64", "finite": "*i1"},
            {**LAYOUT, **signed},
        ),
        (table._insert, {"signatures": "*i64", "finite": "*i1", **each}, {"WORDS": 2, "BLOCK": 128}),
        (table._look_up, each, {"BLOCK": 128}),
        (compaction._mark_first, each, {"BLOCK": 256}),
        (compaction._choose, each, {"BLOCK": 256}),
        (compaction._place, {**each, "row": "*i32", "rows": "*i32", "windows": "*i32"}, {"BLOCK": 256}),
        (product._multiply, {**operands, **indices}, {**tile, "HAS_BIAS": True}),
        (product._hand_out, {"output": value, "source": "*i32"}, pairs),
        (gradient_sum._add, {"gradient": value, "rows": "*i32", "sums": "*fp32"}, pairs),
        (weight_gradient._multiply, {"images": value, "parts": "*fp32", **grouped}, tile),
        (input_gradient._multiply, {"images": "*fp32", "weight": value, **grouped}, tile),
    ]


def compiled(kernel: Any, pointers: dict[str, str], constants: dict[str, Any], size: int | None) -> str:
    """The kernel's PTX; ``size`` is what every number is, which Triton makes a constant where it is 1."""
    function = kernel if isinstance(kernel, triton.runtime.JITFunction) else kernel.fn
    names = function.arg_names
    known = {name: pointers[name] for name in names if name in pointers}
    fixed = {name: constants[name] for name in names if name in constants}
    if size is not None:
        fixed |= {name: size for name in names if name not in known and name not in fixed}
    types = {name: known.get(name, "constexpr" if name in fixed else "i32") for name in names}
    aligned = [
        name for name in names if name in known or (name not in fixed and name in ("channels", "filters"))
    ]
    source = ASTSource(
        function, types, {(names.index(name),): value for name, value in fixed.items()},
        {(names.index(name),): [["tt.divisibility", 16]] for name in aligned},
    )  # fmt: skip
    ptx: str = triton.compile(source, target=H100).asm["ptx"]
    return ptx


def main() -> None:
    """Print, for each kernel, which instructions it has."""
    found = {}
    for dtype, size in (("bf16", None), ("fp32", 1)):
        for kernel, pointers, constants in kernels(dtype):
            function = kernel if isinstance(kernel, triton.runtime.JITFunction) else kernel.fn
            ptx = compiled(kernel, pointers, constants, size)
            place = f"{function.__module__.rsplit('.', 1)[1]}{function.__name__}"
            found[f"{place} {dtype}"] = [
                name for name in ("wgmma", "cp.async", "atom", "red.") if name in ptx
            ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
