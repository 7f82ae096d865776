"""What does a convolution of a network read, what is it multiplied with, and what is its Hitmap?"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mercuric.accelerator import Accelerator
from mercuric.accelerator.count.arrival import arrived
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike
from mercuric.reuse.kinds.conv2d import CONV2D
from mercuric.reuse.windows import conv_windows
from mercuric.similarity import random_projection
from mercuric.subjects.subject import Subject
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.recorder import first_argument, recording
from mercuric.trace.work import Work

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class RecordedLayer:
    """One call of a convolution by channels.

    Attributes:
        work: shape, Hitmap in the order of the accelerator's signatures, and cache sets.
        vectors: (scopes, vectors, rows, columns).
        random_filters: (bits, rows, columns).
        filters: (scopes, filters, rows, columns): of each scope's channel.
    """

    work: Work
    vectors: Reals
    random_filters: Reals
    filters: Reals


def record(
    subject: Subject,
    name: str,
    accelerator: Accelerator,
    reuse: Alike | None = None,
    progress: Progress = silent,
) -> RecordedLayer:
    """Run the network with reuse on a batch, and keep what one of its layers did.

    Args:
        subject: the network, and images that run at once.
        name: of the layer.
        accelerator: whose MCACHE and order of signatures it is.
        reuse: how similarity is found; :meth:`Alike.paper` by default.
        progress: told before the batch, and after it.

    Raises:
        ValueError: no such convolution, or the circuit can't find similarity in this way.
    """
    layer, config = _convolution(subject.network, name), simulated_config(reuse, accelerator)
    if (config.granularity, config.magnitude, config.scope) != ("channel", None, "image"):
        raise ArgumentError(
            f"granularity, magnitude and scope of the reuse configuration were {config.granularity!r}, "
            f"{config.magnitude!r} and {config.scope!r}, but must be 'channel', None and 'image': the "
            "circuit compares the signatures of a channel's vectors"
        )
    read: list[Tensor] = []
    calls: list[tuple[LayerCall, Tensor]] = []

    def keep(call: LayerCall) -> None:
        if call.layer == name and call.product == "forward" and not call.is_product:
            calls.append((call, read[-1]))

    def note(_name: str, _module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        read[:] = [first_argument(args, kwargs).detach()]

    with recording({name: layer}, before=note):
        NetworkCalls(subject.network, subject.batches(progress), config, training=False).tell(keep)
    call, images = calls[0]
    return _recorded(layer, images, config.seed, arrived(call, accelerator).work)


def _convolution(network: nn.Module, name: str) -> nn.Conv2d:
    layers = {
        key: module
        for key, module in network.named_modules()
        if type(module) is nn.Conv2d and module.kernel_size != (1, 1)
    }
    if name not in layers:
        raise ArgumentError(
            f"layer was {name!r}, but must be a convolution of more than a pixel: {', '.join(layers)}"
        )
    return layers[name]


def _recorded(layer: nn.Conv2d, images: Tensor, seed: int, work: Work) -> RecordedLayer:
    geometry, shape = CONV2D.geometry(layer), work.shape
    padded = geometry.padded(images, "layer")
    windows = conv_windows(padded, geometry)
    count, channels = len(images), geometry.in_channels
    vectors = padded.view(-1)[windows.addresses()].view(channels, shape.length, count, shape.vectors)
    vectors = vectors.permute(2, 0, 3, 1).reshape(shape.scopes, shape.vectors, shape.rows, shape.elements)
    of_group = channels // geometry.groups
    weight = layer.weight.detach().view(
        geometry.groups, geometry.filters, of_group, shape.rows, shape.elements
    )
    filters = weight.transpose(1, 2).flatten(0, 1).repeat(count, 1, 1, 1)
    projection = random_projection(shape.length, work.bits, seed).T
    random_filters = projection.reshape(work.bits, shape.rows, shape.elements)
    return RecordedLayer(work, *(_reals(each) for each in (vectors, random_filters, filters)))


def _reals(values: Tensor) -> Reals:
    found: Reals = values.to(torch.float64).contiguous().numpy()
    return found
