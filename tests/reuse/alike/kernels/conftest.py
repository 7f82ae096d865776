"""Where do the GPU's kernels run?"""

import pytest
import torch


@pytest.fixture(scope="session", params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """The CPU under Triton's interpreter, or a GPU where there is one."""
    from mercuric.reuse.alike.kernels.gpu.launch import INTERPRETED

    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("on a CPU Triton's kernels need TRITON_INTERPRET=1")
    if request.param == "cuda" and (INTERPRETED or not torch.cuda.is_available()):
        pytest.skip("needs a CUDA device, and TRITON_INTERPRET unset")
    return torch.device(request.param)
