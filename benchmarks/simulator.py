"""How long does the cycle simulator take, and how much memory?

    python benchmarks/simulator.py [--part network --part saved ...] [--all] [--json]

ResNet-50 with random weights on 224x224 photographs, forward and both backward products, row stationary
(12 x 14 PEs). Aims on two cores: a photograph, Hitmaps included, under 30 s and 4 GiB; from saved Hitmaps
under 2 s. Every measurement runs in a process of its own, after a small network has compiled the kernels, and
its peak is that process's, PyTorch included. User seconds add up over threads: on a machine that others
use they say more than seconds.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from math import prod
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from torch import nn

from mercuric import zoo
from mercuric.accelerator import Accelerator, preset, simulate, simulate_saved
from mercuric.accelerator.count.layer_cycles import product_cycles
from mercuric.accelerator.engines.dense_layer import DenseLayer, read_layers
from mercuric.accelerator.engines.scalesim import run_gemm
from mercuric.accelerator.engines.zigzag import evaluate_layers
from mercuric.studies.machine import machine
from mercuric.studies.simulate.hitmaps import simulate_network
from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.subject import load_subject
from mercuric.trace.work import Work
from mercuric.trace.workload import read_workloads

SIZE = 224
DESIGNS = {design: preset("eyeriss-168").changed(design=design) for design in ("synchronous", "asynchronous")}
SYSTOLIC = preset("simple-weight-stationary")
IMAGES = (1, 2, 4)
LAYERS = (4, 8, 16)
FEW_LAYERS = 6
ENGINES = {"Mercuric": "mercuric", "SCALE-Sim": "scalesim", "ZigZag": "zigzag"}
"""Name and package; those that are not installed are left out."""
Figures = dict[str, Any]


def timed(work: Callable[[], Any]) -> tuple[Figures, Any]:
    """Seconds, user seconds of all threads, and the process's peak so far in MiB, beside what came out."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    user = after.ru_utime - before.ru_utime
    return {"seconds": seconds, "user_seconds": user, "peak_mib": after.ru_maxrss / 1024}, result


def warm_up() -> None:
    """Compile every kernel that the measurements call."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Flatten(), nn.Linear(4 * 36, 2))
    for accelerator in DESIGNS.values():
        simulate(network, torch.rand(2, 3, 8, 8), accelerator)


def network_part(folder: str, design: str, images: int = 1) -> list[Figures]:
    """ResNet-50, photograph by photograph, from pixels to cycles; keeps a single one's Hitmaps."""
    warm_up()
    loaded = load_subject(SubjectConfig(model="resnet50", image_size=SIZE), images, 1)
    figures, result = timed(lambda: simulate_network(loaded, DESIGNS[design]))
    photographs = "a photograph" if images == 1 else f"{images} photographs"
    if images == 1:
        simulate_network(loaded, DESIGNS[design], save=Path(folder, f"{design}.parquet"))
    return [
        {
            "what": f"{photographs}, Hitmaps included, {design}",
            "on": f"ResNet-50, {len(result.layers)} layers, {int(result.layers['vectors'].sum()):,} vectors",
            "speedup": result.speedup(),
            **figures,
        }
    ]


def saved_part(folder: str, design: str) -> list[Figures]:
    """The same from the file that :func:`network_part` kept."""
    warm_up()
    path = Path(folder, f"{design}.parquet")
    figures, result = timed(lambda: simulate_saved(path, DESIGNS[design]))
    size = path.stat().st_size / 2**20
    return [
        {
            "what": f"from saved Hitmaps, {design}",
            "on": f"ResNet-50, a photograph, a file of {size:.1f} MiB",
            "speedup": result.speedup(),
            **figures,
        }
    ]


def layers_part(_: str, layers: int) -> list[Figures]:
    """Equal layers one behind the other."""
    warm_up()
    torch.manual_seed(0)
    first = [nn.Conv2d(3, 64, 3, stride=4, padding=1), nn.ReLU()]
    equal = [part for _ in range(layers) for part in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())]
    loaded = load_subject(SubjectConfig(model="resnet50", image_size=SIZE), 1)
    photograph = next(iter(loaded.batches()))
    figures, _ = timed(lambda: simulate(nn.Sequential(*first, *equal), photograph))
    on = "3 x 3, 64 channels to 64, 56 x 56 pixels, of a photograph"
    return [{"what": f"{layers} equal layers, Hitmaps included, synchronous", "on": on, **figures}]


