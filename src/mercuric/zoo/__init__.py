"""On which networks is it measured?"""

from mercuric.zoo.network import LARGEST_CIFAR_IMAGE, Form, form
from mercuric.zoo.other_outputs import (
    GAME_NETWORKS,
    IMAGE_NETWORKS,
    build_game_network,
    build_image_network,
)
from mercuric.zoo.registry import TRANSFORMER, Reads, all_names, build, names, reads
from mercuric.zoo.table_mlp import build_table_mlp, one_hot
from mercuric.zoo.transformer import build_transformer
from mercuric.zoo.width import narrow

__all__ = [
    "GAME_NETWORKS",
    "IMAGE_NETWORKS",
    "LARGEST_CIFAR_IMAGE",
    "TRANSFORMER",
    "Form",
    "Reads",
    "all_names",
    "build",
    "build_game_network",
    "build_image_network",
    "build_table_mlp",
    "build_transformer",
    "form",
    "names",
    "narrow",
    "one_hot",
    "reads",
]
