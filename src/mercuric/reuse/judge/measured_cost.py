"""What does a batch through a layer cost in milliseconds on this machine, with reuse and densely?"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.utils.hooks import RemovableHandle

from mercuric.errors import ArgumentError
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.layer_kinds import kind_of
from mercuric.reuse.transforms import is_wrapped

Switch = Callable[[str, bool], AbstractContextManager[None]]
"""Within ``switch(name, on)`` that layer computes with reuse (True) or densely (False), uncounted."""


CLEAR = 1.5
"""Times that one form must take longer than the other for two runs to be enough."""
_LEAST = 2


class MeasuredCost:
    """Times layers on the inputs and gradients that training gives them, each layer once in ``every`` steps.

    A due layer keeps one step's inputs and the gradients of its outputs, of every call; after the step the
    layer's forward and backward passes are run on them again, in turn with reuse and densely. The layers take
    turns, so that no step is much longer than the others and few inputs are held at once.

    Args:
        layers: name to layer; ``layer.forward`` must give one tensor from a tensor, its first argument.
        switch: turns one layer's reuse on or off for a while.
        every: steps from one measurement of a layer to the next.
        repeats: runs with reuse and runs without, at most; after two of each, one form that takes
            :data:`CLEAR` times as long as the other ends them. The shortest of each are compared, because
            whatever else the machine does only ever makes them longer.
        clock: seconds.

    Raises:
        ValueError: ``every`` or ``repeats`` is below 1.
    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        switch: Switch,
        every: int = 200,
        repeats: int = 4,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        for argument, value in (("every", every), ("repeats", repeats)):
            if value < 1:
                raise ArgumentError(f"{argument} was {value}, but must be at least 1")
        self._layers = dict(layers)
        self._switch = switch
        self._every = every
        self._repeats = repeats
        self._clock = clock
        self._steps = 0
        self._passes: dict[str, list[_Pass]] = {}
        self._hooks: list[RemovableHandle] = []
        self._arm(self._layers)

    def step(self, on: Collection[str], later: Collection[str] | None = None) -> dict[str, Cost | None]:
        """Time the layers that were due in the training step just done, and make the next ones due.

        Args:
            on: names of the layers that reuse; the others are not timed.
            later: those that may be timed after the next steps; the same by default.

        Returns:
            Every layer's name to C_S and C_B in milliseconds, or None where it was not due, did not
            run, or is off.
        """
        passes = self._passes
        self.close()
        costs: dict[str, Cost | None] = dict.fromkeys(self._layers)
        for name, recorded in passes.items():
            complete = [one for one in recorded if one.complete]
            if name in on and complete:
                costs[name] = self._time(name, complete)
        self._steps += 1
        self._arm(on if later is None else later)
        return costs

    @property
    def steps(self) -> int:
        """Training steps so far, on which it depends which layers are due."""
        return self._steps

    def go_on(self, steps: int) -> None:
        """Stand where so many training steps have been done."""
        self.close()
        self._steps = steps
        self._arm(self._layers)

    def close(self) -> None:
        """Drop what was recorded and take the hooks off the layers."""
        for hook in self._hooks:
            hook.remove()
        self._passes, self._hooks = {}, []

    def _arm(self, on: Collection[str]) -> None:
        due = self._steps % self._every
        for place, (name, layer) in enumerate(self._layers.items()):
            if place % self._every == due and name in on:
                self._hooks.append(
                    layer.register_forward_hook(_Recorder(name, self._passes), with_kwargs=True)
                )

    def _time(self, name: str, recorded: list["_Pass"]) -> Cost:
        layer = _with_own_weight(self._layers[name])
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for done in range(self._repeats):
            shortest = [min(measured, default=0.0) for measured in seconds.values()]
            if done >= _LEAST and max(shortest) > CLEAR * min(shortest):
                break
            for reuse, measured in seconds.items():
                with self._switch(name, reuse):
                    measured.append(sum(one.run(layer, self._clock) for one in recorded))
        with_reuse, dense = (1000 * min(measured) for measured in seconds.values())
        return Cost(with_reuse, dense)


