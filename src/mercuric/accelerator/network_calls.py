"""What does each layer of a network do on these batches?"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.layer_call import LayerCall, observed_call
from mercuric.accelerator.normalisation import Normalisation, Statistics, normalisation_of, normalised
from mercuric.accelerator.work import Work
from mercuric.accelerator.workload import Inputs, Workload, call, evaluating, read_workloads
from mercuric.reuse import Observation, ReuseConfig, ReuseHandle, restore_, reuse_
from mercuric.reuse.config import as_config

Listen = Callable[[LayerCall], None]


@dataclass(frozen=True)
class NetworkRun:
    """What is known once all batches have run.

    Attributes:
        order: the layers' names in the network's order, those that can't reuse among them.
        errors: relative output error of each reuse layer, measured on the first batch.
        normalisation: the statistics that layers normalised by.
    """

    order: tuple[str, ...]
    errors: dict[str, float]
    normalisation: Normalisation


def simulated_config(config: ReuseConfig | None) -> ReuseConfig:
    """The configuration that a simulation runs: :meth:`ReuseConfig.paper` by default.

    There are no labels, so no gradient vectors: the saved Hitmaps stand for all three products.
    """
    return as_config("paper" if config is None else config).model_copy(update={"backward": "exact"})


def network_calls(
    model: nn.Module,
    batches: Iterable[Inputs],
    accelerator: Accelerator,
    config: ReuseConfig,
    *listeners: Listen,
    training: bool = True,
    normalisation: Statistics | None = None,
) -> NetworkRun:
    """Run the batches with reuse, one after the other, and tell every layer's call as it happens.

    The model is left as it was. Nothing of a batch is kept when the next one runs.

    Args:
        model: any network without reuse layers; it runs in evaluation mode but for normalisation.
        batches: inputs of the network; where statistics are taken from the data they run twice, and an
            iterator that can't is held in memory.
        accelerator: whose MCACHE the sets are of.
        config: how similarity is found.
        listeners: each called with each call.
        training: whether the calls are a training step's.
        normalisation: the statistics to normalise by, as
            :func:`~mercuric.accelerator.normalisation.normalisation_of` chooses them by default.

    Raises:
        ValueError: no batch, an unknown normalisation, or a model with no layer to count or with reuse
            layers already. What the model or a listener raises goes through.
    """

    def listen(call: LayerCall) -> None:
        for listener in listeners:
            listener(call)

    by = normalisation_of(model, training, normalisation)
    if by == "data" and iter(batches) is batches:
        batches = list(batches)
    with normalised(model, by, batches):
        order, errors = _run_all(model, batches, accelerator, config, listen)
    return NetworkRun(order, errors, by)


def _run_all(
    model: nn.Module,
    batches: Iterable[Inputs],
    accelerator: Accelerator,
    config: ReuseConfig,
    listen: Listen,
) -> tuple[tuple[str, ...], dict[str, float]]:
    """The layers' names in order, and the errors of those that reuse, on the first batch."""
    run: tuple[tuple[str, ...], dict[str, float]] | None = None
    known: dict[torch.Size, list[Workload]] = {}
    for inputs in batches:
        workloads = _workloads(model, inputs, config, known)
        with reusing(model, config) as handle:
            if run is not None:
                for state in handle.layers.values():
                    state.error_due = False
            _run(model, inputs, handle, workloads, accelerator, listen)
            dense = [workload for workload in workloads if workload.layer not in handle.layers]
            if run is None:
                names = [workload.layer for workload in workloads] + list(handle.layers)
                run = tuple(dict.fromkeys(names)), _errors(handle)
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
    # A simulation counts what is left out itself.
    handle.coverage.close()
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
