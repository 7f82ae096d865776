"""What did a search for narrower networks find?"""

from dataclasses import dataclass
from math import sqrt
from typing import Any


@dataclass(frozen=True)
class Found:
    """What ``shrink.json`` says, with names for its parts.

    Attributes:
        summary: the file's contents.
    """

    summary: dict[str, Any]

    @property
    def trials(self) -> list[dict[str, Any]]:
        """A trial each, in the order of training."""
        trials: list[dict[str, Any]] = self.summary["trials"]
        return trials

    @property
    def energy(self) -> str:
        """The column of the energy that was minimised."""
        return "mercury_energy" if self.summary["mercury"] else "energy"

    @property
    def latency(self) -> str:
        """The column of the latency that was minimised."""
        return "mercury_latency" if self.summary["mercury"] else "latency"

    @property
    def original(self) -> dict[str, Any]:
        """The network that the search started from."""
        return next(filter(is_original, self.trials))

    @property
    def front(self) -> list[dict[str, Any]]:
        """Trials that none beats in everything, the most accurate first."""
        return sorted((t for t in self.trials if t["front"]), key=lambda t: -t["accuracy"])

    def best(self) -> dict[str, Any] | None:
        """The trial of least energy that is no less accurate than the original, if that one trained."""
        least = self.original["accuracy"]
        if least is None:
            return None
        return min((t for t in self.front if t["accuracy"] >= least), key=lambda t: float(t[self.energy]))

    def error(self, trial: dict[str, Any]) -> float:
        """Standard error of a trial's accuracy, by the number of test images."""
        share = trial["accuracy"]
        return sqrt(share * (1 - share) / self.summary["test_images"])

    def factors(self, trial: dict[str, Any]) -> str:
        """A trial's factors in the stages' order, those of uniform widths as one."""
        if trial["uniform"]:
            return "original" if is_original(trial) else f"uniform {trial['uniform']}"
        return " ".join(f"{trial[f'factor {stage}']:g}" for stage in self.summary["stages"])


def is_original(trial: dict[str, Any]) -> bool:
    """Whether it is the network that the search started from."""
    return "1" in trial["uniform"].split()
