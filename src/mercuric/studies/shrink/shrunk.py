"""How is a narrowed network kept, and had again?"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.reading import parse_json
from mercuric.files.regular import require_regular
from mercuric.files.writing import replacing
from mercuric.subjects.network import of_zoo, without_values
from mercuric.subjects.providers.provider import Purpose
from mercuric.subjects.providers.registry import provider_of
from mercuric.zoo.channels import find_channels, narrow_channels

_KEY = "shrunk"


@dataclass(frozen=True)
class Shrunk:
    """What a narrowed network is made from.

    Attributes:
        model: a network.
        classes: outputs of its last layer.
        channels: of the images.
        image_size: their side in pixels.
        width: channels of every layer before narrowing, as a share of the published ones.
        factors: of each stage, as ``Channels.counts`` takes them.
        model_args: arguments of the network.
    """

    model: str
    classes: int
    channels: int
    image_size: int
    width: float
    factors: dict[str, float]
    model_args: dict[str, Any] = field(default_factory=dict)

    def build(self) -> nn.Module:
        """The narrowed network with fresh weights.

        Raises:
            ValueError: no such network, or factors of other stages.
        """
        opened = provider_of(self.model).open(self.model, self.model_args)
        network = opened.build(Purpose(self.classes, self.channels, self.image_size, width=self.width))
        channels = find_channels(network, self.channels, self.image_size)
        return narrow_channels(network, channels, channels.counts(self.factors))


def save_shrunk(path: Path, network: nn.Module, described: Shrunk) -> None:
    """Write the weights and what the network is made from as one safetensors file.

    Raises:
        OSError: it can't be written.
    """
    tensors = {name: one.detach().cpu().contiguous() for name, one in network.state_dict().items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(asdict(described))}))


def load_shrunk(path: Path, own: bool = False) -> nn.Module:
    """The network in a file that ``mercuric shrink`` wrote, with its weights, in evaluation mode.

    Args:
        path: of the file.
        own: whether it may be of a network that is not of the zoo, whose code the file names, and which is
            run: give it for files of your own.

    Raises:
        MercuricError: no such file, or it is broken, no shrunk network, or of one that may not be run.
    """
    require_regular(path, "a network that mercuric shrink wrote")
    try:
        with safe_open(path, framework="pt") as file:
            described = Shrunk(**parse_json((file.metadata() or {})[_KEY], path))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if not (own or of_zoo(described.model)):
            raise ArgumentError(f"it is made by {described.model}, which is run for own=True alone")
        with without_values(described.model):
            network = described.build()
        network.load_state_dict(tensors, assign=True)
    except FileNotFoundError:
        raise MercuricError(f"there is no network {path}") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise MercuricError(f"{path} is no network that mercuric shrink wrote: {reason}") from None
    return network.requires_grad_(True).eval()
