"""How does SCALE-Sim read a product? As a row of a topology.

A convolution of one image, with one stride for both directions and no dilation, is a row of its own form; any
other product is matrix products, which a topology of convolutions has as windows of one row. SCALE-Sim knows
no groups: a row stands for one of them.
"""

from pathlib import Path

from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.engines.scalesim import read_gemms, run_gemm, scalesim_dataflow
from mercuric.accelerator.engines.scalesim_files import CONV
from mercuric.accelerator.exports.form import Files, Form, ToolCost
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.files.writing import write_text
from mercuric.progress import Progress

_DEPTHWISE = "DP"
"""A name that holds this is taken for a depthwise layer's."""
_CONFIG = """\
[general]
run_name = {name}

[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {columns}
IfmapSramSzkB: {sram}
FilterSramSzkB: {sram}
OfmapSramSzkB: {sram}
IfmapOffset: 0
FilterOffset: 1000000000
OfmapOffset: 2000000000
Bandwidth: 10
Dataflow: {dataflow}
ReadRequestBuffer: 64
WriteRequestBuffer: 64

[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2

[sparsity]
SparsitySupport: false

[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""


def _path(product: ExportedProduct) -> str:
    return f"{product.file}.csv"


def _write(files: Files, folder: Path, accelerator: Accelerator) -> None:
    config = _CONFIG.format(
        name="".join(character if character.isalnum() else "-" for character in accelerator.name),
        rows=accelerator.rows,
        columns=accelerator.columns,
        sram=max(1, int(accelerator.buffer_kib / 3)),
        dataflow=scalesim_dataflow(accelerator),
    )
    write_text(folder / "array.cfg", config)
    write_text(folder / "layout.csv", "Layer name, no layer has a layout of its own,\n")
    for name, products in files.items():
        rows = [(_named(one.name), *_sizes(one.shape)) for one in products]
        lines = [("Layer name", *CONV), *rows]
        write_text(folder / f"{name}.csv", "".join(f"{', '.join(map(str, line))},\n" for line in lines))


def _named(name: str) -> str:
    return name.replace(_DEPTHWISE, _DEPTHWISE.lower())


def _sizes(layer: DenseLayer) -> tuple[int, ...]:
    """IFMAP height and width, filter height and width, channels, filters, stride."""
    if layer.is_plain:
        channels, filters = layer.channels // layer.groups, layer.filters // layer.groups
        return *layer.covered, *layer.kernel, channels, filters, layer.stride[0]
    _, M, K, N = layer.matrices
    return M, K, 1, K, 1, N, 1


def _groups(product: ExportedProduct) -> int:
    return product.shape.groups


def _costs(files: Files, folder: Path, accelerator: Accelerator, progress: Progress) -> dict[str, ToolCost]:
    gemms = {
        product.name: gemm
        for name, products in files.items()
        for product, gemm in zip(products, read_gemms(folder / f"{name}.csv"), strict=True)
    }
    cycles: dict[tuple[int, int, int], int] = {}
    distinct = set(gemms.values())
    for done, gemm in enumerate(sorted(distinct)):
        progress(done, len(distinct))
        cycles[gemm] = run_gemm(accelerator, *gemm).cycles
    progress(len(distinct), len(distinct))
    return {name: ToolCost(cycles[gemm]) for name, gemm in gemms.items()}


SCALESIM = Form(
    name="scalesim",
    tool="SCALE-Sim 3.0.0",
    how="""\
    pip install scalesim==3.0.0
    python -m scalesim.scale -c array.cfg -t dense-forward.csv -l layout.csv -i conv -p results

Each file of products is a topology of convolutions; a row whose filter is one row high and as wide as its
input is a matrix product, M windows of K elements and N filters. `manifest.csv` says how often a row is
computed (`repeats`): SCALE-Sim knows no groups, so that each group of a convolution, head of an attention or
scope of MERCURY is the same row again. It numbers cycles from 0: a row takes one more than it prints.
""",
    path=_path,
    write=_write,
    repeats=_groups,
    costs=_costs,
    package="scalesim",
)
