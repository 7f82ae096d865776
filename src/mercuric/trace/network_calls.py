"""What does each layer of a network do on these batches?"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, Observation, ReuseConfig, ReuseHandle, restore_, reuse_
from mercuric.reuse.alike.config import require_alike
from mercuric.reuse.config import PresetName, as_config
from mercuric.reuse.modes import evaluating
from mercuric.reuse.swap import NothingReusesError
from mercuric.trace.checked_inputs import raised_by_torch, require_inputs, unreadable
from mercuric.trace.coverage import Coverage, without_reuse
from mercuric.trace.finite import require_finite
from mercuric.trace.layer_call import LayerCall, observed_call
from mercuric.trace.normalisation import Normalisation, Statistics, normalisation_of, normalised
from mercuric.trace.work import Work
from mercuric.trace.workload import Inputs, NetworkWork, Workload, call, read_network

Listen = Callable[[LayerCall], None]


@dataclass(frozen=True)
class NetworkRun:
    """What is known once all batches have run.

    Attributes:
        order: the layers' names in the network's order, those that can't reuse among them.
        errors: relative output error of each reuse layer, measured on the first batch.
        normalisation: the statistics that layers normalised by.
        coverage: what no reuse layer computes.
    """

    order: tuple[str, ...]
    errors: dict[str, float]
    normalisation: Normalisation
    coverage: Coverage


def simulated_config(config: ReuseConfig | PresetName | None, accelerator: Accelerator) -> Alike:
    """The configuration that a simulation runs: :meth:`Alike.paper` by default, in the accelerator's
    MCACHE.

    There are no labels, so no gradient vectors: the saved Hitmaps stand for all three products.

    Raises:
        ValueError: the configuration gives another ``entries`` or ``ways``, or is of another method than
            MERCURY, which accelerators know nothing of.
    """
    asked = require_alike(as_config("paper" if config is None else config))
    for field in ("entries",) if accelerator.entries is None else ("entries", "ways"):
        given, own = getattr(asked, field), getattr(accelerator, field)
        if field in asked.model_fields_set and given != own:
            raise ArgumentError(
                f"{field} of the reuse configuration was {given}, but must be left out, or be the {own} of "
                f"accelerator {accelerator.name!r}: a simulation's MCACHE is the accelerator's"
            )
    own_cache = {"entries": accelerator.entries, "ways": accelerator.ways}
    return asked.model_copy(update={"backward": "exact", **own_cache})


def network_calls(
    model: nn.Module,
    batches: Iterable[Inputs],
    accelerator: Accelerator,
    config: Alike,
    *listeners: Listen,
    training: bool = True,
    normalisation: Statistics | None = None,
) -> NetworkRun:
    """Run the batches with reuse, one after the other, and tell every layer's call as it happens.

    Products that no layer makes are told of as well, as calls without reuse; a warning names those whose form
    isn't known. The model is left as it was. Nothing of a batch is kept when the next one runs.

    Args:
        model: any network without reuse layers; it runs in evaluation mode but for normalisation.
        batches: inputs of the network; where statistics are taken from the data they run twice, and an
            iterator that can't is held in memory.
        accelerator: whose MCACHE the sets are of.
        config: how similarity is found.
        listeners: each called with each call.
        training: whether the calls are a training step's.
        normalisation: the statistics to normalise by, as
            :func:`~mercuric.trace.normalisation.normalisation_of` chooses them by default.

    Raises:
        ValueError: no batch, an unknown normalisation, a model with no layer to count or with reuse layers
            already, or NaN or infinity in a layer's parameters or inputs. What the model or a listener
            raises goes through.
    """

    def listen(call: LayerCall) -> None:
        for listener in listeners:
            listener(call)

    by = normalisation_of(model, training, normalisation)
    if by == "data" and iter(batches) is batches:
        batches = list(batches)
    with normalised(model, by, batches):
        order, errors, coverage = _run_all(model, batches, accelerator, config, listen)
    coverage.warn()
    return NetworkRun(order, errors, by, coverage)


def _run_all(
    model: nn.Module,
    batches: Iterable[Inputs],
    accelerator: Accelerator,
    config: Alike,
    listen: Listen,
) -> tuple[tuple[str, ...], dict[str, float], Coverage]:
    """The layers in order, errors of those that reuse on the first batch, and what isn't reused."""
    run: tuple[tuple[str, ...], dict[str, float]] | None = None
    known: dict[torch.Size, NetworkWork] = {}
    coverage = Coverage()
    for inputs in batches:
        require_inputs(inputs)
        try:
            work = _work(model, inputs, config, known)
        except (RuntimeError, TypeError) as error:
            if not raised_by_torch(error):
                raise
            raise unreadable(inputs, error) from error
        reused, errors = _reused(
            model, inputs, config, work.workloads, accelerator, listen, first=run is None
        )
        dense = without_reuse(work.workloads, reused)
        coverage.add(work, dense)
        if run is None:
            names = [one.layer for one in (*work.workloads, *dense)]
            run = tuple(dict.fromkeys(names)), errors
        for one in dense:
            call = LayerCall(one.layer, Work(one.shape, kind=one.kind), one.needs_input_gradient)
            listen(replace(call, is_product=one.operation is not None))
    if run is None:
        raise ArgumentError("batches was empty, but must hold at least one batch")
    return *run, coverage


