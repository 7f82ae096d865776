"""What does each layer of a network do on these batches?"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from mercuric.accelerator.checked_inputs import raised_by_torch, require_inputs, unreadable
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.layer_call import LayerCall, observed_call
from mercuric.accelerator.work import Work
from mercuric.accelerator.workload import Inputs, Workload, call, evaluating, read_workloads
from mercuric.reuse import Observation, ReuseConfig, ReuseHandle, restore_, reuse_

Listen = Callable[[LayerCall], None]


@dataclass(frozen=True)
class NetworkRun:
    """What is known once all batches have run.

    Attributes:
        order: the layers' names in the network's order, those that can't reuse among them.
        errors: relative output error of each reuse layer, measured on the first batch.
    """

    order: tuple[str, ...]
    errors: dict[str, float]


def simulated_config(config: ReuseConfig | None, accelerator: Accelerator) -> ReuseConfig:
    """The configuration that a simulation runs: :meth:`ReuseConfig.paper` by default, in the accelerator's
    MCACHE.

    There are no labels, so no gradient vectors: the saved Hitmaps stand for all three products.

    Raises:
        ValueError: the configuration gives another ``entries`` or ``ways``, or principal directions, which
            no accelerator computes.
    """
    asked = config or ReuseConfig.paper()
    if asked.principal is not None:
        raise ValueError(
            "principal was given, but must be None in a simulation: accelerators compare vectors, and "
            "compute in no principal directions"
        )
    for field in ("entries",) if accelerator.entries is None else ("entries", "ways"):
        given, own = getattr(asked, field), getattr(accelerator, field)
        if field in asked.model_fields_set and given != own:
            raise ValueError(
                f"{field} of the reuse configuration was {given}, but must be left out, or be the {own} of "
                f"accelerator {accelerator.name!r}: a simulation's MCACHE is the accelerator's"
            )
    own_cache = {"entries": accelerator.entries, "ways": accelerator.ways}
    return asked.model_copy(update={"backward": "exact", **own_cache})


def network_calls(
    model: nn.Module,
    batches: Iterable[Inputs],
    accelerator: Accelerator,
    config: ReuseConfig,
    *listeners: Listen,
) -> NetworkRun:
    """Run the batches with reuse, one after the other, and tell every layer's call as it happens.

    The model is left as it was. Nothing of a batch is kept when the next one runs.

    Args:
        model: any network without reuse layers; it runs in evaluation mode.
        batches: inputs of the network.
        accelerator: whose MCACHE the sets are of.
        config: how similarity is found.
        listeners: each called with each call.

    Raises:
        ValueError: no batch, or a model with no layer to count or with reuse layers already. What the
            model or a listener raises goes through.
    """

    def listen(call: LayerCall) -> None:
        for listener in listeners:
            listener(call)

    run: NetworkRun | None = None
    known: dict[torch.Size, list[Workload]] = {}
    for inputs in batches:
        require_inputs(inputs)
        try:
            workloads = _workloads(model, inputs, config, known)
        except (RuntimeError, TypeError) as error:
            if not raised_by_torch(error):
                raise
            raise unreadable(inputs, error) from error
        with reusing(model, config) as handle:
            if run is not None:
                for state in handle.layers.values():
                    state.error_due = False
            _run(model, inputs, handle, workloads, accelerator, listen)
            dense = [workload for workload in workloads if workload.layer not in handle.layers]
            if run is None:
                names = [workload.layer for workload in workloads] + list(handle.layers)
                run = NetworkRun(tuple(dict.fromkeys(names)), _errors(handle))
        for one in dense:
            listen(LayerCall(one.layer, Work(one.shape, kind=one.kind), one.needs_input_gradient))
    if run is None:
        raise ValueError("batches was empty, but must hold at least one batch")
    return run


def _run(
    model: nn.Module,
    inputs: Inputs,
    handle: ReuseHandle,
    workloads: list[Workload],
    accelerator: Accelerator,
    listen: Listen,
) -> None:
    needs_gradient = {workload.layer: workload.needs_input_gradient for workload in workloads}
    shapes: dict[str, tuple[int, ...]] = {}

    def tell(seen: Observation) -> None:
        needed = needs_gradient.get(seen.layer, True)
        listen(observed_call(seen, accelerator, needed, shapes.get(seen.layer)))

    def note(name: str, _: nn.Module, args: tuple[object, ...]) -> None:
        if args and isinstance(args[0], Tensor):
            shapes[name] = tuple(args[0].shape)

    handle.observe(tell)
    with ExitStack() as stack, torch.no_grad(), evaluating(model):
        for name, module in model.named_modules():
            if name in handle.layers:
                stack.callback(module.register_forward_pre_hook(partial(note, name)).remove)
        call(model, inputs)


@contextmanager
def reusing(model: nn.Module, config: ReuseConfig) -> Iterator[ReuseHandle]:
    """The model reuses within the block and is left as it was; raises ValueError as ``reuse_`` does."""
    handle = reuse_(model, config)
    try:
        yield handle
    finally:
        restore_(model)


def _workloads(
    model: nn.Module, inputs: Inputs, config: ReuseConfig, known: dict[torch.Size, list[Workload]]
) -> list[Workload]:
    """Inputs of a shape that was seen before have the workloads that they had then."""
    if not isinstance(inputs, Tensor):
        return read_workloads(model, inputs, config.granularity, config.scope)
    if inputs.shape not in known:
        known[inputs.shape] = read_workloads(model, inputs, config.granularity, config.scope)
    return known[inputs.shape]


def _errors(handle: ReuseHandle) -> dict[str, float]:
    return {name: state.error for name, state in handle.layers.items() if state.error is not None}
