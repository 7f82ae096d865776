"""Which vectors of each layer are alike in one training step? (paper Figs. 1, 9, 15)"""

from dataclasses import dataclass, field
from math import isqrt

import pandas as pd
import torch
from torch import Tensor, nn

from mercuric.accelerator import CycleCounter
from mercuric.accelerator.mcache_owner import in_runs_mcache
from mercuric.reuse import Alike, Observation
from mercuric.reuse.modes import keeping_modes
from mercuric.similarity import HitState
from mercuric.trace.network_calls import reusing
from mercuric.trace.normalisation import normalisation_of, normalised
from mercuric.training.classification import classification_loss

COUNTS = ("HIT", "MAU", "MNU", "zero", "zero_hits")
MAP_LETTERS = "HUNZ"
"""HIT, MAU (update), MNU (no update), HIT of a zero vector: how a Hitmap's rows are written."""
_SMALLEST_MAP = 8
_CHANNELS_OF_FIRST = 3


@dataclass
class TrainingStep:
    """What one training step with reuse told of its layers.

    Attributes:
        images: images in the batch.
        shown: the image whose Hitmaps are kept.
        channels: a row a layer, product and channel (the scopes of all images together): ``layer``,
            ``product``, ``bits`` (0: saved signatures), ``channel``, ``scopes``, ``vectors`` and
            :data:`COUNTS`.
        maps: a row a row of a Hitmap of the shown image: ``layer``, ``channel``, ``row``, ``states`` in
            :data:`MAP_LETTERS`.
    """

    images: int
    shown: int = 0
    channels: list[pd.DataFrame] = field(default_factory=list)
    maps: list[pd.DataFrame] = field(default_factory=list)

    def observe(self, seen: Observation) -> None:
        """Count what a layer tells; layers that are off tell nothing."""
        if seen.hitmap is None or seen.zero is None:
            return
        zero, states = seen.zero, seen.hitmap.states
        channels = max(1, seen.shape.scopes // self.images)
        self.channels.append(_by_channel(seen, states, zero, channels))
        if seen.product == "forward" and seen.shape.rows > 1 and _is_square(seen.shape.vectors):
            image = slice(self.shown * channels, (self.shown + 1) * channels)
            zeros = zero[image].sum(1)
            # Of a later layer the liveliest channel: ReLU leaves some with zeros alone.
            chosen = [int(zeros.argmin())] if self.maps else range(min(channels, _CHANNELS_OF_FIRST))
            self.maps += [_map(seen.layer, one, states[image][one], zero[image][one]) for one in chosen]

    def table(self) -> pd.DataFrame:
        """A row a channel of a layer and product; counts of a layer that ran twice are added up."""
        if not self.channels:
            return pd.DataFrame(columns=["layer", "product", "bits", "channel", "scopes", "vectors", *COUNTS])
        rows = pd.concat(self.channels, ignore_index=True)
        keys = ["layer", "product", "bits", "channel"]
        return rows.groupby(keys, sort=False)[["scopes", "vectors", *COUNTS]].sum().reset_index()


def training_step(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    config: Alike,
    seed: int,
    shown: int = 0,
    accelerator: str = "eyeriss-168",
) -> tuple[TrainingStep, pd.DataFrame]:
    """Forward and backward of one batch with reuse in every layer; no weight changes.

    Args:
        network: without reuse layers; it is left as it was, its statistics and modes too.
        images: (B, C, H, W), normalised.
        labels: (B,) int64.
        config: how similarity is found.
        seed: of dropout.
        shown: the image whose Hitmaps are kept.
        accelerator: whose cycles are counted.

    Returns:
        What the layers told, and the cycles of each layer (``CycleCounter.layers``).

    Raises:
        ValueError: an unknown accelerator.
    """
    step = TrainingStep(len(images), shown)
    counter = CycleCounter(in_runs_mcache(accelerator, config.cache))
    by = normalisation_of(network, training=True)
    try:
        with reusing(network, config) as handle, keeping_modes(network), normalised(network, by):
            handle.observe(step.observe)
            handle.observe(counter.observe)
            torch.manual_seed(seed)
            torch.autograd.backward(classification_loss(network.train()(images), labels))
    finally:
        network.zero_grad(set_to_none=True)
    return step, counter.layers()


def by_layer(channels: pd.DataFrame) -> pd.DataFrame:
    """A row a layer and product, from rows a channel; with the shares that Figs. 1 and 15a show.

    Returns:
        ``layer``, ``product``, ``bits``, ``channels``, ``vectors``, :data:`COUNTS`, and as shares of
        the vectors ``similar`` (HITs of vectors that are not all zeros), ``zero_hit``, ``mau``, ``mnu``.
    """
    keys = ["layer", "product", "bits"]
    groups = channels.groupby(keys, sort=False)
    table = groups[["vectors", *COUNTS]].sum().reset_index()
    table.insert(3, "channels", groups.size().to_numpy())
    vectors = table["vectors"].clip(lower=1)
    table["similar"] = (table["HIT"] - table["zero_hits"]) / vectors
    table["zero_hit"] = table["zero_hits"] / vectors
    table["mau"] = table["MAU"] / vectors
    table["mnu"] = table["MNU"] / vectors
    return table


def _by_channel(seen: Observation, states: Tensor, zero: Tensor, channels: int) -> pd.DataFrame:
    def summed(flags: Tensor) -> list[int]:
        return flags.view(-1, channels, states.shape[1]).sum((0, 2)).tolist()

    counts = {state.name: summed(states == state.value) for state in HitState}
    hits = states == HitState.HIT.value
    return pd.DataFrame(
        {
            "layer": seen.layer,
            "product": seen.product,
            "bits": seen.bits,
            "channel": range(channels),
            "scopes": len(states) // channels,
            "vectors": states.numel() // channels,
            **counts,
            "zero": summed(zero),
            "zero_hits": summed(zero & hits),
        }
    )


def _is_square(vectors: int) -> bool:
    return isqrt(vectors) ** 2 == vectors and isqrt(vectors) >= _SMALLEST_MAP


def _map(layer: str, channel: int, states: Tensor, zero: Tensor) -> pd.DataFrame:
    letters = torch.where(zero & (states == HitState.HIT.value), 3, states.long()).tolist()
    side = isqrt(len(letters))
    text = "".join(MAP_LETTERS[letter] for letter in letters)
    rows = [text[start : start + side] for start in range(0, len(text), side)]
    return pd.DataFrame({"layer": layer, "channel": channel, "row": range(side), "states": rows})
