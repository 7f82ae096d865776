"""In which precision does a layer compute and add up, and what does it leave to PyTorch?"""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mercuric.errors import ArgumentError, described

MaybeTensor = TypeVar("MaybeTensor", Tensor, Tensor | None)
HALF = (torch.float16, torch.bfloat16)


def accurate(values: Tensor) -> Tensor:
    """Float32 in place of half precision, in which a sum stops at 256 or 2048 times what is added."""
    return values.float() if values.dtype in HALF else values


def autocast(value: MaybeTensor) -> MaybeTensor:
    """``value`` in the precision that autocast chose for products on its device, if it is on."""
    return value if value is None or value.is_meta else value.to(_precision(value))


def _precision(value: Tensor) -> torch.dtype:
    chosen = value.is_floating_point() and value.dtype != torch.float64
    if not chosen or not torch.is_autocast_enabled(value.device.type):
        return value.dtype
    return torch.get_autocast_dtype(value.device.type)


def left_to_torch(input: Tensor, *others: Tensor | None) -> bool:  # noqa: A002 - a layer's word
    """Whether PyTorch's own operator takes a call: it knows what an empty batch gives, and its own errors.

    These are the calls without a number, and those whose numbers are integers or of several dtypes.
    """
    dtypes = {_precision(value) for value in (input, *others) if value is not None}
    return not input.numel() or len(dtypes) > 1 or not input.is_floating_point()


def require_tensors(name: str, **values: object) -> None:
    """Return if what a layer was called with are tensors.

    Raises:
        ValueError: one is something else; it is named.
    """
    for argument, value in values.items():
        if not isinstance(value, Tensor):
            hint = " (torch.from_numpy)" if isinstance(value, np.ndarray) else ""
            raise ArgumentError(
                f"{argument} of layer {name!r} was {described(value)}, but must be a tensor{hint}"
            )


def refuse_complex(name: str, *values: Tensor | None) -> None:
    """Return if the numbers of a layer are real.

    Raises:
        ValueError: they are complex.
    """
    for value in values:
        if value is not None and value.is_complex():
            raise ArgumentError(
                f"layer {name!r} was of {value.dtype} numbers, but reuse compares real ones; leave it dense "
                "with filter_fn"
            )