def _reused(
    model: nn.Module,
    inputs: Inputs,
    config: Alike,
    workloads: list[Workload],
    accelerator: Accelerator,
    listen: Listen,
    first: bool,
) -> tuple[Counter[str], dict[str, float]]:
    """Multiply-accumulates of the layers that reuse, and on the ``first`` batch their output errors."""
    try:
        with reusing(model, config) as handle:
            for state in () if first else handle.layers.values():
                state.error_due = False
            return _run(model, inputs, handle, workloads, accelerator, listen), _errors(handle)
    except NothingReusesError as error:
        if first:
            warnings.warn(f"all work is counted as dense: {error}", stacklevel=2)
        with require_finite(model), torch.no_grad(), evaluating(model):
            call(model, inputs)
        return Counter(), {}


def _run(
    model: nn.Module,
    inputs: Inputs,
    handle: ReuseHandle,
    workloads: list[Workload],
    accelerator: Accelerator,
    listen: Listen,
) -> Counter[str]:
    """Tell of every reuse layer's call; returns the multiply-accumulates of each layer."""
    reused: Counter[str] = Counter()
    needs_gradient = {workload.layer: workload.needs_input_gradient for workload in workloads}
    shapes: dict[str, tuple[int, ...]] = {}

    def tell(seen: Observation) -> None:
        if seen.product == "forward":
            reused[seen.layer] += seen.shape.macs
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
    return reused


@contextmanager
def reusing(model: nn.Module, config: Alike) -> Iterator[ReuseHandle]:
    """The model reuses within the block and is left as it was.

    Raises:
        ValueError: as ``reuse_`` does, or a layer computes with NaN or infinity.
    """
    handle = reuse_(model, config)
    # A simulation counts what is left out itself.
    handle.coverage.close()
    try:
        with require_finite(model):
            yield handle
    finally:
        restore_(model)


def _work(
    model: nn.Module, inputs: Inputs, config: Alike, known: dict[torch.Size, NetworkWork]
) -> NetworkWork:
    """Inputs of a shape that was seen before make the work that they made then."""
    if not isinstance(inputs, Tensor):
        return read_network(model, inputs, config.granularity, config.scope)
    if inputs.shape not in known:
        known[inputs.shape] = read_network(model, inputs, config.granularity, config.scope)
    return known[inputs.shape]


def _errors(handle: ReuseHandle) -> dict[str, float]:
    return {name: state.error for name, state in handle.layers.items() if state.error is not None}
