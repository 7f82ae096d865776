"""What is in a folder of exported products, and what do both sides say it costs?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercuric.accelerator import Accelerator, Simulation
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.accelerator.exports.form import Form
from mercuric.accelerator.exports.product import PASSES, ExportedProduct, Part
from mercuric.files.csv_text import csv_text
from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.studies.export.study import Exported

_README = """\
# {model} for {tool}

Products of one training step of {model} on {batch}, as `{command}` wrote them.

{how}
| file | what it holds |
|---|---|
| `dense-forward` | every layer's forward product |
| `dense-dO` | the gradients of layers' inputs; the first layer's isn't needed |
| `dense-dW` | the gradients of layers' weights, and of an attention's second operand |
| `remaining-...` | with recorded Hitmaps: what MERCURY computes, the vectors that don't reuse a result |
| `signature-forward` | with recorded Hitmaps: all vectors times the random filters |
| `manifest.csv` | a product a line, as below |
| `cycles.csv` | a layer and file a line: cycles here, and the simulator's where it ran |
| `export.json` | where it all comes from, totals, and what is left out |

A line of `manifest.csv`: file, product, the place of the layer's call, layer, pass and part; whether it is a
convolution; how often it is computed for each time that it stands in its file (`repeats`); what it is as
matrix products (`groups` times M x K times K x N); all of its multiply-accumulates (`macs`); the input
vectors of the layer (`vectors`), and the rows of them that are computed (`rows`).

Multiply-accumulates of the dense files: {macs:,}. {left_out}
"""


_COUNTED: Mapping[Part, str] = {"dense": "baseline", "remaining": "product", "signature": "signature"}
"""Which of our cycles are of a part; the baseline is that of whole layers, as other simulators count."""


def write_manifest(
    exported: Exported, form: Form, accelerator: Accelerator, command: str, folder: Path
) -> dict[str, Any]:
    """Write everything but the simulator's own files; returns what ``export.json`` holds."""
    figures: dict[str, Any] = {
        **exported.described, "to": form.name, "tool": form.tool, "accelerator": accelerator.name,
        "files": totals(exported, form), "left_out": _left_out(exported.simulation),
    }  # fmt: skip
    if any("tool_energy" in row for row in figures["files"]):
        figures["energy_unit"] = fitting(accelerator).unit
    write_text(folder / "manifest.csv", csv_text(_row(one, form) for one in exported.products))
    write_text(folder / "cycles.csv", csv_text(cycles_by_layer(exported, form)))
    write_text(folder / "export.json", json_text(figures))
    write_text(folder / "README.md", _readme(exported, form, command))
    return figures


def _row(one: ExportedProduct, form: Form) -> dict[str, Any]:
    groups, M, K, N = one.shape.matrices
    is_matrix = one.shape.size == one.shape.kernel == one.shape.output == (1, 1)
    return {
        "file": form.path(one), "product": one.name, "call": one.call, "layer": one.layer,
        "pass": PASSES[one.product], "part": one.part,
        "form": "matrix product" if is_matrix else "convolution",
        "repeats": form.repeats(one), "groups": groups, "M": M, "K": K, "N": N,
        "macs": one.macs, "vectors": one.vectors, "rows": one.rows,
    }  # fmt: skip


def cycles_by_layer(exported: Exported, form: Form) -> list[dict[str, Any]]:
    """A file and layer a row: ``mercuric_cycles``; and where the simulator ran ``tool_cycles`` and, where it
    says one, ``tool_energy``."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    counted = exported.simulation.counter.state_dict()["layers"]
    for one in exported.products:
        row = rows.setdefault(
            (one.file, one.layer),
            {
                "file": one.file, "layer": one.layer, "macs": 0,
                "mercuric_cycles": counted[one.layer]["fair"][one.product][_COUNTED[one.part]],
            },
        )  # fmt: skip
        row["macs"] += one.macs
        if one.name in exported.costs:
            cost, times = exported.costs[one.name], form.repeats(one)
            row["tool_cycles"] = row.get("tool_cycles", 0) + times * cost.cycles
            if cost.energy is not None:
                row["tool_energy"] = row.get("tool_energy", 0) + times * cost.energy
    return list(rows.values())


def totals(exported: Exported, form: Form) -> list[dict[str, Any]]:
    """A file a row, ready for JSON."""
    found: dict[str, dict[str, Any]] = {}
    for name, products in exported.files.items():
        found[name] = {"file": name, "products": len(products)}
    for row in cycles_by_layer(exported, form):
        into = found[row["file"]]
        for key in ("macs", "mercuric_cycles", "tool_cycles", "tool_energy"):
            if key in row:
                into[key] = into.get(key, 0) + row[key]
    return list(found.values())


def _left_out(simulation: Simulation) -> list[Mapping[str, Any]]:
    return [] if simulation.coverage is None else list(simulation.coverage["left_out"])


def _readme(exported: Exported, form: Form, command: str) -> str:
    described, left_out = exported.described, _left_out(exported.simulation)
    named = ", ".join(f"{one['operation']} in {one['layer']} ({one['share']:.1%})" for one in left_out)
    count = described.get("images", described.get("pairs"))
    return _README.format(
        model=described.get("model", "a network"), tool=form.tool, command=command, how=form.how,
        batch=f"{count} examples of {described.get('data', 'saved Hitmaps')}",
        macs=sum(one.macs for one in exported.products if one.part == "dense"),
        left_out=f"Left out of all files, with the share of the forward pass: {named}."
        if left_out else "No product of the network is left out.",
    )  # fmt: skip
