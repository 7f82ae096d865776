"""Which past transitions does a player learn from?"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError


@dataclass(frozen=True)
class Transitions:
    """A batch of what followed on what.

    Attributes:
        states: (B, history, side, side) uint8.
        actions: (B,) int64.
        returns: (B,) float32: discounted rewards of the next turns, up to the end.
        next_states: (B, history, side, side) uint8: after these turns; of another episode where
            ``discounts`` is 0, and then not to be used.
        discounts: (B,) float32: what the value of the next state counts; 0 where the episode ended before it.
    """

    states: Tensor
    actions: Tensor
    returns: Tensor
    next_states: Tensor
    discounts: Tensor

    @property
    def dones(self) -> Tensor:
        """(B,) bool: where the episode ended before the next state."""
        return self.discounts == 0


class Replay:
    """The newest transitions, drawn from uniformly (Mnih et al., Nature 518, 2015).

    Each frame is kept once, and states are stacked as they are drawn.

    Args:
        capacity: frames that are kept.
        side: of a frame in pixels.
        history: frames in a state.
        turns: that a return sums up (Sutton, 1988); DQN's 1.
        discount: of a reward by each turn that it comes later.

    Raises:
        ValueError: it is too small to hold a state and its return, or a number is out of its range.
    """

    def __init__(
        self, capacity: int, side: int = 84, history: int = 4, turns: int = 1, discount: float = 0.99
    ) -> None:
        for name, value in (("side", side), ("history", history), ("turns", turns)):
            if value < 1:
                raise ArgumentError(f"{name} was {value}, but must be at least 1")
        if capacity < history + turns:
            raise ArgumentError(f"capacity was {capacity}, but must be at least {history + turns} frames")
        if not 0 < discount <= 1:
            raise ArgumentError(f"discount was {discount}, but must be above 0 and at most 1")
        self.capacity, self.history, self.turns, self.discount = capacity, history, turns, discount
        self._frames = np.zeros((capacity, side, side), np.uint8)
        self._actions = np.zeros(capacity, np.int64)
        self._rewards = np.zeros(capacity, np.float32)
        self._ended = np.zeros(capacity, bool)
        self._first = np.zeros(capacity, bool)
        self._added = 0

    def __len__(self) -> int:
        """How many transitions can be drawn."""
        return max(0, self._newest - self._oldest)

    def add(
        self, frame: NDArray[np.uint8], action: int, reward: float, ended: bool, first: bool = False
    ) -> None:
        """A turn; it takes the place of the oldest one where all are taken.

        Args:
            frame: (side, side): the newest frame of the state in which the action was chosen.
            action: that was chosen.
            reward: of it.
            ended: whether nothing that comes later is owed to it: the game, or a life, was over.
            first: whether the frame is the first of a game, before which nothing was seen.
        """
        at = self._added % self.capacity
        self._frames[at], self._actions[at], self._rewards[at] = frame, action, reward
        self._ended[at], self._first[at] = ended, first or self._added == 0
        self._added += 1

    def draw(self, count: int, generator: np.random.Generator) -> Transitions:
        """``count`` transitions, each as likely as every other.

        Raises:
            ValueError: there is none yet.
        """
        if not len(self):
            raise ArgumentError("a replay without transitions was drawn from, but it must hold some")
        turns = generator.integers(self._oldest, self._newest, count)
        returns, discounts = self._returns(turns)
        return Transitions(
            self._states(turns),
            torch.from_numpy(self._actions[turns % self.capacity]),
            torch.from_numpy(returns),
            self._states(turns + self.turns),
            torch.from_numpy(discounts),
        )

    @property
    def _oldest(self) -> int:
        """The first turn whose state has all its frames."""
        lost = max(0, self._added - self.capacity)
        return lost + self.history - 1 if lost else 0

    @property
    def _newest(self) -> int:
        """One more than the last turn whose next state is there."""
        return self._added - self.turns

    def _states(self, turns: NDArray[np.int64]) -> Tensor:
        places = (turns[:, None] + np.arange(1 - self.history, 1)) % self.capacity
        states = self._frames[places]
        begun_later = self._first[places[:, 1:]]
        before = np.logical_or.accumulate(begun_later[:, ::-1], axis=1)[:, ::-1]
        states[:, :-1][before] = 0
        return torch.from_numpy(states)

    def _returns(self, turns: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        returns, factors = np.zeros(len(turns), np.float32), np.ones(len(turns), np.float32)
        for later in range(self.turns):
            places = (turns + later) % self.capacity
            returns += factors * self._rewards[places]
            factors *= np.where(self._ended[places], 0, self.discount).astype(np.float32)
        return returns, factors
