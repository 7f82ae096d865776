"""In which precision does a layer compute under autocast?"""

from typing import TypeVar

import torch
from torch import Tensor

MaybeTensor = TypeVar("MaybeTensor", Tensor, Tensor | None)


def autocast(value: MaybeTensor) -> MaybeTensor:
    """``value`` in the precision that autocast chose for products on its device, if it is on."""
    if value is None or value.is_meta or value.dtype == torch.float64:
        return value
    if not torch.is_autocast_enabled(value.device.type):
        return value
    return value.to(torch.get_autocast_dtype(value.device.type))
