"""How does a layer go through a batch image by image, and still count as one?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from mercuric.reuse import Observation, ReuseHandle
from mercuric.reuse.observation import Observer
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.similarity import Hitmap

ELEMENTS_AT_ONCE = 2**20
"""Of a layer's input: 5 images of 64 channels of 56 x 56, one of 64 channels of 224 x 224."""

_Forward = Callable[[Tensor], Tensor]


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
