"""What do a network's modules read and write in a forward pass?"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import nn

Before = Callable[[str, nn.Module, tuple[Any, ...], dict[str, Any]], None]
"""Called with a module's name, the module, and what it is called with, by position and by name."""
After = Callable[[str, nn.Module, tuple[Any, ...], dict[str, Any], Any], None]
"""The same, and what the module made of it."""


@contextmanager
def recording(
    modules: Mapping[str, nn.Module],
    before: Before | None = None,
    after: After | None = None,
    *,
    foremost: bool = False,
    failed: bool = False,
) -> Iterator[None]:
    """Within the block every call of the modules is told of; they compute what they did without.

    Args:
        modules: what is watched, by name.
        before: told when a call begins.
        after: told when it ends.
        foremost: told before other hooks of a module; else after them.
        failed: told of the end of a call that raised as well, as one that made None.
    """
    with ExitStack() as hooks:
        for name, module in modules.items():
            if before is not None:
                told = partial(before, name)
                hooks.callback(
                    module.register_forward_pre_hook(told, prepend=foremost, with_kwargs=True).remove
                )
            if after is not None:
                ended = partial(after, name)
                hooks.callback(
                    module.register_forward_hook(
                        ended, prepend=foremost, with_kwargs=True, always_call=failed
                    ).remove
                )
        yield


def first_argument(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What a module is called with first, by position or else by name; None: nothing."""
    return next(iter((*args, *kwargs.values())), None)
