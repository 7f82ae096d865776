"""What does each layer of a network do on these batches?"""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, Observation, ReuseHandle, restore_, reuse_
from mercuric.reuse.swap import NothingReusesError
from mercuric.trace.calls import Listen, RunFacts, to_all
from mercuric.trace.coverage import Coverage, without_reuse
from mercuric.trace.finite_numbers import require_finite
from mercuric.trace.forward_pass import Inputs, infer
from mercuric.trace.input_checks import raised_by_torch, require_inputs, unreadable
from mercuric.trace.layer_call import dense_call, observed_call
from mercuric.trace.normalisation import Statistics, normalisation_of, normalised
from mercuric.trace.recorder import recording
from mercuric.trace.workload import NetworkWork, Workload, read_network


@dataclass(frozen=True)
class NetworkCalls:
    """The calls that a network makes on batches, which run with reuse one after the other.

    Products that no layer makes are told of as well, as calls without reuse; a warning names those whose form
    isn't known. The model is left as it was. Nothing of a batch is kept when the next one runs.

    Attributes:
        model: any network without reuse layers; it runs in evaluation mode but for normalisation.
        batches: inputs of the network; where statistics are taken from the data they run twice, and an
            iterator that can't is held in memory.
        config: how similarity is found.
        training: whether the calls are a training step's.
        normalisation: the statistics to normalise by, as
            :func:`~mercuric.trace.normalisation.normalisation_of` chooses them by default.
    """

    model: nn.Module
    batches: Iterable[Inputs]
    config: Alike
    training: bool = True
    normalisation: Statistics | None = None

    def tell(self, *listeners: Listen) -> RunFacts:
        """Run the batches, and tell every layer's call as it happens.

        Raises:
            ValueError: no batch, an unknown normalisation, a model with no layer to count or with reuse
                layers already, or NaN or infinity in a layer's parameters or inputs. What the model or a
                listener raises goes through.
        """
        batches, by = self.batches, normalisation_of(self.model, self.training, self.normalisation)
        if by == "data" and iter(batches) is batches:
            batches = list(batches)
        run = _Run(self.model, self.config, to_all(listeners))
        with normalised(self.model, by, batches):
            for inputs in batches:
                run.add(inputs)
        if run.order is None:
            raise ArgumentError("batches was empty, but must hold at least one batch")
        run.coverage.warn()
        return RunFacts(run.order, run.errors, by, run.coverage.to_dict())


@dataclass
class _Run:
    """The batches so far.

    Attributes:
        order: the layers' names; None before the first batch.
        errors: of those that reuse, on the first batch.
        coverage: what isn't reused.
    """

    model: nn.Module
    config: Alike
    tell: Listen
    order: tuple[str, ...] | None = None
    errors: dict[str, float] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    _known: dict[torch.Size, NetworkWork] = field(default_factory=dict)

    def add(self, inputs: Inputs) -> None:
        """Run one batch."""
        require_inputs(inputs)
        try:
            work = self._work(inputs)
        except (RuntimeError, TypeError) as error:
            if not raised_by_torch(error):
                raise
            raise unreadable(inputs, error) from error
        first = self.order is None
        dense = without_reuse(work.workloads, self._reused(inputs, work.workloads, first=first))
        self.coverage.add(work, dense)
        if first:
            self.order = tuple(dict.fromkeys(one.layer for one in (*work.workloads, *dense)))
        for one in dense:
            self.tell(dense_call(one))

    def _work(self, inputs: Inputs) -> NetworkWork:
        """Inputs of a shape that was seen before make the work that they made then."""
        granularity, scope = self.config.granularity, self.config.scope
        if not isinstance(inputs, Tensor):
            return read_network(self.model, inputs, granularity, scope)
        if inputs.shape not in self._known:
            self._known[inputs.shape] = read_network(self.model, inputs, granularity, scope)
        return self._known[inputs.shape]

    def _reused(self, inputs: Inputs, workloads: list[Workload], *, first: bool) -> Counter[str]:
        """Multiply-accumulates of the layers that reuse; on the ``first`` batch their errors are measured."""
        try:
            with reusing(self.model, self.config) as handle:
                for state in () if first else handle.layers.values():
                    state.error_due = False
                reused = self._observed(inputs, handle, workloads)
                if first:
                    errors = {name: state.error for name, state in handle.layers.items()}
                    self.errors = {name: error for name, error in errors.items() if error is not None}
                return reused
        except NothingReusesError as error:
            if first:
                warnings.warn(f"all work is counted as dense: {error}", stacklevel=2)
            with require_finite(self.model):
                infer(self.model, inputs)
            return Counter()

    def _observed(self, inputs: Inputs, handle: ReuseHandle, workloads: list[Workload]) -> Counter[str]:
        """Tell of every reuse layer's call; returns the multiply-accumulates of each layer."""
        reused: Counter[str] = Counter()
        needs_gradient = {workload.layer: workload.needs_input_gradient for workload in workloads}
        left = list(workloads)
        shapes: dict[str, tuple[int, ...]] = {}

        def observe(seen: Observation) -> None:
            if seen.product == "forward":
                reused[seen.layer] += seen.shape.macs
            needed = needs_gradient.get(seen.layer, True)
            workload = _taken(left, seen)
            self.tell(observed_call(seen, self.config.cache, needed, shapes.get(seen.layer), workload))

        def note(name: str, _: nn.Module, args: tuple[object, ...], __: object) -> None:
            if args and isinstance(args[0], Tensor):
                shapes[name] = tuple(args[0].shape)

        handle.observe(observe)
        layers = {name: one for name, one in self.model.named_modules() if name in handle.layers}
        with recording(layers, before=note):
            infer(self.model, inputs)
        return reused


def _taken(left: list[Workload], seen: Observation) -> Workload | None:
    """The workload that a forward observation is of, which no other observation is then.

    What no workload is alike, as attention without its projections, reads vectors that don't overlap.
    """
    if seen.product != "forward":
        return None
    for place, one in enumerate(left):
        if one.layer == seen.layer and one.shape.macs == seen.shape.macs:
            return left.pop(place)
    if seen.kind == "conv":
        return None
    shape, needed = seen.shape, seen.needs_input_gradient
    elements = shape.scopes * shape.vectors * shape.length
    return Workload(seen.layer, seen.kind, shape, needed, elements, shape.elements)


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
