"""How does a network skip work? Functions, layers, and one line that turns reuse on."""

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.handle import ReuseHandle, similarity_rates
from mercuric.reuse.layers import ReuseConv2d, ReuseLinear
from mercuric.reuse.observation import Observation
from mercuric.reuse.replacement import restore_, reuse_

__all__ = [
    "Observation",
    "ReuseConfig",
    "ReuseConv2d",
    "ReuseHandle",
    "ReuseLinear",
    "restore_",
    "reuse_",
    "similarity_rates",
]
