"""Which networks give images, or a number an action, and how is one built by name?

They are no classifiers: what trains or measures classifiers by their names doesn't know these.
"""

from collections.abc import Callable

from torch import nn

from mercuric.errors import ArgumentError
from mercuric.zoo.dqn import build_dqn
from mercuric.zoo.impala import build_impala
from mercuric.zoo.network import Builder
from mercuric.zoo.restoration import build_dncnn, build_restoration, build_restoration_bn
from mercuric.zoo.unet import build_unet
from mercuric.zoo.width import narrow

IMAGE_NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "dncnn": build_dncnn,
    "restoration": build_restoration,
    "restoration-bn": build_restoration_bn,
    "unet": build_unet,
}
"""From images of so many channels to images of the same shape."""

GAME_NETWORKS: dict[str, Builder] = {"dqn": build_dqn, "impala": build_impala}
"""From (actions, channels): states of 84 x 84 pixels to a number an action."""


def build_image_network(name: str, channels: int = 3, width: float = 1.0) -> nn.Module:
    """A network from images to images, with fresh weights, drawn from torch's current generator.

    Args:
        name: one of ``IMAGE_NETWORKS``.
        channels: of the images: 3 for colour, 1 for grey.
        width: channels of every layer as a share of the published ones; see ``mercuric.zoo.width.narrow``.

    Returns:
        A module in training mode from (B, channels, H, W) to the same shape; the U-Net wants sides that are
        multiples of 16.

    Raises:
        ValueError: an unknown name, no channel, or a width that leaves a layer no whole number of channels.
    """
    if name not in IMAGE_NETWORKS:
        raise ArgumentError(f"name was {name!r}, but it must be one of {', '.join(IMAGE_NETWORKS)}")
    if channels < 1:
        raise ArgumentError(f"channels was {channels}, but it must be at least 1")
    return narrow(IMAGE_NETWORKS[name](channels), width)


def build_game_network(name: str, actions: int, channels: int = 4, width: float = 1.0) -> nn.Module:
    """A network that plays a game, with fresh weights, drawn from torch's current generator.

    Args:
        name: one of ``GAME_NETWORKS``.
        actions: outputs.
        channels: frames in a state.
        width: channels of every layer as a share of the published ones; see ``mercuric.zoo.width.narrow``.

    Returns:
        A module in training mode from (B, channels, 84, 84) to (B, actions).

    Raises:
        ValueError: an unknown name, a number under 1, or a width that leaves a layer no whole number of
            channels.
    """
    if name not in GAME_NETWORKS:
        raise ArgumentError(f"name was {name!r}, but it must be one of {', '.join(GAME_NETWORKS)}")
    for argument, value in (("actions", actions), ("channels", channels)):
        if value < 1:
            raise ArgumentError(f"{argument} was {value}, but it must be at least 1")
    return narrow(GAME_NETWORKS[name](actions, channels), width)
