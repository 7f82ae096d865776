"""From which share of equal vectors on is a layer faster by classes?"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from mercuric.reuse.equal.kernels import Window, class_convolution, expand, window_classes
from mercuric.reuse.equal.kernels.class_table import ClassTable
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.precision import HALF

_MULTIPLICATIONS = 2**29
_FEWEST, _MOST = 2**10, 2**14  # positions
_ROUNDS = 4
_MANY, _FEW = 2, 16
"""Neighbours that are equal where classes are many, and where they are few."""
_LARGER = 4
"""In half precision a sample is so many times as large: what a call takes whatever its size counts more."""


@dataclass(frozen=True)
class Speed:
    """Seconds that a layer's passes take on this machine, with a function of each number (ReLU) behind it, as
    nearly every layer has one.

    Attributes:
        position: densely, of one output position.
        row: by classes, of one class, with what a class that was not met before takes longer to find.
        table: of finding one position's class among those that were met.
        expansion: of writing one position's output densely, for what does not go by classes.
    """

    position: float
    row: float
    table: float
    expansion: float


@dataclass(frozen=True)
class Trial:
    """All that a layer's speed depends on: layers that are alike share a measurement.

    Attributes:
        images: (N, C, H, W), of a sample of a layer's images.
        filters: (M, C / groups, rows, columns).
        filter_format: of these.
        dtype: of the product.
        device: of all.
        geometry: of the layer.
        window: its kernel.
        format: of dense images.
        backward: whether gradients are taken.
        inputs: whether also those of the images.
        threads: that share the work.
    """

    images: tuple[int, int, int, int]
    filters: tuple[int, ...]
    filter_format: torch.memory_format
    dtype: torch.dtype
    device: torch.device
    geometry: ConvGeometry
    window: Window
    format: torch.memory_format
    backward: bool
    inputs: bool
    threads: int

    def full(self, shape: Sequence[int], needs_gradient: bool) -> Tensor:
        """A tensor of one number."""
        return torch.full(shape, 0.5, dtype=self.dtype, device=self.device, requires_grad=needs_gradient)


def convolution_speed(
    shape: Sequence[int],
    filters: Tensor,
    geometry: ConvGeometry,
    window: Window,
    format: torch.memory_format,  # noqa: A002 - as PyTorch's
    backward: bool,
    inputs: bool,
) -> Speed:
    """Measured, once, on a map like the images', of whose vectors half differ; its table also where few do.

    Args:
        shape: of the images, (N, C, H, W).
        filters: (M, C / groups, rows, columns), of the dtype of the product.
        geometry: of the layer.
        window: its kernel.
        format: of dense images.
        backward: whether gradients are taken.
        inputs: whether also those of the images.
    """
    larger = _LARGER if filters.dtype in HALF else 1
    affordable = larger * _MULTIPLICATIONS // max(1, filters.numel())
    sample = _sample(shape, window, max(larger * _FEWEST, min(_MOST, affordable)))
    alike = (geometry, window, format, backward, inputs, torch.get_num_threads())
    return measured(
        Trial(sample, tuple(filters.shape), _format_of(filters), filters.dtype, filters.device, *alike)
    )


@lru_cache(maxsize=4096)
def measured(trial: Trial) -> Speed:
    """The speed of a layer on a sample of its images."""
    count, channels, height, width = trial.images
    weight = trial.full(trial.filters, False).contiguous(memory_format=trial.filter_format)
    weight.requires_grad_(trial.backward)
    needed = trial.backward and trial.inputs
    given = trial.full(trial.images, False).contiguous(memory_format=trial.format).requires_grad_(needed)
    places = torch.arange(count * height * width, dtype=torch.int32, device=trial.device)
    many, few = ((places // alike).view(count, height, width) for alike in (_MANY, _FEW))
    rows = trial.full((int(many.max()) + 1, channels), needed)
    table, other = _table(many, trial.window), _table(few, trial.window)
    positions = table.ids.numel()
    members = table.members[: max(16, positions // _MANY)].contiguous()
    output = trial.full((table.classes, len(weight)), trial.backward)

    def densely() -> Tensor:
        return F.relu(trial.geometry.dense(given, weight, None))

    def by_classes() -> Tensor:
        return F.relu(class_convolution(rows, weight, None, members, trial.geometry.groups))

    def many_found() -> Tensor:
        return _table(many, trial.window).ids

    def few_found() -> Tensor:
        return _table(few, trial.window).ids

    def expanded() -> Tensor:
        return expand(output, table.ids)

    # What watches operators, as the first pass of a model is watched, takes its time at each.
    with (
        _disable_current_modes(),
        torch.autocast(weight.device.type, enabled=False),
        torch.set_grad_enabled(trial.backward),
    ):
        dense, product, slow, fast, written = _fastest(
            weight.device, densely, by_classes, many_found, few_found, expanded
        )
    new = max(0.0, slow - fast) / max(1, table.classes - other.classes)
    met = max(fast - new * other.classes, 0.0)
    return Speed(dense / positions, product / len(members) + new, met / positions, written / positions)


def _table(ids: Tensor, window: Window) -> ClassTable:
    found = window_classes(ids, window)
    assert found is not None  # noqa: S101 - nothing was to be given up
    return found


def _format_of(filters: Tensor) -> torch.memory_format:
    channels_last = filters.is_contiguous(memory_format=torch.channels_last) and not filters.is_contiguous()
    return torch.channels_last if channels_last else torch.contiguous_format


def _sample(shape: Sequence[int], window: Window, positions: int) -> tuple[int, int, int, int]:
    """Of a map, so many images and lines that it has about so many positions of windows.

    Maps of nearly the same sides share a sample: images of a hundred sizes are not a hundred measurements.
    """
    images, channels, height, width = shape[0], shape[1], _rounded(shape[2]), _rounded(shape[3])
    down, across = window.output(height, width)
    lines = min(down, -(-positions // across))
    span = window.dilation[0] * (window.kernel[0] - 1) + 1
    needed = (lines - 1) * window.stride[0] + span - window.padding[0] - window.padding[1]
    count = max(1, min(images, positions // (lines * across)))
    return count, channels, min(height, max(needed, 1)), width


def _rounded(side: int) -> int:
    """Up to the next of four sides an octave: 8, 10, 12, 14, 16, 20, ..."""
    step = 1 << max(0, (side - 1).bit_length() - 3)
    return -(-side // step) * step


def clock(device: torch.device) -> Callable[[], float]:
    """What tells seconds: the processor's where one thread works, whatever else the machine does."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def _fastest(device: torch.device, *passes: Callable[[], Tensor]) -> list[float]:
    """Seconds of each, with its backward pass: the least of some rounds that take turns."""
    now = clock(device)
    best = [float("inf")] * len(passes)
    for turn in range(_ROUNDS + 1):
        for place, run in enumerate(passes):
            begun = now()
            output = run()
            if output.requires_grad:
                torch.autograd.backward(output, torch.ones_like(output))
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:
                best[place] = min(best[place], now() - begun)
    return best
