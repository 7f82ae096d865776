"""What kind of function is one of PyTorch's, of which nobody says how it goes by rows?"""

from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload


def name_of(func: Any) -> str:
    """As PyTorch's documentation has it; an operator's without its overload."""
    if isinstance(func, OpOverload):
        return str(func.overloadpacket)
    return str(torch.overrides.resolve_name(func) or getattr(func, "__name__", func))


def writes_into(name: str) -> bool:
    """Whether a function of this name writes into its first argument."""
    last = name.rpartition(".")[2]
    return (last.endswith("_") and not last.endswith("__")) or last in _WRITING


def _of_tensors(*names: str) -> set[Any]:
    """Methods, and what reads properties, as __torch_function__ is told of them."""
    found = (getattr(Tensor, name) for name in names if hasattr(Tensor, name))
    return {one if callable(one) else one.__get__ for one in found}


METADATA = _of_tensors(
    "shape", "dtype", "device", "layout", "requires_grad", "ndim", "is_cuda", "is_cpu", "is_leaf", "grad_fn",
    "is_sparse", "is_quantized", "is_meta", "is_mkldnn", "is_mps", "is_nested", "is_xpu", "names", "itemsize",
    "size", "dim", "ndimension", "numel", "nelement", "stride", "is_floating_point", "is_complex", "grad",
    "is_contiguous", "__len__", "is_signed", "get_device", "is_inference", "is_conj", "is_neg", "output_nr",
    "has_names", "storage_offset", "__hash__", "element_size", "_version",
)  # fmt: skip
HOOKS = _of_tensors(
    "register_hook", "retain_grad", "requires_grad_", "register_post_accumulate_grad_hook", "data"
)
HOOKS.add(Tensor.requires_grad.__set__)  # type: ignore[attr-defined]
SETS_DATA = Tensor.data.__set__  # type: ignore[attr-defined]
DERIVATIVES = (torch.autograd.grad, torch.autograd.backward)
RESIZING = {
    "as_strided_", "moveaxis_", "movedim_", "resize_", "resize_as_", "set_", "squeeze_", "swapaxes_",
    "swapdims_", "t_", "transpose_", "unsqueeze_",
}  # fmt: skip
_WRITING = {"__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "set_"}
