"""How much faster is a 3x3 convolution on a GPU that computes alike patches once, and one of low rank?

    python benchmarks/gpu.py [--rounds 30] [--json]

bfloat16, channels_last, batch 64. Each form is captured in a CUDA graph, so that no form waits for
Python; in each round every form runs once, between CUDA events, and ratios are taken round by round.
Duplicates are planted as whole images: of 64 images at 75 %, 16 are distinct.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.similarity.separable import separable_projection
from mercuric.similarity.window_grid import WindowGrid
from mercuric.studies.machine import machine

BATCH = 64
BITS = 40
SHAPES = [(channels, side) for channels in (256, 512) for side in (28, 56)]
PLANTED = (0.0, 0.5, 0.75, 0.9)
WARM_UPS = 3

Forward = Callable[[], Tensor]
Step = Callable[[], object]


def planted_images(channels: int, side: int, duplicates: float) -> Tensor:
    """(64, channels, side, side), standard normal, of which ``duplicates`` repeat an earlier image."""
    distinct = round(BATCH * (1 - duplicates))
    images = torch.randn(distinct, channels, side, side, device="cuda", dtype=torch.bfloat16)
    chosen = torch.arange(BATCH, device="cuda") % distinct
    return images[chosen].contiguous(memory_format=torch.channels_last).requires_grad_()


def filters(count: int, channels: int, side: int) -> Tensor:
    """Filters that keep the variance, channels_last."""
    drawn = torch.randn(count, channels, side, side, device="cuda") / (channels * side * side) ** 0.5
    return drawn.to(torch.bfloat16).contiguous(memory_format=torch.channels_last).requires_grad_()


def reusing(images: Tensor, weight: Tensor) -> tuple[Forward, float]:
    """The convolution with reuse over the batch, and the share of windows that reuse a result."""
    from mercuric.reuse.alike.kernels.gpu.convolution import gpu_product

    batch, channels, height, width = images.shape
    grid = WindowGrid(height, width, (3, 3), (1, 1), (1, 1), 1, 1, (batch, height, width))
    drawn = separable_projection(channels, grid.taps, BITS)
    projection = type(drawn)(drawn.channels.cuda(), drawn.taps.cuda())
    _, _, computed = gpu_product(images, weight, None, projection, grid, 1)
    share = 1 - int(computed.count) / grid.windows
    return lambda: gpu_product(images, weight, None, projection, grid, 1)[0], share


def with_backward(forward: Forward, *inputs: Tensor) -> Step:
    """Forward and backward, without an optimiser."""
    gradient = torch.randn_like(forward())
    return lambda: torch.autograd.grad(forward(), inputs, gradient)


def without_gradient(forward: Forward) -> Step:
    """The forward pass alone."""

    def step() -> Tensor:
        with torch.no_grad():
            return forward()

    return step


def captured(step: Step) -> Step:
    """``step`` as a CUDA graph, tuned and warmed up."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def interleaved(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each step in each round."""
    graphs = {name: captured(step) for name, step in steps.items()}
    took: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, replay in graphs.items():
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            replay()
            end.record()
            end.synchronize()
            took[name].append(begin.elapsed_time(end))
    return took


def compared(dense: Forward, other: Forward, steps: tuple[Step, Step], rounds: int) -> dict[str, Any]:
    """Medians and quartiles of the forward pass and of forward and backward, and their ratios."""
    found = {}
    for kind, pair in {
        "forward": (without_gradient(dense), without_gradient(other)),
        "training": steps,
    }.items():
        took = interleaved(dict(zip(("dense", "other"), pair, strict=True)), rounds)
        ratios = [one / two for one, two in zip(took["dense"], took["other"], strict=True)]
        quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
        medians = {name: statistics.median(values) for name, values in took.items()}
        found[kind] = {
            "milliseconds": medians,
            "ratio": dict(zip(("q1", "median", "q3"), quartiles, strict=True)),
        }
    return found


def measure(channels: int, side: int, rounds: int) -> list[dict[str, Any]]:
    """Rows of one shape: reuse at each share of duplicates, and low rank."""
    rows = []
    weight = filters(channels, channels, 3)
    for planted in PLANTED:
        images = planted_images(channels, side, planted)
        forward, share = reusing(images, weight)

        def dense(images: Tensor = images) -> Tensor:
            return F.conv2d(images, weight, padding=1)

        steps = with_backward(dense, images, weight), with_backward(forward, images, weight)
        row = compared(dense, forward, steps, rounds)
        rows.append({"channels": channels, "side": side, "form": f"reuse {share:.0%}", "share": share, **row})
    rank = channels // 4
    narrow, wide = filters(rank, channels, 3), filters(channels, rank, 1)

    def low_rank() -> Tensor:
        return F.conv2d(F.conv2d(images, narrow, padding=1), wide)

    steps = with_backward(dense, images, weight), with_backward(low_rank, images, narrow, wide)
    row = compared(dense, low_rank, steps, rounds)
    return [*rows, {"channels": channels, "side": side, "form": f"rank {rank}", "share": None, **row}]


def as_table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table: milliseconds of dense and of the form, and the ratio's median and quartiles."""
    lines = [
        "| C = M | side | form | forward, ms | times faster | forward + backward, ms | times faster |",
        "|--:|--:|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [str(row["channels"]), str(row["side"]), row["form"]]
        for kind in ("forward", "training"):
            took, ratio = row[kind]["milliseconds"], row[kind]["ratio"]
            cells.append(f"{took['dense']:.3f} to {took['other']:.3f}")
            cells.append(f"{ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error(f"rounds was {arguments.rounds}, but a spread needs at least 2")
    if not torch.cuda.is_available():
        print("No CUDA device is here, and only one can say how fast its kernels are.", file=sys.stderr)
        return 2
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    rows = [row for shape in SHAPES for row in measure(*shape, arguments.rounds)]
    where = {**machine(), "gpu": torch.cuda.get_device_name()}
    print(json.dumps({"machine": where, "rows": rows}, indent=2) if arguments.json else as_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
