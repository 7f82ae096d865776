"""How is a game of the Atari 2600 played, and what does a learner see of it?

As in Mnih et al. (Nature 518, 2015, Methods): an action is held for four frames; what is seen is, pixel by
pixel, the larger of the last two frames, grey, at 84 x 84; a game begins with up to 30 frames in which
nothing is done, and ends after 5 minutes at the latest. Grey is the emulator's luminance, taken before the
larger of two, and a pixel of the small frame is the mean of the area that it covers, as Dopamine does both
(Castro et al., 2018).
"""

from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from mercuric.errors import ArgumentError
from mercuric.extras import needed_for

Frame = NDArray[np.uint8]

SIDE = 84
"""Pixels a side of a frame as it is seen."""
HISTORY = 4
"""Frames in a state."""
FRAME_SKIP = 4
MOST_WAITED = 30
MOST_FRAMES = 18_000
"""Five minutes at 60 a second."""


@dataclass(frozen=True)
class Turn:
    """What came of an action.

    Attributes:
        frame: (84, 84): what is seen now.
        reward: points gained.
        life_lost: whether there are fewer lives than before.
        over: whether the game is over, or its time.
    """

    frame: Frame
    reward: float
    life_lost: bool
    over: bool


class AtariGame:
    """A game; with the same seed and actions it goes the same way.

    Args:
        name: one of :func:`games`.
        seed: of how long nothing is done at each game's beginning.

    Raises:
        ValueError: an unknown game.
        MercuricError: ale-py, which ships the games, is not installed.
    """

    def __init__(self, name: str, seed: int) -> None:
        if name not in games():
            raise ArgumentError(f"game was {name!r}, but must be a game of ale-py, as breakout or ms-pacman")
        emulators = _emulators()
        emulators.ALEInterface.setLoggerMode(emulators.LoggerMode.Error)
        self._emulator = emulators.ALEInterface()
        self._emulator.setInt("random_seed", seed % 2**31)
        self._emulator.setFloat("repeat_action_probability", 0.0)
        self._emulator.loadROM(emulators.roms.get_rom_path(name.replace("-", "_")))
        self._actions = self._emulator.getMinimalActionSet()
        self._random = np.random.default_rng(seed)

    @property
    def actions(self) -> int:
        """How many actions have an effect; each is a number below this, and 0 does nothing."""
        return len(self._actions)

    def start(self) -> Frame:
        """Begin a game; returns what is seen of it."""
        self._emulator.reset_game()
        for _ in range(self._random.integers(1, MOST_WAITED, endpoint=True)):
            before = self._emulator.getScreenGrayscale()
            self._emulator.act(self._actions[0])
        return seen(before, self._emulator.getScreenGrayscale())

    def play(self, action: int) -> Turn:
        """Hold an action for four frames, or until the game is over."""
        lives, reward = self._emulator.lives(), 0.0
        for _ in range(FRAME_SKIP):
            before = self._emulator.getScreenGrayscale()
            reward += self._emulator.act(self._actions[action])
            over = self._emulator.game_over() or self._emulator.getEpisodeFrameNumber() >= MOST_FRAMES
            if over:
                break
        frame = seen(before, self._emulator.getScreenGrayscale())
        return Turn(frame, reward, self._emulator.lives() < lives, over)


class History:
    """The last frames of a game, the newest last; before its first frame all is black."""

    def __init__(self, frame: Frame) -> None:
        self.state: Frame = np.zeros((HISTORY, *frame.shape), np.uint8)
        self.add(frame)

    def add(self, frame: Frame) -> None:
        """The newest frame."""
        self.state = np.concatenate([self.state[1:], frame[None]])


def seen(before: Frame, after: Frame) -> Frame:
    """What a learner sees of two screens.

    Args:
        before: a screen, (H, W) grey.
        after: the next one.

    Returns:
        (84, 84): means over areas of the larger of both, halves rounded up. Sums of whole numbers are exact,
        so that it is the same on every machine.
    """
    larger = np.maximum(before, after).astype(np.float32)
    rows, columns = (_overlaps(length) for length in larger.shape)
    area = int(rows[0].sum()) * int(columns[0].sum())
    sums = (rows @ larger @ columns.T).astype(np.int64)
    return ((2 * sums + area) // (2 * area)).astype(np.uint8)


@cache
def games() -> tuple[str, ...]:
    """The games whose programs ship with ale-py, in alphabetical order.

    Raises:
        MercuricError: ale-py is not installed.
    """
    return tuple(sorted(rom.replace("_", "-") for rom in _emulators().roms.get_all_rom_ids()))


def _emulators() -> ModuleType:
    """ale-py, which is imported as a game is played: data sets are listed without it."""
    with needed_for("a game of the Atari 2600", extra="atari"):
        import ale_py
        import ale_py.roms
    return ale_py


@cache
def _overlaps(length: int) -> NDArray[np.float32]:
    """(84, length): how much of each old pixel lies in each new one, in units that make all whole numbers.

    There are ``SIDE * length`` units in a line; an old pixel has ``SIDE`` of them, a new one ``length``.
    """
    old = np.arange(length) * SIDE
    new = np.arange(SIDE)[:, None] * length
    shared = np.minimum(old + SIDE, new + length) - np.maximum(old, new)
    units: NDArray[np.float32] = (np.maximum(shared, 0) // np.gcd(length, SIDE)).astype(np.float32)
    return units
