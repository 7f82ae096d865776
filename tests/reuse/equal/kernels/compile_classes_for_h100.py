"""Compiles the GPU's convolution of rows for an H100, which needs no GPU, and prints what its code holds.

The interpreter runs what the compiler may refuse. Run without TRITON_INTERPRET.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "alike" / "kernels"))
from compile_for_h100 import compiled

from mercuric.reuse.equal.kernels.gpu import convolution

CONSTANTS = {"TAPS": 9, "HAS_BIAS": True, "BLOCK_ROWS": 64, "BLOCK_FILTERS": 64, "BLOCK_CHANNELS": 32}


def main() -> None:
    """Print, for each kernel, which instructions it has."""
    found = {}
    for dtype, size in (("bf16", None), ("fp32", 1)):
        value = f"*{dtype}"
        pointers = dict.fromkeys(("rows", "filters", "bias", "products", "gradient"), value)
        pointers |= {"members": "*i32", "sums": "*fp32"}
        constants = {**CONSTANTS, "PRECISION": "tf32" if dtype == "fp32" else "ieee"}
        for kernel in (convolution._multiply, convolution._scatter, convolution._add_outer):
            ptx = compiled(kernel, pointers, constants, size)
            words = {word.partition(".")[0] for word in ptx.split()}
            names = sorted(words & {"wgmma", "mma", "red", "atom"})
            found[f"{kernel.fn.__name__} {dtype}"] = names
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
