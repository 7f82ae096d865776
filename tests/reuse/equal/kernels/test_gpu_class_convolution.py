"""Does the GPU convolve rows as the definition does, with its gradients?"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maps_drawn import Layer, layers
from torch import Tensor

from mercuric.reuse.equal.kernels import class_convolution, reference

pytest.importorskip("triton", reason="GPU kernels are in Triton")
from mercuric.reuse.alike.kernels.gpu.launch import INTERPRETED
from mercuric.reuse.equal.kernels.gpu import convolution

TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 3e-2, torch.float16: 4e-3}


def operands(layer: Layer, filters: int, dtype: torch.dtype) -> list[Tensor]:
    """Rows, weight, bias and the product's gradient, of few bits."""
    generator = torch.Generator().manual_seed(0)
    channels = layer.rows.shape[1]
    shapes = [layer.rows.shape, (filters, channels, *layer.window.kernel), (filters,)]
    shapes.append((len(layer.members), filters))
    return [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]


@pytest.mark.skipif(not INTERPRETED, reason="on a CPU Triton's kernels need TRITON_INTERPRET=1")
@pytest.mark.parametrize("deterministic", [False, True])
@settings(max_examples=20)
@given(
    layer=layers(), filters=st.sampled_from([1, 5, 18]), dtype=st.sampled_from(list(TOLERANCE)),
    several=st.booleans(),
)  # fmt: skip
def test_products_and_gradients_are_the_definitions(
    deterministic: bool, layer: Layer, filters: int, dtype: torch.dtype, several: bool
) -> None:
    rows, weight, bias, gradient = operands(layer, filters, dtype)
    matrix = weight.permute(0, 2, 3, 1).reshape(filters, -1).contiguous()
    exact = [operand.double().requires_grad_() for operand in (rows, weight, bias)]
    product = reference.class_convolution(*exact, layer.members)
    d_rows, d_weight, _ = torch.autograd.grad(product, exact, gradient.double())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "ROWS_A_PART", 3 if several else 4096)
        patch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: deterministic)
        found = convolution.convolve(rows, matrix, bias, layer.members)
        gradients = convolution.convolution_gradients(gradient, rows, matrix, layer.members, (True, True))
    expected = (product, d_rows, d_weight.permute(0, 2, 3, 1).reshape(matrix.shape))
    for one, other in zip((found, *gradients), expected, strict=True):
        assert one.dtype == dtype
        scale = max(1.0, float(other.detach().abs().max())) if other.numel() else 1.0
        assert one.shape == other.shape
        assert (
            not one.numel() or float((one.double() - other).detach().abs().max()) <= TOLERANCE[dtype] * scale
        )
    assert convolution.convolution_gradients(gradient, rows, matrix, layer.members, (False, False)) == (
        None,
        None,
    )


@pytest.mark.gpu
@pytest.mark.skipif(INTERPRETED or not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_convolves_as_a_processor_does() -> None:
    generator = torch.Generator().manual_seed(0)
    members = torch.randint(-1, 300, (5000, 9), generator=generator).int()
    drawn = [torch.randn(shape, generator=generator) for shape in ((300, 70), (90, 70, 3, 3), (90,))]
    outcomes = []
    for device in ("cpu", "cuda"):
        own = [operand.to(device).requires_grad_() for operand in drawn]
        result = class_convolution(*own, members.to(device))
        outcomes.append([result, *torch.autograd.grad(result.square().sum(), own)])
    for one, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(other.cpu(), one, rtol=1e-2, atol=1e-2 * float(one.detach().abs().max()))
