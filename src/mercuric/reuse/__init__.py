"""How does a network skip work? Functions, layers, and one line that turns reuse on."""

from mercuric.reuse import methods  # noqa: F401 - a configuration finds its method there
from mercuric.reuse.alike.attention import reuse_attention
from mercuric.reuse.alike.config import Alike
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.factorisation import factorise_
from mercuric.reuse.directions.fit.estimate import fit_directions_
from mercuric.reuse.directions.fit.ranks import fit_ranks_
from mercuric.reuse.equal.config import Equal
from mercuric.reuse.handle import ReuseHandle
from mercuric.reuse.judge.judge import Change, Cost, CostModel
from mercuric.reuse.judge.paper import AdaptationConfig
from mercuric.reuse.kinds.attention.multihead import ReuseMultiheadAttention
from mercuric.reuse.kinds.conv1d import ReuseConv1d
from mercuric.reuse.kinds.conv2d import ReuseConv2d
from mercuric.reuse.kinds.conv_transpose2d import ReuseConvTranspose2d
from mercuric.reuse.kinds.linear import ReuseLinear
from mercuric.reuse.observation import Observation
from mercuric.reuse.report_sums import similarity_rates
from mercuric.reuse.swap import plain_state_dict, restore_, reuse_

__all__ = [
    "AdaptationConfig",
    "Alike",
    "Change",
    "Cost",
    "CostModel",
    "Directions",
    "Equal",
    "Observation",
    "ReuseConfig",
    "ReuseConv1d",
    "ReuseConv2d",
    "ReuseConvTranspose2d",
    "ReuseHandle",
    "ReuseLinear",
    "ReuseMultiheadAttention",
    "factorise_",
    "fit_directions_",
    "fit_ranks_",
    "plain_state_dict",
    "restore_",
    "reuse_",
    "reuse_attention",
    "similarity_rates",
]
