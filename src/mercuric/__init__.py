"""Mercuric: MERCURY (Janfaza et al., HPCA 2023) for PyTorch, in software and in simulated hardware."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mercuric.errors import ArgumentError, Diverged, MercuricError
from mercuric.reuse import (
    AdaptationConfig,
    Alike,
    Directions,
    Equal,
    ReuseConfig,
    ReuseConv1d,
    ReuseConv2d,
    ReuseConvTranspose2d,
    ReuseHandle,
    ReuseLinear,
    ReuseMultiheadAttention,
    factorise_,
    fit_directions_,
    fit_ranks_,
    plain_state_dict,
    restore_,
    reuse_,
    reuse_attention,
)
from mercuric.version import __version__

if TYPE_CHECKING:
    from mercuric.accelerator import Accelerator, CycleCost, Simulation, simulate
    from mercuric.prefixes import PrefixHandle, PrefixReport, share_prefixes
    from mercuric.studies.loaded_run import LoadedRun, load_run
    from mercuric.trace.summary import Summary, summary

__all__ = [
    "Accelerator",
    "AdaptationConfig",
    "Alike",
    "ArgumentError",
    "CycleCost",
    "Directions",
    "Diverged",
    "Equal",
    "LoadedRun",
    "MercuricError",
    "PrefixHandle",
    "PrefixReport",
    "ReuseConfig",
    "ReuseConv1d",
    "ReuseConv2d",
    "ReuseConvTranspose2d",
    "ReuseHandle",
    "ReuseLinear",
    "ReuseMultiheadAttention",
    "Simulation",
    "Summary",
    "__version__",
    "factorise_",
    "fit_directions_",
    "fit_ranks_",
    "load_run",
    "plain_state_dict",
    "restore_",
    "reuse_",
    "reuse_attention",
    "share_prefixes",
    "simulate",
    "summary",
]

_SIMULATOR = ("Accelerator", "CycleCost", "Simulation", "simulate")
_SUMMARY = ("Summary", "summary")
_PREFIXES = ("PrefixHandle", "PrefixReport", "share_prefixes")
_RUNS = ("LoadedRun", "load_run")


def __getattr__(name: str) -> Any:
    # Who trains needs no simulator, which takes a tenth as long to import as PyTorch.
    if name == "accelerator":
        return import_module("mercuric.accelerator")
    if name in _SIMULATOR:
        return getattr(import_module("mercuric.accelerator"), name)
    if name in _SUMMARY:
        return getattr(import_module("mercuric.trace.summary"), name)
    if name in _PREFIXES:
        return getattr(import_module("mercuric.prefixes"), name)
    if name in _RUNS:
        return getattr(import_module("mercuric.studies.loaded_run"), name)
    raise AttributeError(f"module 'mercuric' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
