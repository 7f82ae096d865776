"""Which PyTorch operators run, with results of which shapes, and does one of them wait for the device?"""

from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Recorded(TorchDispatchMode):
    """Records each operator and the shapes of its results; refuses those that ask the device."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, list[tuple[int, ...]]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        refused = (
            "_local_scalar_dense",
            "nonzero",
            "masked_select",
            "unique_dim",
            "_unique2",
            "item",
            "equal",
        )
        assert name not in refused, f"{name} waits for the device"
        result = func(*args, **(kwargs or {}))
        tensors = [
            value for value in (result if isinstance(result, tuple) else (result,)) if type(value) is Tensor
        ]
        self.calls.append((name, [tuple(tensor.shape) for tensor in tensors]))
        return result
