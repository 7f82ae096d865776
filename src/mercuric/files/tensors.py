"""How is a state that holds tensors written where only text fits?"""

from typing import Any

from torch import Tensor

from mercuric.errors import ArgumentError

MARK = "tensor"


def parted(state: Any, place: str) -> tuple[Any, dict[str, Tensor]]:
    """A state of dictionaries, lists and tensors as one that JSON can hold, and its tensors by name.

    Args:
        state: keys of dictionaries are text.
        place: what the tensors' names begin with; the path to each follows, with dots between.

    Returns:
        The state with ``{"tensor": name}`` in each tensor's place, and name to tensor.
    """
    if isinstance(state, Tensor):
        return {MARK: place}, {place: state}
    if not isinstance(state, dict | list | tuple):
        return state, {}
    named = state.items() if isinstance(state, dict) else enumerate(state)
    parts = {key: parted(value, f"{place}.{key}") for key, value in named}
    tensors = {name: tensor for _, own in parts.values() for name, tensor in own.items()}
    text = {key: value for key, (value, _) in parts.items()}
    return text if isinstance(state, dict) else list(text.values()), tensors


def joined(state: Any, tensors: dict[str, Tensor]) -> Any:
    """The state that :func:`parted` took apart.

    Raises:
        ValueError: a tensor is missing.
    """
    if isinstance(state, list):
        return [joined(value, tensors) for value in state]
    if not isinstance(state, dict):
        return state
    # A layer may have the mark for its name: then a dictionary stands there.
    if state.keys() == {MARK} and isinstance(name := state[MARK], str):
        if name not in tensors:
            raise ArgumentError(f"the tensor {name!r} is missing")
        return tensors[name]
    return {key: joined(value, tensors) for key, value in state.items()}
