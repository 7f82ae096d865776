"""How does a network skip work? Functions, layers, and one line that turns reuse on."""

from mercuric.reuse.adaptation import AdaptationConfig, Change, Cost, CostModel
from mercuric.reuse.attention import reuse_attention
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.convolution import ReuseConv2d
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.layer_report import similarity_rates
from mercuric.reuse.linear import ReuseLinear
from mercuric.reuse.multihead_attention import ReuseMultiheadAttention
from mercuric.reuse.observation import Observation
from mercuric.reuse.principal.estimate import fit_directions_
from mercuric.reuse.principal.fit import fit_ranks_
from mercuric.reuse.replacement import plain_state_dict, restore_, reuse_

__all__ = [
    "AdaptationConfig",
    "Change",
    "Cost",
    "CostModel",
    "Observation",
    "ReuseConfig",
    "ReuseConv2d",
    "ReuseHandle",
    "ReuseLinear",
    "ReuseMultiheadAttention",
    "fit_directions_",
    "fit_ranks_",
    "plain_state_dict",
    "restore_",
    "reuse_",
    "reuse_attention",
    "similarity_rates",
]
