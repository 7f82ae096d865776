"""How long does one layer take, densely and in other forms, on given inputs?"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd, nan
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mercuric.reuse import Alike, Directions, ReuseConfig, ReuseHandle, fit_directions_, reuse_
from mercuric.reuse.directions.pointwise import pointwise
from mercuric.reuse.layer_kinds import filters_of
from mercuric.studies.bench.interleaved import Function, Timings
from mercuric.studies.bench.settings import BenchSettings

Pass = Literal["forward", "forward + backward"]
DENSE, COMPILED, AS_CONVOLUTION = "dense", "dense, compiled", "dense, as 1x1 convolution"
WARM_UPS = 2
"""The first pass compiles kernels, the second is an ordinary one."""
LEAST = 0.02
"""Seconds of a measurement: several times what a scheduler's slice takes off a short function."""


@dataclass(frozen=True)
class Form:
    """One layer in one form.

    Attributes:
        layer: computes it.
        handle: where it is not dense.
    """

    layer: nn.Module
    handle: ReuseHandle | None = None

    @property
    def facts(self) -> dict[str, float]:
        """Share of HITs, relative output error and directions; NaN where there are none."""
        if self.handle is None:
            return {"hits": nan, "error": nan, "rank": nan}
        row = self.handle.report().iloc[0]
        hits = row["HIT"] / row["vectors"] if row["vectors"] else nan
        return {"hits": float(hits), "error": float(row["error"]), "rank": float(row.get("rank", nan))}


class AsConvolution(nn.Module):
    """A fully connected layer as a 1x1 convolution of its rows, which may be faster than ``nn.Linear``.

    Reuse multiplies that way, so that its gain over ``nn.Linear`` alone would not all be due to reuse.

    Args:
        linear: shares its parameters.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, rows: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        images = gcd(rows.numel() // rows.shape[-1], 16)
        image = rows.reshape(images, 1, -1, rows.shape[-1]).permute(0, 3, 1, 2)
        output = pointwise(image, self.weight, self.bias)
        return output.permute(0, 2, 3, 1).reshape(*rows.shape[:-1], -1)


def reuse_config(bits: int) -> Alike:
    """Whole patches that reuse each other's results, by the fast kernels."""
    return Alike(
        bits=bits, granularity="patch", projection="separable", magnitude=None, entries=None, adaptation=None
    )


def time_layer(
    dense: nn.Module,
    inputs: Tensor,
    configs: Mapping[str, ReuseConfig],
    settings: BenchSettings,
) -> list[dict[str, Any]]:
    """Time ``dense`` and its forms in turn, forward alone and with the backward pass.

    Args:
        dense: a convolution or fully connected layer.
        inputs: what it reads; images are taken channels_last.
        configs: a form's name to how it reuses.
        settings: how to measure.

    Returns:
        A row a form and pass: ``form``, ``pass``, ``hits``, ``error``, ``rank``, and :func:`timed_row`'s.
    """
    torch.manual_seed(settings.seed)
    dense, inputs = _channels_last(copy.deepcopy(dense), inputs)
    forms = {DENSE: Form(dense), **{name: _form(dense, config, inputs) for name, config in configs.items()}}
    layers: dict[str, Function | nn.Module] = {name: form.layer for name, form in forms.items()}
    if settings.compiled:
        layers = {DENSE: dense, COMPILED: torch.compile(dense), **layers}
    if isinstance(dense, nn.Linear):
        layers = {DENSE: dense, AS_CONVOLUTION: AsConvolution(dense), **layers}
    rows = []
    for kind, make in (("forward", _forward), ("forward + backward", _training)):
        functions = {name: make(layer, inputs, settings) for name, layer in layers.items()}
        timings = settings.time(functions, WARM_UPS, LEAST)
        for name, form in forms.items():
            rows.append({"form": name, "pass": kind, **form.facts, **timed_row(timings, name)})
    return rows


def timed_row(timings: Timings, name: str) -> dict[str, Any]:
    """Milliseconds of the strongest dense form and of ``name``, and its speed-up, with quartiles.

    ``dense_form`` says which form of dense that was.
    """
    baselines = [dense for dense in (DENSE, COMPILED, AS_CONVOLUTION) if dense in timings.seconds]
    strongest = timings.fastest(*baselines)
    took, dense = timings.milliseconds(name), timings.milliseconds(strongest)
    ratio = timings.speedup(name, strongest)
    return {
        "dense_form": strongest, "dense_ms": dense.median,
        "ms": took.median, "ms_q1": took.q1, "ms_q3": took.q3,
        "speedup": ratio.median, "speedup_q1": ratio.q1, "speedup_q3": ratio.q3,
    }  # fmt: skip


def with_limits(rows: list[dict[str, Any]], layer: nn.Module) -> list[dict[str, Any]]:
    """The rows with the ``limit`` that the saved multiplications set, and ``efficiency`` against it.

    1 / (1 - hits) for reuse, 1 / (rank / filters + rank / length) for directions.
    """
    filters = filters_of(layer)
    return [{**row, **_limit(row, len(filters), filters[0].numel())} for row in rows]


def _limit(row: dict[str, Any], filters: int, length: int) -> dict[str, float]:
    rank, hits = row["rank"], row["hits"]
    limit = nan
    if rank > 0:
        limit = 1 / (rank / filters + rank / length)
    elif row["form"] != DENSE and 0 <= hits < 1:
        limit = 1 / (1 - hits)
    return {"limit": limit, "efficiency": row["speedup"] / limit}


def _channels_last(layer: nn.Module, inputs: Tensor) -> tuple[nn.Module, Tensor]:
    if inputs.dim() != 4:
        return layer, inputs.detach()
    placed = inputs.detach().contiguous(memory_format=torch.channels_last)
    return layer.to(memory_format=torch.channels_last), placed  # type: ignore[call-overload]


def _form(dense: nn.Module, config: ReuseConfig, inputs: Tensor) -> Form:
    holder = nn.Sequential(copy.deepcopy(dense))
    handle = reuse_(holder, config)
    if isinstance(config, Directions):
        fit_directions_(holder, handle, [inputs])
    return Form(holder, handle)


def _forward(layer: Any, inputs: Tensor, settings: BenchSettings) -> Function:
    def run() -> Tensor:
        with torch.no_grad(), settings.autocast():
            output: Tensor = layer(inputs)
            return output

    return run


def _training(layer: Any, inputs: Tensor, settings: BenchSettings) -> Function:
    given = inputs.detach().clone().requires_grad_()
    sought = [given, *(parameter for parameter in layer.parameters() if parameter.requires_grad)]
    gradient: list[Tensor] = []

    def run() -> object:
        with settings.autocast():
            output: Tensor = layer(given)
        if not gradient:
            gradient.append(torch.randn_like(output))
        return torch.autograd.grad(output, sought, gradient[0])

    return run
