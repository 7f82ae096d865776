"""When does dropout leave a shared tensor as it is?"""

from typing import Any

import torch.nn.functional as F

from mercuric.reuse.equal.shared_tensor import HANDLERS


def dropout(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001 - as handlers are
    """Nothing is dropped in evaluation, or at 0; what is, is another one at each position."""
    return NotImplemented if kwargs["training"] and kwargs["p"] != 0 else args[0]


HANDLERS.update(
    dict.fromkeys((F.dropout, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout), dropout)
)
