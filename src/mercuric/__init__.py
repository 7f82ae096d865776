"""Mercuric: MERCURY (Janfaza et al., HPCA 2023) for PyTorch, in software and in simulated hardware."""

__version__ = "0.1.0"

from mercuric.accelerator import Accelerator, Simulation, simulate
from mercuric.errors import MercuricError
from mercuric.reuse import ReuseConfig, ReuseConv2d, ReuseHandle, ReuseLinear, restore_, reuse_

__all__ = [
    "Accelerator",
    "MercuricError",
    "ReuseConfig",
    "ReuseConv2d",
    "ReuseHandle",
    "ReuseLinear",
    "Simulation",
    "__version__",
    "restore_",
    "reuse_",
    "simulate",
]
