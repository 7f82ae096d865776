"""How far are outputs and gradients from dense ones?"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor, nn

from mercuric.progress import Progress, silent
from mercuric.reuse import reuse_
from mercuric.studies.bench.equal.cases import Case, Inputs, build
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.forms import Batch, loss_of
from mercuric.studies.bench.settings import autocast

PAIRS = {
    "from_dense": ("reuse", "dense"),
    "from_float64": ("reuse", "dense64"),
    "dense_from_float64": ("dense", "dense64"),
    "in_float64": ("reuse64", "dense64"),
}
"""What is compared with what: the dtype that was timed where nothing is said."""


@dataclass(frozen=True)
class Result:
    """What a pass gave.

    Attributes:
        output: in float64.
        gradients: of each parameter, by name, in float64; empty after inference.
    """

    output: Tensor
    gradients: Mapping[str, Tensor]

    def distances(self, other: "Result") -> tuple[float, float]:
        """Largest difference over the largest number, of outputs and of the gradients of a module."""
        modules: dict[str, list[str]] = {}
        for name in other.gradients:
            modules.setdefault(name.rpartition(".")[0], []).append(name)
        gradients = (
            _distance(
                _joined(self.gradients[name] for name in names),
                _joined(other.gradients[name] for name in names),
            )
            for names in modules.values()
        )
        return _distance(self.output, other.output), max(gradients, default=nan)


def exactness(
    case: Case, inputs: Inputs, batches: Sequence[Batch], config: EqualBench, progress: Progress = silent
) -> dict[str, dict[str, float]]:
    """Distances of outputs and gradients, the largest of some batches, in training mode without dropout.

    Biases are held against the largest gradient of their module: before a normalisation theirs are 0.

    Returns:
        ``outputs`` and, but of inference, ``gradients``, with a distance for each of :data:`PAIRS`.
    """
    found: dict[str, dict[str, float]] = (
        {"outputs": {}} if config.forward_only else {"outputs": {}, "gradients": {}}
    )
    for place, batch in enumerate(batches):
        progress(place, len(batches), "distances from float64", "batches")
        results = _results(case, inputs, batch, config)
        for pair, (one, other) in PAIRS.items():
            for part, value in zip(found, results[one].distances(results[other]), strict=False):
                found[part][pair] = max(value, found[part].get(pair, 0.0))
    return found


def _results(case: Case, inputs: Inputs, batch: Batch, config: EqualBench) -> dict[str, Result]:
    network = build(case, inputs, config)
    for module in network.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    results = {}
    for name, dtype in (("", torch.float32), ("64", torch.float64)):
        dense = copy.deepcopy(network).to(dtype)
        reused = copy.deepcopy(dense)
        reuse_(reused, config.reuse())
        images = batch.channels_last().images.to(dtype)
        for kind, model in (("dense", dense), ("reuse", reused)):
            with autocast("float32" if name else config.dtype):
                results[f"{kind}{name}"] = _result(model, images, batch, config)
    return results


def _result(network: nn.Module, images: Tensor, batch: Batch, config: EqualBench) -> Result:
    read = Batch(images, batch.pixels, batch.labels)
    if config.forward_only:
        with torch.no_grad():
            return Result(network.eval()(images).double(), {})
    output = network.train()(images)
    torch.autograd.backward(loss_of(output, read))
    gradients = {
        name: parameter.grad.double()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    return Result(output.detach().double(), gradients)


def _distance(one: Tensor, other: Tensor) -> float:
    scale = float(other.abs().max())
    return float((one - other).abs().max()) / scale if scale else 0.0


def _joined(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])
