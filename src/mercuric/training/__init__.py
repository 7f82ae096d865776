"""How is a network trained? One loop, its settings, and checkpoints that a killed run goes on from."""

from mercuric.training.checkpoint import load_weights
from mercuric.training.config import TrainingConfig
from mercuric.training.loop import TrainingRun, evaluate, full_batches

__all__ = ["TrainingConfig", "TrainingRun", "evaluate", "full_batches", "load_weights"]
