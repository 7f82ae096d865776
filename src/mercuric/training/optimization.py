"""Which optimizer, and what is its learning rate at a step?"""

from math import cos, pi

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from mercuric.training.config import TrainingConfig

WARM_UP = 0.2


def make_optimizer(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """The configured optimizer over all parameters."""
    parameters = model.parameters()
    if config.optimizer == "adamw":
        return AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    return SGD(
        parameters,
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=config.momentum > 0,
    )


def learning_rate(config: TrainingConfig, step: float, steps: float) -> float:
    """The learning rate of step 0 to ``steps`` - 1: a function of the step, so nothing to resume."""
    done = step / steps
    if config.schedule == "constant":
        return config.learning_rate
    if config.schedule == "step":
        return config.learning_rate * 0.1 ** ((done >= 0.5) + (done >= 0.75))
    if config.schedule == "cosine":
        return config.learning_rate * (1 + cos(pi * done)) / 2
    if done < WARM_UP:
        return config.learning_rate * (step + 1) / (WARM_UP * steps + 1)
    return config.learning_rate * (1 + cos(pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def seed_step(seed: int, step: int, rank: int = 0) -> torch.Generator:
    """Seed every random choice of a step by its number alone, so that a resumed run makes the same ones.

    Args:
        seed: of the run.
        step: steps done.
        rank: of this process, whose choices are others than those of other ranks.
    """
    mixed = (seed * 1_000_003 + step + 1 + rank * 0x9E3779B97F4A7C15) % 2**63
    torch.manual_seed(mixed)
    return torch.Generator().manual_seed(mixed)
