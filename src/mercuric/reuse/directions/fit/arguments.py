"""Are these the arguments that directions and ranks are fitted with?"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.reuse.handle import ReuseHandle


def checked_batches(model: object, handle: object, batches: object) -> list[Tensor | tuple[Any, ...]]:
    """The batches, all read.

    Raises:
        ValueError: an argument is of another kind than it must be, or a batch is not what the model takes.
    """
    if not isinstance(model, nn.Module) or not isinstance(handle, ReuseHandle):
        raise ArgumentError(
            f"model was {described(model)} and handle {described(handle)}, but must be a torch.nn.Module "
            "and what reuse_ returned for it"
        )
    if not isinstance(batches, Iterable) or isinstance(batches, Tensor | str | dict):
        raise ArgumentError(
            f"batches was {described(batches)}, but must be a list, a loader or another iterable of batches"
        )
    given = list(batches)
    for batch in given:
        check_batch(batch, model.forward)
    return given


def check_search(error: object, distance: object) -> None:
    """Refuse what ranks can't be searched by.

    Raises:
        ValueError: an argument is of another kind than it must be.
    """
    if isinstance(error, bool) or not isinstance(error, int | float):
        raise ArgumentError(f"error was {described(error)}, but must be a number between 0 and 1")
    if distance is not None and not callable(distance):
        raise ArgumentError(
            f"distance was {described(distance)}, but must be a function of two tensors, or None"
        )


def check_batch(batch: object, forward: Callable[..., Any]) -> None:
    """Refuse what is no pass's arguments.

    Raises:
        ValueError: it is of another kind than it must be, or not what the model takes.
    """
    arguments = batch if isinstance(batch, tuple) else (batch,)
    if isinstance(batch, list | dict) or not any(isinstance(one, Tensor) for one in arguments):
        raise ArgumentError(
            f"a batch was {described(batch)}, but must be a tensor or the tuple of the model's arguments"
        )
    try:
        inspect.signature(forward).bind(*arguments)
    except TypeError:
        raise ArgumentError(
            f"a batch was a tuple of {len(arguments)}, which the model's forward pass doesn't take; give its "
            "inputs without labels: (inputs for inputs, labels in loader)"
        ) from None
