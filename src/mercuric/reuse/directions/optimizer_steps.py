"""When do weights go back into their directions?

At the end of each step of any ``torch.optim.Optimizer``: then no backward pass is left that needs them as
they were. Momentum, Adam and clipped gradients take a weight out of its directions.
"""

import weakref
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.hooks import RemovableHandle


class Follower(Protocol):
    """Something with a weight that is told of the optimizers' steps."""

    def before_step(self) -> None:
        """An optimizer is about to change weights."""

    def moved(self) -> bool:
        """Whether the weight changed since it was last looked at."""

    def after_step(self, weight: Tensor, optimizer: Optimizer) -> None:
        """The optimizer changed the weight."""

    def followed_weight(self) -> Tensor | None:
        """The weight, if there is one."""


class _Steps:
    """Those that follow; the hooks are registered as long as there is one."""

    def __init__(self) -> None:
        self._followers: dict[int, weakref.ref[Follower]] = {}
        self._hooks: list[RemovableHandle] = []
        self._busy = False

    def follow(self, follower: Follower) -> None:
        key = id(follower)
        if key in self._followers:
            return
        self._followers[key] = weakref.ref(follower, lambda _: self._leave(key))
        if not self._hooks:
            self._hooks = [
                register_optimizer_step_pre_hook(self._before),
                register_optimizer_step_post_hook(self._after),
            ]

    def leave(self, follower: Follower) -> None:
        self._leave(id(follower))

    def _leave(self, key: int) -> None:
        self._followers.pop(key, None)
        # Hooks that are running can't be taken off.
        if not self._followers and not self._busy:
            for hook in self._hooks:
                hook.remove()
            self._hooks = []

    def _before(self, *_: Any) -> None:
        for follower in self._live():
            follower.before_step()

    def _after(self, optimizer: Optimizer, *_: Any) -> None:
        owned = {id(one) for group in optimizer.param_groups for one in group["params"]}
        for follower in self._live():
            weight = follower.followed_weight()
            if weight is None or id(weight) not in owned:
                continue
            if weight.grad is not None or follower.moved():
                follower.after_step(weight, optimizer)

    def _live(self) -> Iterator[Follower]:
        self._busy = True
        try:
            for known in list(self._followers.values()):
                follower = known()
                if follower is not None:
                    yield follower
        finally:
            self._busy = False


def linear(optimizer: Optimizer) -> bool:
    """Whether it changes weights by sums of them and their gradients alone, which stay in the directions."""
    return type(optimizer) is torch.optim.SGD


def momentum(weight: Tensor, optimizer: Optimizer) -> Tensor | None:
    """What such an optimizer remembers of a weight's gradients."""
    kept = optimizer.state[weight].get("momentum_buffer") if weight in optimizer.state else None
    return kept if isinstance(kept, Tensor) else None


_STEPS = _Steps()
follow, leave = _STEPS.follow, _STEPS.leave
