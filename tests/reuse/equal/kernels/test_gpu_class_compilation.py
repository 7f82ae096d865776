"""Does Triton compile the convolution of rows for an H100, with tensor cores?"""

from pathlib import Path

import pytest
from compiled_kernels import instructions

pytest.importorskip("triton", reason="the kernels are compiled by Triton")

SCRIPT = Path(__file__).with_name("compile_classes_for_h100.py")


def test_kernels_compile_for_large_layers_and_for_those_of_one_element(tmp_path: Path) -> None:
    found = instructions(SCRIPT, tmp_path)
    assert len(found) == 6
    for kernel in ("_multiply", "_scatter", "_add_outer"):
        assert {"wgmma", "mma"} & set(found[f"{kernel} bf16"])
    assert {"red", "atom"} & set(found["_scatter bf16"])
    assert not {"red", "atom"} & set(found["_multiply bf16"])
