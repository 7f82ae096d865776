"""How does a layer go through a batch image by image, and still count as one?"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from mercuric.reuse import Alike, Observation, ReuseHandle
from mercuric.reuse.observation import Observer
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.similarity import Hitmap
from mercuric.trace.calls import Listen, RunFacts, to_all
from mercuric.trace.forward_pass import Inputs, infer
from mercuric.trace.layer_call import dense_call, observed_call
from mercuric.trace.network_calls import reusing
from mercuric.trace.normalisation import normalisation_of, normalised
from mercuric.trace.workload import Workload

ELEMENTS_AT_ONCE = 2**20
"""Of a layer's input: 5 images of 64 channels of 56 x 56, one of 64 channels of 224 x 224."""

_Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class StreamedCalls:
    """The calls that a network's layers make on one batch, which each takes as :func:`image_by_image` says.

    Batch normalisation gets the whole batch, as :func:`~mercuric.trace.normalisation.normalisation_of` says.
    The network is left as it was.

    Attributes:
        network: without reuse layers; of convolutions and fully connected layers.
        images: the batch.
        workloads: what ``read_workloads`` says of the same network and batch; those that no reuse layer
            makes are told last.
        config: how similarity is found.
        training: whether the calls are a training step's.
        signatures: whether listeners read signatures too, which take as much memory as the Hitmap.
        elements: of a layer's input that are computed at a time, at least an image.
    """

    network: nn.Module
    images: Inputs
    workloads: Sequence[Workload]
    config: Alike
    training: bool
    signatures: bool
    elements: int

    def tell(self, *listeners: Listen) -> RunFacts:
        """Run the batch, and tell every layer's call as it happens; none is measured for its error.

        Raises:
            ValueError: as ``reuse_`` does, or a layer computes with NaN or infinity. What the network or a
                listener raises goes through.
        """
        left: dict[str, deque[Workload]] = defaultdict(deque)
        for workload in self.workloads:
            left[workload.layer].append(workload)
        cache, tell = self.config.cache if self.signatures else None, to_all(listeners)

        def observe(seen: Observation) -> None:
            workload = left[seen.layer].popleft()
            tell(observed_call(seen, cache, workload.needs_input_gradient, workload=workload))

        by = normalisation_of(self.network, self.training)
        with reusing(self.network, self.config) as handle:
            for state in handle.layers.values():
                state.error_due = False
            streamed = image_by_image(
                self.network, handle, observe, signatures=self.signatures, elements=self.elements
            )
            with normalised(self.network, by, [self.images]), streamed:
                infer(self.network, self.images)
        for workload in (one for waiting in left.values() for one in waiting):
            tell(dense_call(workload))
        order = dict.fromkeys(workload.layer for workload in self.workloads)
        return RunFacts(tuple(order), normalisation=by)


@contextmanager
def image_by_image(
    network: nn.Module,
    handle: ReuseHandle,
    count: Observer,
    *,
    signatures: bool,
    elements: int = ELEMENTS_AT_ONCE,
) -> Iterator[None]:
    """Within the block, reuse layers compute a few images at a time and are observed once a batch.

    Of a batch in this block only the activations between layers are in memory whole, and one layer's
    Hitmap. Where the MCACHE is cleared for each image, the images' scopes follow each other in the joined
    Hitmap as they do in that of the batch. What compares vectors across a batch gets it whole: fully
    connected layers of one vector an image, and every layer where ``scope`` is ``"batch"``.

    Args:
        network: with convolutions and fully connected layers that reuse.
        handle: of the network.
        count: called with each call of a layer, its vectors and Hitmap those of the whole batch.
        signatures: whether it reads signatures too, which take as much memory as the Hitmap.
        elements: of a layer's input at a time, at least an image.
    """
    seen: list[Observation] = []

    def keep(one: Observation) -> None:
        seen.append(one if signatures else replace(one, zero=None, signatures=None, context=None))

    stop = handle.observe(keep)
    layers = [
        module
        for module in network.modules()
        if isinstance(module, ReuseLayer) and module._mercuric_kind.product != "attention"
    ]
    try:
        for layer in layers:
            layer.__dict__["forward"] = _streamed(layer, layer.forward, seen, count, elements)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)
        stop()


def _streamed(
    layer: Any,
    forward: _Forward,
    seen: list[Observation],
    count: Observer,
    elements: int,
) -> _Forward:
    def streamed(batch: Tensor, *more: Any, **named: Any) -> Tensor:
        alone = batch.dim() >= layer._mercuric_kind.batched and layer.reuse.config.scope == "image"
        images = max(1, elements // max(batch[0].numel(), 1)) if alone else len(batch)
        output = torch.cat([forward(some, *more, **named) for some in torch.split(batch, images)])
        whole = joined(seen)
        seen.clear()
        count(whole)
        return output

    return streamed


def joined(calls: Sequence[Observation]) -> Observation:
    """One product over all images from products over some of them, in the images' order.

    Images add up, and scopes follow each other: no MCACHE look-up of one image sees another.
    """
    first = calls[0]
    if len(calls) == 1:
        return first
    shape = replace(
        first.shape,
        scopes=sum(call.shape.scopes for call in calls),
        images=sum(call.shape.images for call in calls),
    )
    return replace(
        first,
        shape=shape,
        hitmap=_joined_hitmap([call.hitmap for call in calls]),
        zero=_joined([call.zero for call in calls]),
        signatures=_joined([call.signatures for call in calls]),
        context=_joined([call.context for call in calls]),
    )


def _joined_hitmap(hitmaps: Sequence[Hitmap | None]) -> Hitmap | None:
    if hitmaps[0] is None:
        return None
    there = cast(Sequence[Hitmap], hitmaps)
    return Hitmap(torch.cat([one.states for one in there]), torch.cat([one.representatives for one in there]))


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    return None if parts[0] is None else torch.cat(cast(list[Tensor], parts))
