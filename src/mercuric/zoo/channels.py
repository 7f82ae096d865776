"""Which channels can a network lose, and how is it left without them?"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, gcd, lcm, log2

import torch
from torch import nn

from mercuric.errors import ArgumentError
from mercuric.zoo.channel_trace import ChannelTrace, Shrinking, check_layers, trace_channels
from mercuric.zoo.width import Kept, keep

DIVISOR = 8


@dataclass(frozen=True)
class ChannelSet:
    """Channels that shrink together, so that every layer still fits its neighbours.

    Attributes:
        layers: the convolutions and fully connected layers that write them.
        channels: what is kept or dropped whole: a channel of every layer, or a group of a convolution.
        unit: how many of them make a multiple of the divisor in each layer.
        side: height in pixels of the largest output among the layers; 1 if fully connected.
    """

    layers: tuple[str, ...]
    channels: tuple[int, ...]
    unit: int
    side: int

    def count(self, factor: float) -> int:
        """How many are left at ``factor`` times as many: a multiple of the unit, and at least one unit.

        At 1 all are left, and a set of fewer than a unit stays whole.
        """
        here = len(self.channels)
        return here if factor == 1 else min(here, self.unit * max(1, floor(here * factor / self.unit + 0.5)))


@dataclass(frozen=True)
class Channels:
    """All sets of a network, and the layers that read and write them.

    Attributes:
        trace: the channels of every layer.
        sets: in the network's order; the image's channels and the result's are in none.
        stages: ``"32 px"``, ...: names of the resolutions at which there are sets, the largest first.
            Sides between a half of the image and the next half are one stage.
    """

    trace: ChannelTrace
    sets: tuple[ChannelSet, ...]

    @property
    def stages(self) -> tuple[str, ...]:
        sides: dict[int, int] = {}
        for one in self.sets:
            halvings = self._halvings(one)
            sides[halvings] = max(one.side, sides.get(halvings, 0))
        return tuple(f"{sides[halvings]} px" for halvings in sorted(sides))

    def counts(self, factors: Mapping[str, float]) -> tuple[int, ...]:
        """How many channels of each set are left, by a factor for each stage.

        Raises:
            ValueError: a stage has no factor, an unknown one has, or a factor is not above 0 and at
                most 1.
        """
        if set(factors) != set(self.stages):
            raise ArgumentError(
                f"factors were of {', '.join(factors)}, but must be of the stages {', '.join(self.stages)}"
            )
        for stage, factor in factors.items():
            if not 0 < factor <= 1:
                raise ArgumentError(f"the factor of {stage} was {factor}, but must be above 0 and at most 1")
        order = sorted({self._halvings(one) for one in self.sets})
        stage_of = dict(zip(order, self.stages, strict=True))
        return tuple(one.count(factors[stage_of[self._halvings(one)]]) for one in self.sets)

    def _halvings(self, one: ChannelSet) -> int:
        return floor(log2(self.trace.image_side / one.side))


def find_channels(network: nn.Module, channels: int, image_size: int, divisor: int = DIVISOR) -> Channels:
    """Find the sets of channels of ``network`` that shrink together.

    Args:
        network: as in :func:`~mercuric.zoo.channel_trace.trace_channels`; on ``"meta"`` it takes no
            memory.
        channels: of the image.
        image_size: side of the square images in pixels.
        divisor: counts of channels are rounded to its multiples.

    Raises:
        ValueError: the network can't be traced or has other layers with parameters, one is named; or
            the divisor is under 1.
    """
    if divisor < 1:
        raise ArgumentError(f"divisor was {divisor}, but must be at least 1")
    check_layers(network)
    device = next(network.parameters()).device
    trace = trace_channels(network, torch.zeros(2, channels, image_size, image_size, device=device))
    return Channels(trace, _sets(network, trace, divisor))


def narrow_channels(network: nn.Module, channels: Channels, counts: Sequence[int]) -> nn.Module:
    """``network`` with the first so many channels of each set, in place.

    Weights are sliced and scaled as :func:`~mercuric.zoo.width.narrow` does it. The channels of the
    image and of the result stay.

    Args:
        network: what ``channels`` was found in, or another one of the same layers.
        channels: from :func:`find_channels`.
        counts: from :meth:`Channels.counts`.

    Raises:
        ValueError: a count is not from 1 to the set's channels. The network is then unchanged.
    """
    for one, count in zip(channels.sets, counts, strict=True):
        if not 1 <= count <= len(one.channels):
            raise ArgumentError(
                f"the count of {one.layers[0]} was {count}, but must be from 1 to {len(one.channels)}"
            )
    if all(count == len(one.channels) for one, count in zip(channels.sets, counts, strict=True)):
        return network
    left = set(channels.trace.fixed)
    for one, count in zip(channels.sets, counts, strict=True):
        left.update(one.channels[:count])
    for name, read in channels.trace.inputs.items():
        layer = network.get_submodule(name)
        keep(layer, _kept(layer, read, channels.trace.outputs[name], left))
    return network


def _sets(network: nn.Module, trace: ChannelTrace, divisor: int) -> tuple[ChannelSet, ...]:
    writers: dict[int, Counter[str]] = defaultdict(Counter)
    for name, written in trace.outputs.items():
        if not isinstance(network.get_submodule(name), nn.BatchNorm2d):
            for channel in written:
                writers[channel][name] += 1
    together: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for channel, layers in writers.items():
        if channel not in trace.fixed:
            together[tuple(layers)].append(channel)
    return tuple(
        ChannelSet(layers, tuple(channels), _unit(writers[channels[0]], divisor), _side(layers, trace))
        for layers, channels in together.items()
    )


def _unit(writers: Counter[str], divisor: int) -> int:
    return lcm(*(divisor // gcd(divisor, times) for times in writers.values()))


def _side(layers: tuple[str, ...], trace: ChannelTrace) -> int:
    return max(trace.sides[layer] for layer in layers)


def _kept(layer: nn.Module, read: list[int], written: list[int], left: set[int]) -> Kept:
    assert isinstance(layer, Shrinking)  # noqa: S101 - the trace holds no other
    outputs = _places(written, left)
    if isinstance(layer, nn.BatchNorm2d):
        return Kept(torch.tensor(outputs))
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    width, filters = len(read) // groups, len(written) // groups
    inputs = [_places(read[group * width : (group + 1) * width], left) for group in range(groups)]
    if groups == 1:
        return Kept(torch.tensor(outputs), torch.tensor(inputs))
    by_output = torch.tensor([inputs[output // filters] for output in outputs])
    return Kept(torch.tensor(outputs), by_output, sum(map(bool, inputs)))


def _places(channels: Sequence[int], left: set[int]) -> list[int]:
    return [place for place, channel in enumerate(channels) if channel in left]
