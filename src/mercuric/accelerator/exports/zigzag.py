"""How does ZigZag read a product? As a convolution's eight loops, in a workload of YAML.

The array and its mapping of each product are written beside it, as :mod:`mercuric.accelerator.engines`
describes them. No product waits for another one: the passes of a training step don't follow layer by layer.
"""

from pathlib import Path
from typing import Any

import yaml

from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.accelerator.engines.dense_layer import DenseLayer, matrix_products
from mercuric.accelerator.engines.zigzag import evaluate_nodes, mapping_entries
from mercuric.accelerator.engines.zigzag_description import (
    hardware_description,
    spatial_mapping,
    workload_description,
)
from mercuric.accelerator.exports.form import Files, Form, ToolCost
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.files.writing import write_text
from mercuric.progress import Progress

_ACCELERATOR, _MAPPING = "accelerator.yaml", "mapping.yaml"


def _path(product: ExportedProduct) -> str:
    return f"{product.file}.yaml"


def _write(files: Files, folder: Path, accelerator: Accelerator) -> None:
    _write_yaml(folder / _ACCELERATOR, hardware_description(accelerator, fitting(accelerator)))
    mappings: list[dict[str, Any]] = []
    for name, products in files.items():
        nodes = []
        for number, one in enumerate(products):
            layer = _fitting(one.shape, accelerator)
            node = workload_description(layer, accelerator.word_bits)
            nodes.append(
                node | {"id": number, "name": one.name, "operand_source": {"I": number, "W": number}}
            )
            mappings += mapping_entries([one.name], spatial_mapping(layer, accelerator))
        _write_yaml(folder / f"{name}.yaml", nodes)
    _write_yaml(folder / _MAPPING, [*mappings, {**mappings[0], "name": "default"}])


def _fitting(layer: DenseLayer, accelerator: Accelerator) -> DenseLayer:
    """As matrix products where PE sets are made of a window's rows and the array has fewer."""
    if accelerator.dataflow == "row" and layer.kernel[0] > accelerator.rows:
        return matrix_products(layer.name, *layer.matrices)
    return layer


def _write_yaml(path: Path, content: object) -> None:
    # ZigZag reads memories in the order of the file, from the PE outwards.
    write_text(path, yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=110))


def _costs(files: Files, folder: Path, _: Accelerator, progress: Progress) -> dict[str, ToolCost]:
    nodes = [node for name in files for node in yaml.safe_load((folder / f"{name}.yaml").read_text())]
    costs = evaluate_nodes(nodes, folder / _ACCELERATOR, folder / _MAPPING, progress)
    return {node["name"]: ToolCost(cost.cycles, cost.energy) for node, cost in zip(nodes, costs, strict=True)}


ZIGZAG = Form(
    name="zigzag",
    tool="ZigZag 3.9.1",
    how="""\
    pip install zigzag-dse==3.9.1 six

    from zigzag.api import get_hardware_performance_zigzag

    energy, cycles, each = get_hardware_performance_zigzag(
        "dense-forward.yaml", "accelerator.yaml", "mapping.yaml", opt="energy", lpf_limit=6
    )

`mapping.yaml` says for each product by its name which loops lie side by side on the array. The groups of a
convolution, the heads of an attention and MERCURY's scopes are the loop G.
""",
    path=_path,
    write=_write,
    costs=_costs,
    package="zigzag",
)
