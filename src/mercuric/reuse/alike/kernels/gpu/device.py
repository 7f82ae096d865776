"""Can a GPU compute with reuse here?"""

from importlib.util import find_spec

import torch

from mercuric.errors import MercuricError


def require_triton(device: torch.device) -> None:
    """Return if Triton is there to compile kernels for ``device``; import the kernels only then.

    Raises:
        MercuricError: Triton is not installed.
    """
    if find_spec("triton") is None:
        raise MercuricError(
            f"reuse on {device} needs Triton, which is not installed: pip install triton, or move the model "
            "to the CPU"
        )
