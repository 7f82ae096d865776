"""What is the residual network of IMPALA (Espeholt et al., ICML 2018)?"""

from collections import OrderedDict

from torch import Tensor, nn

CHANNELS = (16, 32, 32)


def build_impala(actions: int, channels: int) -> nn.Module:
    """The paper's deep network (Fig. 3, right), 15 convolutions, without its LSTM and its text input.

    Poolings pad both sides where the original, in TensorFlow, pads the right and lower one alone: maps have
    the same sizes.

    Args:
        actions: outputs: the policy's logit, or the value, of each action.
        channels: of a state; for Atari 4 frames.

    Returns:
        A module from states (B, channels, 84, 84) to (B, actions).
    """
    inputs = (channels, *CHANNELS[:-1])
    stages = [_stage(before, after) for before, after in zip(inputs, CHANNELS, strict=True)]
    head = nn.Sequential(
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(CHANNELS[-1] * 11 * 11, 256),
        nn.ReLU(inplace=True),
        nn.Linear(256, actions),
    )
    return nn.Sequential(OrderedDict(features=nn.Sequential(*stages), head=head))


class ResidualBlock(nn.Module):
    """Two convolutions behind activations, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.ReLU(),  # what came in is still to be added
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        residual: Tensor = self.residual(images)
        return residual + images


def _stage(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.MaxPool2d(3, stride=2, padding=1),
        ResidualBlock(outputs),
        ResidualBlock(outputs),
    )
