"""How does a player learn?"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.training.config import Positive
from mercuric.zoo.other_outputs import GAME_NETWORKS

Share = Annotated[float, Field(ge=0, le=1)]


def _known(name: str) -> str:
    if name not in GAME_NETWORKS:
        raise ArgumentError(f"network was {name!r}, but must be one of {', '.join(GAME_NETWORKS)}")
    return name


class PlayerConfig(Config):
    """Double Q-learning with a replay; where nothing is said, as in Mnih et al. (Nature 518, 2015).

    The replay, the periods and the optimizer are of small budgets: the paper plays 50 million turns.

    Attributes:
        network: of ``mercuric.zoo.GAME_NETWORKS``.
        width: channels of its layers as a share of the published ones.
        turns: actions that are chosen while it learns, each held for four frames.
        replay: frames that are kept.
        batch_size: transitions a step.
        learn_from: turns that are played at random before the first step.
        learn_every: turns from one step to the next.
        target_every: steps after which the target network becomes the network.
        return_turns: rewards that a return sums up before a value stands for the rest.
        discount: of a reward by each turn.
        double: whether the network chooses the action that the target network values
            (van Hasselt et al., AAAI 2016).
        learning_rate: of Adam.
        exploration: share of random actions, in the end.
        explored: turns in which that share falls from 1, evenly.
        checkpoint_every: turns from one checkpoint to the next.
        games: that are played after learning, to say how well it plays.
        careless: share of random actions in these.
    """

    network: Annotated[str, AfterValidator(_known)] = "dqn"
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    turns: Positive = 100_000
    replay: Positive = 50_000
    batch_size: Positive = 32
    learn_from: Positive = 2_000
    learn_every: Positive = 2
    target_every: Positive = 500
    return_turns: Positive = 3
    discount: Annotated[float, Field(gt=0, le=1)] = 0.99
    double: bool = True
    learning_rate: Annotated[float, Field(gt=0)] = 2.5e-4
    exploration: Share = 0.02
    explored: Positive = 20_000
    checkpoint_every: Positive = 5_000
    games: Positive = 20
    careless: Share = 0.05

    @model_validator(mode="after")
    def _learns(self) -> Self:
        if self.learn_from < self.return_turns + 4:
            raise ArgumentError(
                f"learn_from was {self.learn_from}, but must be at least {self.return_turns + 4} turns, "
                "from which something can be drawn"
            )
        if self.replay < self.learn_from:
            raise ArgumentError(
                f"replay was {self.replay}, but must hold the {self.learn_from} turns before the first step"
            )
        return self
