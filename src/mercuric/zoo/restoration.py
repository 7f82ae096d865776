"""What are networks that restore images at full resolution (DnCNN: Zhang et al., IEEE TIP 2017)?"""

from functools import partial

from torch import Tensor, nn

CHANNELS = 64
SHALLOW, DNCNN_LAYERS = 7, 17


class Restoration(nn.Module):
    """3x3 convolutions of 64 channels that estimate what is wrong with an image, and take it away.

    With 17 layers and normalisation it is DnCNN-S as its authors train it in PyTorch: biases in the first
    convolution alone, normalisation between the first and the last.

    Args:
        layers: convolutions, 2 or more; a result depends on 2 * layers + 1 pixels a side.
        channels: of the images.
        normalised: whether batch normalisation follows the convolutions between the first and the last;
            else these have biases.
    """

    def __init__(self, layers: int, channels: int, normalised: bool) -> None:
        super().__init__()
        body: list[nn.Module] = [nn.Conv2d(channels, CHANNELS, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(layers - 2):
            body.append(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=not normalised))
            if normalised:
                body.append(nn.BatchNorm2d(CHANNELS))
            body.append(nn.ReLU(inplace=True))
        body.append(nn.Conv2d(CHANNELS, channels, 3, padding=1, bias=not normalised))
        self.body = nn.Sequential(*body)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        wrong: Tensor = self.body(images)
        return images - wrong


build_restoration = partial(Restoration, SHALLOW, normalised=False)
build_restoration_bn = partial(Restoration, SHALLOW, normalised=True)
build_dncnn = partial(Restoration, DNCNN_LAYERS, normalised=True)
