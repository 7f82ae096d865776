"""In which forms does a network run, and what is a pass of it?"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mercuric import zoo
from mercuric.data import ImageData
from mercuric.reuse import ReuseHandle, reuse_
from mercuric.studies.bench.equal.cases import ACTIONS, Case, Inputs, build
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.training.classification import classification_loss, scores_of
from mercuric.training.games.config import PlayerConfig
from mercuric.training.games.player import Player
from mercuric.training.games.replay import Transitions

CONTIGUOUS, CHANNELS_LAST, COMPILED, REUSE = "contiguous", "channels_last", "compiled", "exact reuse"
Pass = Literal["forward", "forward + backward", "training step"]


@dataclass(frozen=True)
class Batch:
    """What a network reads.

    Attributes:
        images: (N, C, H, W) float32, normalised.
        pixels: the same, uint8.
        labels: (N,) int64.
    """

    images: Tensor
    pixels: Tensor
    labels: Tensor

    @classmethod
    def of(cls, loaded: ImageData, places: Tensor) -> "Batch":
        """The training images at ``places``."""
        images, labels = loaded.train.batch(places)
        return cls(images, loaded.train.pixels(places), labels)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The three as NumPy's, for another process."""
        return tuple(tensor.contiguous().numpy() for tensor in (self.images, self.pixels, self.labels))

    def channels_last(self) -> "Batch":
        """The same in another order of memory."""
        return replace(self, images=self.images.contiguous(memory_format=torch.channels_last))


@dataclass(frozen=True)
class Form:
    """A network in one form.

    Attributes:
        network: the network.
        called: itself, or its compiled form.
        channels_last: whether its weights and images are.
        handle: where it reuses.
        player: what learns with it, of one that plays.
    """

    network: nn.Module
    called: Callable[[Tensor], Tensor]
    channels_last: bool
    handle: ReuseHandle | None = None
    player: Player | None = None

    def run(self, kind: Pass, batch: Batch, config: EqualBench) -> Callable[[], object]:
        """What is timed."""
        placed = batch.channels_last() if self.channels_last else batch
        if kind == "forward":
            return lambda: self._forward(placed, config)
        if kind == "training step":
            assert self.player is not None  # noqa: S101 - only networks that play have this pass
            player, transitions = self.player, _transitions(batch)
            return lambda: player.learn(transitions)
        return lambda: self._backward(placed, config)

    def _forward(self, batch: Batch, config: EqualBench) -> Tensor:
        self.network.eval()
        with torch.no_grad(), config.autocast():
            return self.called(batch.images)

    def _backward(self, batch: Batch, config: EqualBench) -> None:
        self.network.train()
        self.network.zero_grad(set_to_none=True)
        with config.autocast():
            loss = loss_of(self.called(batch.images), batch)
        torch.autograd.backward(loss)


def loss_of(output: Any, batch: Batch) -> Tensor:
    """What the backward pass begins with: of an image, its distance from what was read; else of labels."""
    scores = scores_of(output)
    if scores.dim() == 4:
        return F.mse_loss(scores, batch.images)
    return classification_loss(scores, batch.labels)


def passes(case: Case, config: EqualBench) -> tuple[Pass, ...]:
    """What is timed of a network."""
    if config.forward_only:
        return ("forward",)
    if case.network in zoo.GAME_NETWORKS:
        return ("forward", "forward + backward", "training step")
    return ("forward", "forward + backward")


def make_form(
    name: str, case: Case, inputs: Inputs, config: EqualBench, threads: int, order: str = CHANNELS_LAST
) -> Form:
    """A network with its own parameters, the same ones in each form.

    Args:
        name: :data:`CONTIGUOUS`, :data:`CHANNELS_LAST`, :data:`COMPILED` or :data:`REUSE`.
        case: the network.
        inputs: what it reads.
        config: how it reuses.
        threads: that run compiled code.
        order: of images and weights in memory, in the latter two: one of the former two.
    """
    network = build(case, inputs, config)
    last = (name if name in (CONTIGUOUS, CHANNELS_LAST) else order) == CHANNELS_LAST
    if last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    player = None if name == CONTIGUOUS or config.forward_only else _player(network, case, config)
    handle, called = None, network
    if name == REUSE:
        handle = reuse_(network, config.reuse())
        if player is not None:
            reuse_(player.target, config.reuse())
    if name == COMPILED:
        called = _compiled(network, threads)
        if player is not None:
            player.network, player.target = called, _compiled(player.target, threads)
    return Form(network, called, last, handle, player)


def _compiled(network: nn.Module, threads: int) -> Any:
    return torch.compile(network, options={"cpp.threads": threads})


def _player(network: nn.Module, case: Case, config: EqualBench) -> Player | None:
    """The learner of the paper (Mnih et al., 2015), around a network that plays."""
    if case.network not in zoo.GAME_NETWORKS:
        return None
    settings = PlayerConfig(network=case.network, width=config.width, double=False)
    player = Player(ACTIONS, settings)
    player.network, player.target = network, copy.deepcopy(network).requires_grad_(False)
    player.optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    return player


def _transitions(batch: Batch) -> Transitions:
    """The states as a draw of a replay: what follows a state is another one of the batch."""
    count = len(batch.pixels)
    return Transitions(
        batch.pixels, batch.labels % ACTIONS, torch.ones(count), batch.pixels.roll(1, 0), torch.ones(count)
    )
