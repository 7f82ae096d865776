"""What is MobileNetV2 (Sandler et al., CVPR 2018) here?"""

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import for_small_images, torchvision_form
from mercuric.zoo.network import Network

# Expansion, channels, blocks and stride of each stage: the paper's Table 2 with stride 1 at 24 channels.
CIFAR_STAGES = [
    [1, 16, 1, 1],
    [6, 24, 2, 1],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]


def _cifar(classes: int, channels: int) -> nn.Module:
    """Stride 1 instead of 2 in the first convolution and at 24 channels: 32 pixels a side become 4."""
    network = torchvision.models.mobilenet_v2(
        weights=None, num_classes=classes, inverted_residual_setting=CIFAR_STAGES
    )
    return for_small_images(network, channels)


MOBILENET_V2 = Network(
    cifar=_cifar, imagenet=torchvision_form(torchvision.models.mobilenet_v2), smallest_image=16
)
