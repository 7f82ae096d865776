"""Which game is learned, by whom?"""

from pydantic import Field

from mercuric.config import Config
from mercuric.reuse.config import ReuseConfig
from mercuric.subjects.config import Seed
from mercuric.training.games.config import PlayerConfig


class DqnConfig(Config):
    """A player that learns a game.

    Attributes:
        game: a game of ale-py, as ``"breakout"`` or ``"ms-pacman"``.
        seed: weights, games, random actions and drawn transitions follow from it.
        player: how it learns.
        reuse: how the network's layers compute; None: as PyTorch does.
    """

    game: str = "breakout"
    seed: Seed = 0
    player: PlayerConfig = Field(default_factory=PlayerConfig)
    reuse: ReuseConfig | None = None
