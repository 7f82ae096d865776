"""How long do several forms of one computation take in turn, on a GPU?"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mercuric.studies.bench.interleaved import Spread, Timings, interleaved

Forward = Callable[[], Tensor]
Step = Callable[[], object]
DENSE = "dense"
WARM_UPS = 3


@dataclass(frozen=True)
class Settings:
    """Where and how often.

    Attributes:
        device: a GPU; a processor, to see that everything runs.
        rounds: measurements of each form.
        quick: small shapes, and one of each.
    """

    device: torch.device
    rounds: int
    quick: bool

    @property
    def dtype(self) -> torch.dtype:
        """bfloat16, which a processor's convolutions without matrix units emulate slowly."""
        return torch.bfloat16 if self.device.type == "cuda" else torch.float32

    def autocast(self) -> AbstractContextManager[object]:
        """Within the block networks compute in :attr:`dtype`."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype == torch.bfloat16)

    def drawn(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Standard normal values times a scale, channels_last where they are images, with a gradient."""
        values = torch.randn(shape, device=self.device).mul_(scale).to(self.dtype)
        if len(shape) == 4:
            values = values.contiguous(memory_format=torch.channels_last)
        return values.requires_grad_()

    def filters(self, count: int, channels: int, side: int) -> Tensor:
        """Filters that keep the variance."""
        return self.drawn(count, channels, side, side, scale=(channels * side * side) ** -0.5)


def without_gradient(forward: Forward) -> Step:
    """The forward pass alone."""

    def step() -> Tensor:
        with torch.no_grad():
            return forward()

    return step


def with_backward(forward: Forward, inputs: Sequence[Tensor]) -> Step:
    """Forward and backward, without an optimizer."""
    gradient = torch.randn_like(forward())
    return lambda: torch.autograd.grad(forward(), inputs, gradient)


def compared(
    section: str,
    case: str,
    forms: Mapping[str, tuple[Forward, Sequence[Tensor]]],
    settings: Settings,
    as_graph: bool = True,
) -> list[dict[str, Any]]:
    """A row for each form but the first: forward, and forward and backward, in turn with the first.

    Args:
        section: what is timed.
        case: on what.
        forms: name to the forward pass and what has a gradient; the first is dense.
        settings: device and rounds.
        as_graph: whether each form is captured in a CUDA graph, so that none waits for Python.
    """
    kinds = {
        "forward": {name: without_gradient(forward) for name, (forward, _) in forms.items()},
        "training": {name: with_backward(*form) for name, form in forms.items()},
    }
    timed = {kind: in_turn(steps, settings, as_graph) for kind, steps in kinds.items()}
    return as_rows(section, case, timed)


def as_rows(section: str, case: str, timed: dict[str, Timings]) -> list[dict[str, Any]]:
    """A row for each form but the first, of each kind of pass: milliseconds, and the ratio's quartiles."""
    names = list(next(iter(timed.values())).seconds)
    rows = []
    for name in names[1:]:
        row: dict[str, Any] = {"section": section, "case": case, "form": name}
        for kind, times in timed.items():
            row[kind] = {
                "dense_milliseconds": times.milliseconds(names[0]).median,
                "milliseconds": times.milliseconds(name).median,
                "ratio": vars(times.speedup(name)),
            }
        rows.append(row)
    return rows


def fitting(case: str, rows: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows, or none and a sentence where the case needs more memory than the GPU has."""
    try:
        return rows()
    except torch.cuda.OutOfMemoryError:
        print(f"{case} didn't fit in the GPU's memory.", file=sys.stderr)
        torch.cuda.empty_cache()
        return []


def in_turn(steps: dict[str, Step], settings: Settings, as_graph: bool = True) -> Timings:
    """Seconds of each step in each round."""
    if settings.device.type != "cuda":
        return interleaved(steps, settings.rounds, WARM_UPS)
    ready = {name: _captured(step) if as_graph else _warm(step) for name, step in steps.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(settings.rounds):
        for name, step in ready.items():
            seconds[name].append(_between_events(step))
    return Timings(seconds)


def shown(row: dict[str, Any]) -> str:
    """A row of a Markdown table."""
    cells = [row["case"], row["form"]]
    for kind in ("forward", "training"):
        if kind not in row:
            cells += ["", ""]
            continue
        own, ratio = row[kind], Spread(**row[kind]["ratio"])
        cells.append(f"{own['dense_milliseconds']:.3f} to {own['milliseconds']:.3f}")
        cells.append(f"{ratio.median:.2f} ({ratio.q1:.2f} to {ratio.q3:.2f})")
    return f"| {' | '.join(cells)} |"


def _warm(step: Step) -> Step:
    for _ in range(WARM_UPS):
        step()
    return step


def _captured(step: Step) -> Step:
    """``step`` as a CUDA graph, tuned and warmed up."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        _warm(step)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def _between_events(step: Step) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    step()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000
