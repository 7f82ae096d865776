"""Which edges does HED (Xie and Tu, ICCV 2015) find with VGG16's features?"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.extras import needed_for
from mercuric.zoo import pretrained
from mercuric.zoo.registry import build

WEIGHTS = "vgg16-hed"
_SIDES = {3: 64, 8: 128, 15: 256, 22: 512, 29: 512}
"""Where each block of VGG16's features ends, before its pooling, and its channels."""


class EdgeMaps(nn.Module):
    """VGG16's convolutions with an edge map a block, and one that weighs these five.

    Attributes:
        features: VGG16's, but for the last pooling.
        sides: a 1x1 convolution of one filter a block.
        fuse: a 1x1 convolution of the five maps.
    """

    def __init__(self, features: nn.Sequential) -> None:
        super().__init__()
        self.features = nn.Sequential(*list(features)[: max(_SIDES) + 1])
        self.sides = nn.ModuleList(nn.Conv2d(channels, 1, 1) for channels in _SIDES.values())
        self.fuse = nn.Conv2d(len(_SIDES), 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to probabilities of an edge (B, 1, H, W)."""
        maps, x = [], images
        sides = iter(self.sides)
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in _SIDES:
                side = next(sides)(x)
                maps.append(F.interpolate(side, images.shape[2:], mode="bilinear", align_corners=False))
        return torch.sigmoid(self.fuse(torch.cat(maps, 1)))


def load_edge_maps(image_size: int = 224, root: Path | None = None) -> EdgeMaps:
    """HED with its trained weights, in evaluation mode; images are normalised as the weights say.

    Raises:
        ValueError: ``image_size`` is not above 64 pixels.
        MercuricError: the weights are missing or damaged.
    """
    network = build("vgg16", 1, 3, image_size)
    pretrained.load_pretrained(WEIGHTS, network, "vgg16", image_size, root)
    features = network.get_submodule("features")
    edges = EdgeMaps(features)  # type: ignore[arg-type]
    with needed_for("HED's weights"):
        import h5py
    with h5py.File(pretrained.location(WEIGHTS, root), "r") as file:
        heads = {f"sides.{place}": f"dsn{place + 1}" for place in range(len(_SIDES))} | {"fuse": "fuse"}
        for name, stored in heads.items():
            layer = edges.get_submodule(name)
            kernel = torch.from_numpy(file[f"{stored}/vars/0"][:]).permute(3, 2, 0, 1).contiguous()
            layer.load_state_dict({"weight": kernel, "bias": torch.from_numpy(file[f"{stored}/vars/1"][:])})
    return edges.eval()
