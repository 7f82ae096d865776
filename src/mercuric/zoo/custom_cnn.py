"""What is the small network of the CIFAR-10 study that adapts MERCURY to software?"""

from collections import OrderedDict

from torch import nn

from mercuric.zoo.network import Network


def _build(classes: int, channels: int) -> nn.Module:
    """Three 3x3 convolutions (32, 64, 128), max pooling after each, two fully connected layers.

    The study gives no widths; these are ours. The last pooling is adaptive to 4x4 pixels: at 32x32
    it is a plain 2x2 pooling, and larger images need no other network.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveMaxPool2d(4),
    )
    head = nn.Sequential(
        nn.Flatten(),
        nn.Linear(128 * 4 * 4, 256),
        nn.ReLU(inplace=True),
        nn.Linear(256, classes),
    )
    return nn.Sequential(OrderedDict(features=features, classifier=head))


CUSTOM_CNN = Network(cifar=_build, imagenet=_build, smallest_image=16)
