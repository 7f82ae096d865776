"""Does Triton compile every kernel for an H100, with tensor cores and overlapped loads in the products?"""

from pathlib import Path

import compiled_kernels
import pytest

pytest.importorskip("triton", reason="the kernels are compiled by Triton")

SCRIPT = Path(__file__).with_name("compile_for_h100.py")


@pytest.fixture(scope="module")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Of each kernel, which of the instructions looked for it has."""
    return compiled_kernels.instructions(SCRIPT, tmp_path_factory.mktemp("compiled"))


def test_every_kernel_compiles_for_large_layers_and_for_those_of_one_element(
    instructions: dict[str, list[str]],
) -> None:
    assert len(instructions) == 22


@pytest.mark.parametrize("kernel", ["product", "weight_gradient", "input_gradient"])
def test_products_use_tensor_cores_and_load_ahead(instructions: dict[str, list[str]], kernel: str) -> None:
    assert {"wgmma", "cp.async"} <= set(instructions[f"{kernel}_multiply bf16"])


def test_the_table_and_the_sums_are_atomic(instructions: dict[str, list[str]]) -> None:
    assert "atom" in instructions["table_insert bf16"]
    for kernel in ("gradient_sum_add", "input_gradient_multiply"):
        assert {"atom", "red."} & set(instructions[f"{kernel} bf16"])
