"""Are there kernels for what lies on this device?"""

from importlib.util import find_spec

from torch import Tensor


def is_on_gpu(values: Tensor) -> bool:
    """Whether Triton can compile kernels for where ``values`` lie: import those only then."""
    return values.is_cuda and find_spec("triton") is not None
