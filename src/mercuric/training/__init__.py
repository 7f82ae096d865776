"""How is a network trained? One loop for any task, and checkpoints that a killed run goes on from."""

from mercuric.training.classification import ClassificationTask
from mercuric.training.config import TrainingConfig
from mercuric.training.loop import TrainingRun, full_batches
from mercuric.training.subset import FewerExamples
from mercuric.training.task import Task
from mercuric.training.weights import load_weights

__all__ = [
    "ClassificationTask",
    "FewerExamples",
    "Task",
    "TrainingConfig",
    "TrainingRun",
    "full_batches",
    "load_weights",
]