@dataclass
class _Recorder:
    """A forward hook that keeps a layer's next training passes; one copied with a layer keeps none."""

    name: str = ""
    passes: dict[str, list["_Pass"]] | None = None

    def __call__(
        self, _layer: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Tensor
    ) -> Tensor | None:
        if self.passes is None or not arguments or not torch.is_grad_enabled():
            return None
        if is_wrapped(arguments[0]) or is_wrapped(output):
            return None
        given, *more = arguments
        recorded = _Pass.of(given, tuple(more), named, trains=output.requires_grad)
        self.passes.setdefault(self.name, []).append(recorded)
        return recorded.watched(output) if output.requires_grad else None

    def __reduce__(self) -> tuple[type["_Recorder"], tuple[()]]:
        return _Recorder, ()


@dataclass
class _Pass:
    """One training pass through one layer, to be run again under the same mixed precision."""

    given: Tensor
    more: tuple[Any, ...]
    named: dict[str, Any]
    trains: bool
    autocast: bool
    precision: torch.dtype
    gradient: Tensor | None = None

    @classmethod
    def of(cls, given: Tensor, more: tuple[Any, ...], named: dict[str, Any], *, trains: bool) -> "_Pass":
        """The pass that has just gone forward."""
        device = given.device.type
        return cls(
            given.detach().requires_grad_(given.requires_grad),
            more,
            named,
            trains,
            torch.is_autocast_enabled(device),
            torch.get_autocast_dtype(device),
        )

    def watched(self, output: Tensor) -> Tensor:
        """The output again, whose gradient is kept."""
        # A copy: an operation in place on a view (a ReLU behind it) would drop the view's hook.
        copy = output.clone()
        copy.register_hook(self._keep)  # type: ignore[no-untyped-call]
        return copy

    @property
    def complete(self) -> bool:
        """Whether the gradient came, where one is due."""
        return self.gradient is not None or not self.trains

    def run(self, layer: nn.Module, clock: Callable[[], float]) -> float:
        """Seconds of the layer's forward and backward pass; calls no hook and changes no ``.grad``."""
        sought = [tensor for tensor in (self.given, *layer.parameters()) if tensor.requires_grad]
        _wait(self.given)
        started = clock()
        with torch.set_grad_enabled(self.trains):
            with torch.autocast(self.given.device.type, self.precision, self.autocast):
                last: Tensor = layer.forward(self.given, *self.more, **self.named)
            if self.gradient is not None:
                last = torch.autograd.grad(last, sought, self.gradient)[0]
        _wait(last)
        return clock() - started

    def _keep(self, gradient: Tensor) -> None:
        self.gradient = gradient.detach()


def _with_own_weight(layer: nn.Module) -> nn.Module:
    """The layer; where it derives its weight or bias from others, a stand-in that has them as parameters.

    Deriving them again may change what they are derived from (spectral_norm's vectors), or need hooks.
    """
    kind = kind_of(layer)
    own = "weight" in layer._parameters and not is_parametrized(layer)
    if own or kind is None or kind.product == "attention":
        return layer
    plain: Any = next(kind for kind in type(layer).__mro__ if not {"weight", "bias"} & kind.__dict__.keys())
    stand_in: nn.Module = plain.__new__(plain)
    stand_in.__dict__.update(layer.__dict__, _modules={})
    stand_in.__dict__.pop("weight", None)
    derived = [module for module in layer.modules() if module is not layer and module.training]
    for module in derived:
        module.training = False
    given: Any = layer
    with torch.no_grad():
        weight, bias = given.weight, given.bias
    for module in derived:
        module.training = True
    trains = any(parameter.requires_grad for parameter in layer.parameters())
    stand_in.__dict__["_parameters"] = {
        name: None if value is None else nn.Parameter(value.detach().clone(), trains)
        for name, value in (("weight", weight), ("bias", bias))
    }
    return stand_in


def _wait(tensor: Tensor) -> None:
    # Copying an element to the CPU waits for all work queued on the tensor's device.
    tensor.detach().reshape(-1)[:1].cpu()
