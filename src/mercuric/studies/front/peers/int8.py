"""How does a trained network compute in integers of eight bits?

Static quantization after training: weights filter by filter, activations by what calibration images show.
PyTorch's own on oneDNN's kernels; where compiling is asked for torchao's, which Inductor compiles.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.extras import needed_for
from mercuric.reuse.directions.factors import products
from mercuric.studies.front.peers.peer import Ground, LeftOut

_ENGINES = ("onednn", "x86", "fbgemm", "qnnpack")
"""Of PyTorch's, the fastest first."""
_BOUNDED = (torch.sigmoid, nn.Sigmoid, torch.tanh, nn.Tanh, F.softmax, nn.Softmax)
"""Stay in float32: PyTorch may take the range of their outputs for that of their inputs."""


@dataclass(frozen=True)
class Int8:
    """Convolutions and fully connected layers in int8.

    Attributes:
        ends: layers at either end that stay in float32.
    """

    trains: ClassVar[bool] = False
    narrows: ClassVar[bool] = False

    ends: int = 0

    def make(self, network: nn.Module, ground: Ground) -> nn.Module:
        """See :meth:`~mercuric.studies.front.peers.peer.Peer.make`."""
        names = [name for name, _ in products(network)]
        kept = {*names[: self.ends], *names[len(names) - self.ends :]}
        if len(kept) == len(names):
            raise LeftOut(f"{ground.shown} has {len(names)} layers, of which int8 would leave all in float32")
        try:
            with _quiet(), torch.no_grad():
                return _compiled(network, ground, kept) if ground.compiled else _own(network, ground, kept)
        except (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError, KeyError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise LeftOut(f"int8 can't take {ground.shown}: {why}") from error


def _own(network: nn.Module, ground: Ground, kept: set[str]) -> nn.Module:
    """By PyTorch's graph mode."""
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    with _engine() as engine:
        mapping = get_default_qconfig_mapping(engine)
        for name in kept:
            mapping = mapping.set_module_name(name, None)
        for bounded in _BOUNDED:
            mapping = mapping.set_object_type(bounded, None)
        observed = prepare_fx(network, mapping, (ground.timed,))
        for batch in ground.fitted:
            observed(batch)
        made: nn.Module = convert_fx(observed)
        made(ground.timed)
        return made


def _compiled(network: nn.Module, ground: Ground, kept: set[str]) -> nn.Module:
    """By torchao, compiled."""
    with needed_for("int8 with --compile", "peers"):
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86
    import torch._inductor.config as inductor

    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    for name in kept:
        quantizer.set_module_name_qconfig(name, None)
    exported: Any = torch.export.export(network, (ground.timed,)).module()
    observed = prepare_pt2e(exported, quantizer)
    for batch in ground.fitted:
        observed(_filled(batch, len(ground.timed)))
    with inductor.patch(freezing=True):
        made: Any = torch.compile(convert_pt2e(observed))
        made(ground.timed)
    return _Whole(made, len(ground.timed))


class _Whole(nn.Module):
    """A network of one size of batches, which smaller ones are filled up to."""

    def __init__(self, network: nn.Module, batch: int) -> None:
        super().__init__()
        self.network, self.batch = network, batch

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.network(_filled(images, self.batch))
        return outputs[: len(images)]


def _filled(images: Tensor, batch: int) -> Tensor:
    """The images, and the first of them again, until they are as many as a batch."""
    if len(images) == batch:
        return images
    places = torch.arange(batch) % len(images)
    return images[places].contiguous(memory_format=torch.channels_last)


@contextmanager
def _engine() -> Iterator[str]:
    """Within the block PyTorch's layers of int8 are made for the fastest kernels there are."""
    before, there = torch.backends.quantized.engine, torch.backends.quantized.supported_engines
    found = next((engine for engine in _ENGINES if engine in there), None)
    if found is None:
        raise LeftOut("this PyTorch has no kernels of int8")
    torch.backends.quantized.engine = found
    try:
        yield found
    finally:
        torch.backends.quantized.engine = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Within the block nobody is told that PyTorch's own quantization moves to torchao, or what it rounds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
