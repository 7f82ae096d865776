"""How does AccelForge read a product? As an Einsum of a workload.

Einsums share no tensor and no rank variable: products of a training step don't follow each other layer by
layer, and none is fused with another. Loops of one step are left out, but for images, filters and channels.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.engines.zigzag_description import loop_sizes
from mercuric.accelerator.exports.form import Files, Form
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.files.writing import write_text

_VARIABLES = {
    "G": "g", "B": "n", "K": "m", "C": "c", "OY": "p", "OX": "q", "FY": "r", "FX": "s",
}  # fmt: skip
_ALWAYS = ("B", "K", "C")
_WEIGHTS, _OUTPUTS = ("G", "K", "C", "FY", "FX"), ("G", "B", "K", "OY", "OX")
_INPUTS, _WINDOW = ("G", "B", "C"), (("Y", "OY", "FY"), ("X", "OX", "FX"))


def _path(product: ExportedProduct) -> str:
    return f"{product.file}.yaml"


def _write(files: Files, folder: Path, accelerator: Accelerator) -> None:
    for name, products in files.items():
        workload = {
            "bits_per_value": {"All": accelerator.word_bits},
            "einsums": [_einsum(one.shape, number) for number, one in enumerate(products, start=1)],
        }
        text = yaml.safe_dump({"workload": workload}, sort_keys=False, default_flow_style=None, width=110)
        write_text(folder / f"{name}.yaml", text)


def _einsum(layer: DenseLayer, number: int) -> dict[str, Any]:
    sizes = {loop: size for loop, size in loop_sizes(layer).items() if size > 1 or loop in _ALWAYS}
    variables = {loop: f"{_VARIABLES[loop]}{number}" for loop in sizes}

    def ranks(loops: tuple[str, ...]) -> dict[str, str]:
        return {variables[loop].upper(): variables[loop] for loop in loops if loop in sizes}

    inputs = ranks(_INPUTS)
    for (side, pixel, tap), step, gap in zip(_WINDOW, layer.stride, layer.dilation, strict=True):
        terms = [
            f"{times} * {variables[loop]}" for loop, times in ((pixel, step), (tap, gap)) if loop in sizes
        ]
        if terms:
            inputs[f"{side}{number}"] = " + ".join(terms)
    tensors = {"input": f"I{number}", "weight": f"W{number}", "output": f"O{number}"}
    return {
        "name": einsum_name(layer.name),
        "tensor_accesses": [
            {"name": tensors["input"], "projection": inputs},
            {"name": tensors["weight"], "projection": ranks(_WEIGHTS)},
            {"name": tensors["output"], "projection": ranks(_OUTPUTS), "output": True},
        ],
        "iteration_space_shape": [f"0 <= {variables[loop]} < {size}" for loop, size in sizes.items()],
        "renames": tensors,
    }


def einsum_name(name: str) -> str:
    """A product's name as an Einsum's: letters, digits and underscores, a letter first."""
    return f"p{re.sub('[^a-zA-Z0-9]+', '_', name)}"


ACCELFORGE = Form(
    name="accelforge",
    tool="AccelForge 1.0.467",
    how="""\
    pip install accelforge

    import accelforge
    spec = accelforge.Spec.from_yaml("your-architecture.yaml", "dense-forward.yaml")

Each file is a workload, each product an Einsum of an `input`, a `weight` and an `output`, as architectures
call them. The groups of a convolution, the heads of an attention and MERCURY's scopes are the rank G.
""",
    path=_path,
    write=_write,
)
