"""How is torchvision imported where its compiled operators cannot load?

The published torchvision wheel is built for CUDA; beside a CPU-only PyTorch its library does not
load and the import stops at two operators that no network or transform here needs. Declaring them
lets it finish. Where the operators exist, nothing is declared. Every file takes torchvision from
here, so that the order of imports cannot matter.
"""

import torch
from torch.library import Library

from mercuric.extras import needed_for

_OPERATORS = ("nms", "qnms")
_declared: list[Library] = []


def _declare_missing_operators() -> None:
    library = Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)  # the declarations live as long as the library object


try:
    with needed_for("this network or data set"):
        import torchvision
except RuntimeError as error:
    if "operator torchvision::" not in str(error):
        raise
    _declare_missing_operators()
    import torchvision

__all__ = ["torchvision"]
