"""What does each layer of a network do on these batches?"""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, Observation, ReuseHandle, restore_, reuse_
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.swap import NothingReusesError
from mercuric.trace.calls import Listen, RunFacts, to_all
from mercuric.trace.coverage import Coverage, without_reuse
from mercuric.trace.finite_numbers import require_finite
from mercuric.trace.forward_pass import Inputs, call, infer, tracking_gradients
from mercuric.trace.input_checks import raised_by_torch, require_inputs, unreadable
from mercuric.trace.layer_call import LayerCall, dense_call, observed_call
from mercuric.trace.normalisation import Statistics, normalisation_of, normalised
from mercuric.trace.recorder import recording
from mercuric.trace.supervised import Supervised, inputs_of, run_both_ways
from mercuric.trace.workload import NetworkWork, Workload, read_network


@dataclass(frozen=True)
class NetworkCalls:
    """The calls that a network makes on batches, which run with reuse one after the other.

    Products that no layer makes are told of as well, as calls without reuse; a warning names those whose form
    isn't known. The model is left as it was. Nothing of a batch is kept when the next one runs.

    In training a batch with a loss (:class:`~mercuric.trace.supervised.Supervised`) runs backward, too: the
    layers' gradient vectors are compared, and told of as calls of their own (paper III-C2).

    Attributes:
        model: any network without reuse layers; it runs in evaluation mode but for normalisation.
        batches: inputs of the network; where statistics are taken from the data they run twice, and an
            iterator that can't is held in memory.
        config: how similarity is found.
        training: whether the calls are a training step's.
        normalisation: the statistics to normalise by, as
            :func:`~mercuric.trace.normalisation.normalisation_of` chooses them by default.
        reloads: whether to find out, for batches without a loss, which layers' gradient vectors the
            following layer's signatures would serve: one pass more over the first batch.
    """

    model: nn.Module
    batches: Iterable[Inputs | Supervised]
    config: Alike
    training: bool = True
    normalisation: Statistics | None = None
    reloads: bool = False

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
        run = _Run(self.model, self.config, to_all(listeners), self.training, self.reloads)
        with normalised(self.model, by, map(inputs_of, batches)):
            for batch in batches:
                run.add(batch)
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
    training: bool
    reloads: bool
    order: tuple[str, ...] | None = None
    errors: dict[str, float] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    _known: dict[torch.Size, NetworkWork] = field(default_factory=dict)
    _reloaded: dict[str, bool] = field(default_factory=dict)

    def add(self, batch: Inputs | Supervised) -> None:
        """Run one batch."""
        inputs = inputs_of(batch)
        require_inputs(inputs)
        try:
            work = self._work(inputs)
        except (RuntimeError, TypeError) as error:
            if not raised_by_torch(error):
                raise
            raise unreadable(inputs, error) from error
        first = self.order is None
        dense = without_reuse(work.workloads, self._reused(batch, work.workloads, first=first))
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

    def _reused(self, batch: Inputs | Supervised, workloads: list[Workload], *, first: bool) -> Counter[str]:
        """Multiply-accumulates of the layers that reuse; on the ``first`` batch their errors are measured."""
        own = self.training and isinstance(batch, Supervised)
        try:
            if first and self.reloads and not own:
                self._reloaded = reloaded_layers(self.model, inputs_of(batch), self.config)
            with reusing(
                self.model, self.config.changed(backward="signature") if own else self.config
            ) as handle:
                for state in () if first else handle.layers.values():
                    state.error_due = False
                reused = self._observed(batch if own else inputs_of(batch), handle, workloads)
                if first:
                    errors = {name: state.error for name, state in handle.layers.items()}
                    self.errors = {name: error for name, error in errors.items() if error is not None}
                return reused
        except NothingReusesError as error:
            if first:
                warnings.warn(f"all work is counted as dense: {error}", stacklevel=2)
            with require_finite(self.model):
                infer(self.model, inputs_of(batch))
            return Counter()

    def _observed(
        self, batch: Inputs | Supervised, handle: ReuseHandle, workloads: list[Workload]
    ) -> Counter[str]:
        """Tell of every reuse layer's call; returns the multiply-accumulates of each layer."""
        reused: Counter[str] = Counter()
        needs_gradient = {workload.layer: workload.needs_input_gradient for workload in workloads}
        left = list(workloads)
        shapes: dict[str, tuple[int, ...]] = {}
        own = isinstance(batch, Supervised)

        def observe(seen: Observation) -> None:
            if seen.product == "forward":
                reused[seen.layer] += seen.shape.macs
            needed = seen.needs_input_gradient if own else needs_gradient.get(seen.layer, True)
            workload = _taken(left, seen)
            call = observed_call(seen, self.config.cache, needed, shapes.get(seen.layer), workload)
            if seen.product == "input_gradient":
                call = _with_length(call, handle.layers[seen.layer].bits)
            elif needed:
                # Attention's gradient has no vectors of its own, and so no layer saves any for it.
                reloaded = False if own else self._reloaded.get(seen.layer, False if self._reloaded else None)
                call = replace(call, reloaded=reloaded)
            self.tell(call)

        def note(name: str, _: nn.Module, args: tuple[object, ...], __: object) -> None:
            if args and isinstance(args[0], Tensor):
                shapes[name] = tuple(args[0].shape)

        handle.observe(observe)
        layers = {name: one for name, one in self.model.named_modules() if name in handle.layers}
        with recording(layers, before=note):
            if isinstance(batch, Supervised):
                run_both_ways(self.model, batch)
            else:
                infer(self.model, batch)
        return reused


def _with_length(call: LayerCall, bits: int) -> LayerCall:
    """Gradient vectors with the length of their signatures, those too that were reloaded."""
    return replace(call, work=replace(call.work, bits=bits)) if call.reloaded else call


def reloaded_layers(model: nn.Module, inputs: Inputs, config: Alike) -> dict[str, bool]:
    """Of each layer, whether the signatures that the following one saves serve its gradient vectors.

    Raises:
        ValueError: as ``reuse_`` does, or a layer computes with NaN or infinity.
    """
    with reusing(model, config.changed(backward="signature")) as handle, tracking_gradients(model):
        for state in handle.layers.values():
            state.error_due = False
        output = call(model, inputs)
        found = {
            name: isinstance(state, AlikeLayer) and state.reloads for name, state in handle.layers.items()
        }
        del output
    return found


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
