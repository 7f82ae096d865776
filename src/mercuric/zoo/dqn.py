"""What is the deep Q-network (Mnih et al., Nature 518, 2015)?"""

from collections import OrderedDict

from torch import nn

ATARI_SIDE = 84
"""Pixels a side of the frames that DQN and IMPALA read."""


def build_dqn(actions: int, channels: int) -> nn.Module:
    """The network of the paper's "Model architecture", layer by layer.

    Args:
        actions: outputs: the value of each action.
        channels: frames in a state; the paper stacks 4.

    Returns:
        A module from states (B, channels, 84, 84) to values (B, actions).
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 32, 8, stride=4),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 4, stride=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(inplace=True),
    )
    head = nn.Sequential(
        nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU(inplace=True), nn.Linear(512, actions)
    )
    return nn.Sequential(OrderedDict(features=features, head=head))
