"""Mercuric: MERCURY (Janfaza et al., HPCA 2023) for PyTorch, in software and in simulated hardware."""

from mercuric.accelerator import Accelerator, CycleCost, Simulation, simulate
from mercuric.errors import ArgumentError, Diverged, MercuricError
from mercuric.reuse import (
    AdaptationConfig,
    Alike,
    Directions,
    ReuseConfig,
    ReuseConv1d,
    ReuseConv2d,
    ReuseConvTranspose2d,
    ReuseHandle,
    ReuseLinear,
    ReuseMultiheadAttention,
    fit_directions_,
    fit_ranks_,
    plain_state_dict,
    restore_,
    reuse_,
    reuse_attention,
)
from mercuric.version import __version__

__all__ = [
    "Accelerator",
    "AdaptationConfig",
    "Alike",
    "ArgumentError",
    "CycleCost",
    "Directions",
    "Diverged",
    "MercuricError",
    "ReuseConfig",
    "ReuseConv1d",
    "ReuseConv2d",
    "ReuseConvTranspose2d",
    "ReuseHandle",
    "ReuseLinear",
    "ReuseMultiheadAttention",
    "Simulation",
    "__version__",
    "fit_directions_",
    "fit_ranks_",
    "plain_state_dict",
    "restore_",
    "reuse_",
    "reuse_attention",
    "simulate",
]
