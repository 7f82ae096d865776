"""What does the paper claim, and what do we get? One file an experiment."""

from mercuric.experiments.compare import compare
from mercuric.experiments.outcome import Outcome
from mercuric.experiments.run_config import RunConfig

__all__ = ["Outcome", "RunConfig", "compare"]
