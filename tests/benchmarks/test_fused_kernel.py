"""Does one kernel compute what the two convolutions do, with their gradients, and does it compile?"""

from pathlib import Path

import pytest
import torch
from compiled_kernels import instructions
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("triton", reason="the kernel is in Triton")
from on_gpu.fused import fused, reference

from mercuric.reuse.alike.kernels.gpu.launch import INTERPRETED

SCRIPT = Path(__file__).with_name("compile_fused_for_h100.py")
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 3e-2}


@pytest.mark.skipif(not INTERPRETED, reason="on a CPU Triton's kernels need TRITON_INTERPRET=1")
@settings(max_examples=10)
@given(
    batch=st.integers(1, 2), channels=st.integers(1, 20), filters=st.integers(1, 20),
    height=st.integers(1, 6), width=st.integers(1, 6), dtype=st.sampled_from(list(TOLERANCE)),
)  # fmt: skip
@example(batch=2, channels=17, filters=33, height=5, width=3, dtype=torch.float32)
def test_products_and_gradients_are_those_of_two_convolutions(
    batch: int, channels: int, filters: int, height: int, width: int, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = ((batch, channels, height, width), (16, channels, 3, 3), (filters, 16, 1, 1))
    drawn = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
    own = [one.clone().requires_grad_() for one in drawn]
    exact = [one.double().requires_grad_() for one in drawn]
    product, expected = fused(*own), reference(*exact)
    assert product.shape == expected.shape
    assert product.dtype == dtype
    gradient = torch.randn(expected.shape, generator=generator)
    pairs = [(product, expected)]
    found = torch.autograd.grad(product, own, gradient.to(dtype))
    pairs += zip(found, torch.autograd.grad(expected, exact, gradient.to(dtype).double()), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(
            one.double(), other, rtol=0, atol=TOLERANCE[dtype] * float(other.detach().abs().max())
        )


def test_a_rank_that_is_no_side_of_a_tile_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^thin had 24 filters, but must have a power of 2 of them"):
        fused(torch.zeros(1, 3, 4, 4), torch.zeros(24, 3, 3, 3), torch.zeros(5, 24, 1, 1))


def test_it_compiles_for_an_h100_with_tensor_cores_and_overlapped_loads(tmp_path: Path) -> None:
    found = instructions(SCRIPT, tmp_path)
    assert len(found) == 4
    assert {"wgmma", "cp.async"} <= set(found["bf16 64"]) & set(found["bf16 128"])
