"""How does a network choose actions, and how does it learn which were good?"""

from copy import deepcopy
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam

from mercuric.reuse import ReuseConfig, ReuseHandle, reuse_
from mercuric.training.games.config import PlayerConfig
from mercuric.training.games.replay import Transitions
from mercuric.zoo.other_outputs import build_game_network

LARGEST = 255


class Player:
    """A network, the target network that it learns from, and the optimizer.

    Weights are drawn from torch's current generator.

    Args:
        actions: that there are.
        config: how it learns.
    """

    def __init__(self, actions: int, config: PlayerConfig) -> None:
        self.actions, self.config = actions, config
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network = self._build()
        self.target = self._build().requires_grad_(False)
        self.take_over()
        self.optimizer = Adam(self.network.parameters(), lr=config.learning_rate, fused=True)
        self.steps = 0
        self._actor = self.network

    def reuse(self, config: ReuseConfig) -> ReuseHandle:
        """Let the layers of both networks compute batches by ``config``; returns the network's handle.

        A state alone, in which an action is chosen, has little to share: another network of the same weights
        computes it as PyTorch does.
        """
        shared = {id(weight): weight for weight in self.network.parameters()}
        self._actor = deepcopy(self.network, shared)
        reuse_(self.target, config)
        return reuse_(self.network, config)

    def act(self, state: NDArray[np.uint8], careless: float, generator: np.random.Generator) -> int:
        """The best action in a state (history, side, side), or with probability ``careless`` any."""
        if generator.random() < careless:
            return int(generator.integers(self.actions))
        with torch.no_grad():
            return int(self._actor(self._input(torch.from_numpy(state)[None])).argmax())

    def learn(self, batch: Transitions) -> float:
        """A step on a batch; returns its loss."""
        actions = batch.actions.to(self._device)
        values = self.network(self._input(batch.states)).gather(1, actions[:, None])[:, 0]
        loss = F.huber_loss(values, self._wanted(batch))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.steps += 1
        if self.steps % self.config.target_every == 0:
            self.take_over()
        return float(loss.detach())

    def take_over(self) -> None:
        """Let the target network become the network."""
        self.target.load_state_dict(self.network.state_dict())

    @torch.no_grad()
    def _wanted(self, batch: Transitions) -> Tensor:
        """(B,): returns, and beyond them what the target network says of the next state."""
        next_states = self._input(batch.next_states)
        values = self.target(next_states)
        chooser = self.network(next_states) if self.config.double else values
        best = values.gather(1, chooser.argmax(1, keepdim=True))[:, 0]
        return cast("Tensor", batch.returns.to(self._device) + batch.discounts.to(self._device) * best)

    def _build(self) -> nn.Module:
        network = build_game_network(self.config.network, self.actions, width=self.config.width)
        return network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _input(self, states: Tensor) -> Tensor:
        return as_input(states.to(self._device))


def as_input(states: Tensor) -> Tensor:
    """(B, history, side, side) uint8 as float32 from 0 to 1, in the order that convolutions read fastest."""
    # Bytes are put in order, and numbers divided in place: both move a fraction of the memory.
    return states.contiguous(memory_format=torch.channels_last).float().div_(LARGEST)


def exploration(config: PlayerConfig, turn: int) -> float:
    """The share of random actions at a turn: all before the first step, then falling evenly to the end's."""
    done = min(1.0, max(0, turn - config.learn_from) / config.explored)
    return 1 + done * (config.exploration - 1)
