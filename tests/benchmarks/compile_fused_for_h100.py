"""Compiles the fused kernel for an H100, which needs no GPU, and prints which instructions its code holds.

The interpreter runs what the compiler may refuse. Run without TRITON_INTERPRET.
"""

import json
import sys
from pathlib import Path

sys.path += [
    str(Path(__file__).parents[2] / "benchmarks"),
    str(Path(__file__).parents[1] / "reuse" / "alike" / "kernels"),
]
from compile_for_h100 import compiled
from on_gpu import fused

CONSTANTS = {"KEEPS": True, "BLOCK_PIXELS": 128, "BLOCK_CHANNELS": 64, "BLOCK_FILTERS": 64}
POINTERS = ("images", "thin", "back", "between", "output")


def main() -> None:
    """Print what was found, for each dtype and rank."""
    found = {}
    for dtype in ("bf16", "fp32"):
        for rank in (64, 128):
            constants = {**CONSTANTS, "RANK": rank, "PRECISION": "tf32" if dtype == "fp32" else "ieee"}
            ptx = compiled(fused._multiply_twice, dict.fromkeys(POINTERS, f"*{dtype}"), constants, None)
            found[f"{dtype} {rank}"] = [name for name in ("wgmma", "cp.async") if name in ptx]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