def engine_part(_: str, engine: str, every: bool) -> list[Figures]:
    """Dense forward cycles on one weight-stationary array: ours, SCALE-Sim's or ZigZag's."""
    with torch.device("meta"):
        network, image = zoo.build("resnet50", 7, 3, SIZE), torch.empty(1, 3, SIZE, SIZE)
    layers = read_layers(network, image)
    layers = layers if every else layers[:FEW_LAYERS]
    names = {layer.name for layer in layers}
    on = f"{'all' if every else 'the first'} {len(layers)} layers of ResNet-50, dense, forward, one image"

    def ours() -> int:
        works = [Work(one.shape) for one in read_workloads(network, image) if one.layer in names]
        return sum(product_cycles(SYSTOLIC, work)["fair"].baseline for work in works)

    def scalesim() -> int:
        return sum(layer.groups * _gemm(SYSTOLIC, layer) for layer in layers)

    def zigzag() -> float:
        return sum(cost.cycles for cost in evaluate_layers(layers, SYSTOLIC))

    count: dict[str, Callable[[], float]] = {"Mercuric": ours, "SCALE-Sim": scalesim, "ZigZag": zigzag}
    figures, cycles = timed(count[engine])
    return [{"what": f"{engine}, {SYSTOLIC.name}", "on": on, "cycles": int(cycles), **figures}]


def _gemm(accelerator: Accelerator, layer: DenseLayer) -> int:
    length = layer.channels // layer.groups * prod(layer.kernel)
    rows = layer.images * prod(layer.output)
    return run_gemm(accelerator, rows, length, layer.filters // layer.groups).cycles


def plan(parts: list[str], every: bool) -> list[tuple[Callable[..., list[Figures]], tuple[Any, ...]]]:
    """What runs in which order."""
    calls: dict[str, list[tuple[Callable[..., list[Figures]], tuple[Any, ...]]]] = {
        "network": [(network_part, (design,)) for design in DESIGNS],
        "saved": [(saved_part, (design,)) for design in DESIGNS],
        "images": [(network_part, ("synchronous", images)) for images in IMAGES[1:]],
        "layers": [(layers_part, (layers,)) for layers in LAYERS],
        "engines": [(engine_part, (name, every)) for name, package in ENGINES.items() if find_spec(package)],
    }
    return [call for part in calls for call in calls[part] if part in parts]


PARTS = ("network", "saved", "images", "layers", "engines")


def measure(parts: list[str], every: bool) -> list[Figures]:
    """Run each measurement in a process of its own."""
    if "saved" in parts and "network" not in parts:
        parts = ["network", *parts]
    rows: list[Figures] = []
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as one,
    ):
        for part, arguments in plan(parts, every):
            rows += one.submit(part, folder, *arguments).result()
    return rows


def show(rows: list[Figures]) -> Table:
    """A row a measurement."""
    known = machine()
    about = f"{known['processor']}, {known['cores']} cores, {torch.get_num_threads()} threads of PyTorch"
    table = Table(box=SIMPLE_HEAD, title="The cycle simulator", caption=about)
    for head in ("what", "measured on"):
        table.add_column(head, overflow="fold")
    for head in ("seconds", "user", "peak", "said"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        said = f"{row['cycles']:,} cycles" if "cycles" in row else ""
        table.add_row(
            row["what"],
            row["on"],
            f"{row['seconds']:.2f} s",
            f"{row['user_seconds']:.2f} s",
            f"{row['peak_mib']:,.0f} MiB",
            f"{row['speedup']:.3f}x" if "speedup" in row else said,
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--part", action="append", choices=PARTS, help="what is measured; all by default")
    parser.add_argument("--all", action="store_true", help="engines count all layers: minutes")
    options = parser.parse_args()
    rows = measure(options.part or list(PARTS), options.all)
    if options.json:
        print(json.dumps({"machine": machine(), "measurements": rows}, indent=2))
        return
    Console().print(show(rows))


if __name__ == "__main__":
    main()
