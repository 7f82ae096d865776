"""How does STONNE read a product? As a line of its command, so that a file is a script.

It convolves one image at a time, with one stride for both directions and no dilation; any other product is a
dense matrix product, and a line stands for one of them.
"""

from pathlib import Path

from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.exports.form import Files, Form
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.files.writing import write_text

_PORTS = 64
_SCRIPT = """\
#!/bin/sh
# STONNE and HARDWARE may be set to other ones: num_ms, dn_bw and rn_bw must be powers of 2.
STONNE=${{STONNE:-./stonne}}
HARDWARE=${{HARDWARE:--num_ms={multipliers} -dn_bw={ports} -rn_bw={ports} -accumulation_buffer=1}}
TILES=${{TILES:--generate_tile=performance}}
"""


def _path(product: ExportedProduct) -> str:
    return f"{product.file}.sh"


def _write(files: Files, folder: Path, accelerator: Accelerator) -> None:
    multipliers = 1 << max(1, accelerator.pes.bit_length() - 1)
    head = _SCRIPT.format(multipliers=multipliers, ports=min(_PORTS, multipliers))
    for name, products in files.items():
        lines = [
            f"$STONNE {_operation(one.shape)} -layer_name={one.name} $HARDWARE $TILES\n" for one in products
        ]
        write_text(folder / f"{name}.sh", head + "".join(lines))


def _operation(layer: DenseLayer) -> str:
    if not layer.is_plain:
        _, M, K, N = layer.matrices
        return f"-DenseGEMM -M={M} -N={N} -K={K}"
    (rows, columns), (height, width) = layer.kernel, layer.covered
    return (
        f"-CONV -R={rows} -S={columns} -C={layer.channels} -K={layer.filters} -G={layer.groups} -N=1 "
        f"-X={height} -Y={width} -strides={layer.stride[0]}"
    )


def _repeats(product: ExportedProduct) -> int:
    return 1 if product.shape.is_plain else product.shape.groups


STONNE = Form(
    name="stonne",
    tool="STONNE, its command line",
    how="""\
    STONNE=/path/to/stonne sh dense-forward.sh

Each line runs one product and leaves its statistics as JSON, by the product's name. `manifest.csv` says how
often a line is computed (`repeats`): heads of an attention, scopes of MERCURY, and groups of a convolution
that is not of one image, are the same line again.
""",
    path=_path,
    write=_write,
    repeats=_repeats,
)
