"""Which of several functions is faster, on a machine whose speed drifts?"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median, quantiles

from mercuric.errors import ArgumentError

Function = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Spread:
    """Quartiles of one figure over the rounds."""

    q1: float
    median: float
    q3: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """The quartiles of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(low, middle, high)


@dataclass(frozen=True)
class Timings:
    """Seconds of each function, round by round.

    Attributes:
        seconds: name to one measurement a round; the rounds are the same for all names.
    """

    seconds: Mapping[str, list[float]]

    def milliseconds(self, name: str) -> Spread:
        """Quartiles of what one function took."""
        return Spread.of([1000 * value for value in self.seconds[name]])

    def speedup(self, name: str, over: str | None = None) -> Spread:
        """Quartiles of the seconds of ``over``, by default the first function, over those of ``name``.

        The ratio is taken round by round, so that both saw the machine in the same state.
        """
        base = self.seconds[over or next(iter(self.seconds))]
        return Spread.of([one / other for one, other in zip(base, self.seconds[name], strict=True)])

    def fastest(self, *names: str) -> str:
        """The name, of those given, with the smallest median."""
        return min(names, key=lambda name: median(self.seconds[name]))


def interleaved(
    functions: Mapping[str, Function],
    rounds: int = 5,
    warm_ups: int = 1,
    least: float = 0.0,
    clock: Clock = time.perf_counter,
) -> Timings:
    """Time functions in turn in one run.

    A round runs each function once; every second round runs them backwards, so that none always
    follows the same other one.

    Args:
        functions: name to function; what it returns is dropped.
        rounds: measurements of each.
        warm_ups: runs of each before that, which are not counted.
        least: seconds that a measurement lasts at least, as the last warm-up predicts: functions that are
            shorter run several times, and their mean counts.
        clock: seconds.

    Raises:
        ValueError: there is no function or no round, or a negative number of warm-ups.
    """
    if not functions:
        raise ArgumentError("functions was empty, but must hold at least one function")
    if rounds < 1:
        raise ArgumentError(f"rounds was {rounds}, but must be at least 1")
    if warm_ups < 0:
        raise ArgumentError(f"warm_ups was {warm_ups}, but must be at least 0")
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    calls = dict.fromkeys(functions, 1)
    for turn in range(-warm_ups, rounds):
        order = list(functions.items())
        for name, function in order if turn % 2 == 0 else reversed(order):
            started = clock()
            for _ in range(calls[name]):
                function()
            took = (clock() - started) / calls[name]
            if turn >= 0:
                seconds[name].append(took)
            elif took > 0:
                calls[name] = 1 if turn < -1 else max(1, ceil(least / took))
    return Timings(seconds)
