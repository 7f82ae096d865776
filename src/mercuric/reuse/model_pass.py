"""When does a model's next forward pass begin and end?"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle


class NextPass:
    """Calls ``begin`` and ``end`` around the next forward pass that does not fail; no hook is left then.

    Args:
        modules: the model, and modules within it that hold all of its layers: training loops may call one
            of these instead. The first to be called is taken for the pass.
        begin: called with that module before it.
        end: called after it, also where it fails or gives None; told whether it did.
    """

    def __init__(
        self, modules: Iterable[nn.Module], begin: Callable[[nn.Module], None], end: Callable[[bool], None]
    ) -> None:
        self._begin = begin
        self._end = end
        self._modules = list(modules)
        self._running: nn.Module | None = None
        self._before = [module.register_forward_pre_hook(PassHook(self._start)) for module in self._modules]
        self._after: RemovableHandle | None = None

    def close(self) -> None:
        """Watch no longer."""
        if self._running is not None:
            self._stop(failed=True)
        for hook in (*self._before, self._after):
            if hook is not None:
                hook.remove()

    def _start(self, module: nn.Module, *_: Any) -> None:
        if module is self._running:
            # An interrupt left the pass before unfinished.
            self._stop(failed=True)
        # A replica of DataParallel has the hooks of its original.
        if (
            self._running is None
            and torch._C._get_tracing_state() is None
            and any(module is known for known in self._modules)
        ):
            self._running = module
            if self._after is not None:
                self._after.remove()
            self._after = module.register_forward_hook(PassHook(self._finish), always_call=True)
            self._begin(module)

    def _finish(self, module: nn.Module, _: Any, output: Any) -> None:
        if module is self._running:
            self._stop(failed=output is None)

    def _stop(self, failed: bool) -> None:
        self._running = None
        # PyTorch goes through the hooks of a module that failed, and none may be taken off meanwhile: it
        # stays, to watch the next pass.
        if not failed:
            self.close()
        self._end(failed)


class PassHook:
    """A hook of a module; one that is copied with its module does nothing."""

    def __init__(self, called: Callable[..., None] | None = None) -> None:
        self._called = called

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def __call__(self, *args: Any) -> None:
        """Pass the call on."""
        if self._called is not None:
            self._called(*args)

    def __reduce__(self) -> tuple[type["PassHook"], tuple[()]]:
        return PassHook, ()


def modules_around(model: nn.Module, layers: Iterable[str]) -> list[nn.Module]:
    """The model, and the modules within it that hold all of the named layers, from the outside in."""
    parents = [name.split(".")[:-1] for name in layers]
    found, path = [model], []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        path.append(parts[0])
        found.append(model.get_submodule(".".join(path)))
    return found
