"""How does Timeloop read a product? As a problem of version 0.4, a file each.

A product without groups has the seven dimensions of Timeloop's own layers of convolutions, by which
constraints of published architectures go: N images, C channels, M filters, P and Q pixels across and down, R
and S elements of the kernel. One with groups has G before them.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.engines.zigzag_description import loop_sizes
from mercuric.accelerator.exports.form import Files, Form
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.files.writing import write_text

_LOOPS: Mapping[str, str] = MappingProxyType(
    {"C": "C", "M": "K", "R": "FX", "S": "FY", "N": "B", "P": "OX", "Q": "OY"}
)
"""Timeloop's dimensions, and what ZigZag calls them."""
_COEFFICIENTS = ("Wstride", "Hstride", "Wdilation", "Hdilation")
_WINDOW = (("R", "Wdilation", "P", "Wstride"), ("S", "Hdilation", "Q", "Hstride"))


def _path(product: ExportedProduct) -> str:
    return f"{product.file}/{product.name}.yaml"


def _write(files: Files, folder: Path, _: Accelerator) -> None:
    for products in files.values():
        for one in products:
            text = yaml.safe_dump(
                {"problem": _problem(one.shape)}, sort_keys=False, default_flow_style=None, width=110
            )
            write_text(folder / _path(one), text)


def _problem(layer: DenseLayer) -> dict[str, Any]:
    group = [] if layer.groups == 1 else ["G"]
    loops, (down, across), (rows, columns) = loop_sizes(layer), layer.stride, layer.dilation
    windows = [[[tap, gap], [pixel, step]] for tap, gap, pixel, step in _WINDOW]
    spaces = {
        "Weights": [[[name]] for name in (*group, "C", "M", "R", "S")],
        "Inputs": [*([[name]] for name in (*group, "N", "C")), *windows],
        "Outputs": [[[name]] for name in (*group, "N", "M", "Q", "P")],
    }
    data_spaces: list[dict[str, Any]] = [{"name": name, "projection": each} for name, each in spaces.items()]
    data_spaces[-1]["read_write"] = True
    sizes = {**{name: loops[name] for name in group}, **{name: loops[loop] for name, loop in _LOOPS.items()}}
    return {
        "version": 0.4,
        "shape": {
            "name": layer.name,
            "dimensions": list(sizes),
            "coefficients": [{"name": name, "default": 1} for name in _COEFFICIENTS],
            "data_spaces": data_spaces,
        },
        "instance": {
            **sizes, **dict(zip(_COEFFICIENTS, (across, down, columns, rows), strict=True)),
        },
    }  # fmt: skip


TIMELOOP = Form(
    name="timeloop",
    tool="Timeloop, version 0.4 of its files",
    how="""\
    timeloop-mapper arch.yaml mapper.yaml dense-forward/001-*.yaml -o results

or `timeloopfe.v4.Specification.from_yaml_files("arch.yaml", ..., "dense-forward/001-....yaml")`.
Architecture, mapper and constraints are yours: each file is one `problem`. The groups of a convolution, the
heads of an attention and MERCURY's scopes are the dimension G.
""",
    path=_path,
    write=_write,
)
