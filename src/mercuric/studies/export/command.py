"""``mercuric export``: a network's training workload for another simulator."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.exports.form import Form
from mercuric.accelerator.exports.formats import FORMS, form_of
from mercuric.errors import ArgumentError
from mercuric.files.writing import new_folder
from mercuric.page import formats
from mercuric.studies.export.manifest import write_manifest
from mercuric.studies.export.study import Exporting, Hitmaps, Network, Source
from mercuric.studies.export.study import export as run_export
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import ExamplesConfig, shown_name
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars

_IMAGES = 1


def export(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help=f"{options.NETWORK}.")] = None,
    *,
    to: Annotated[str, typer.Option(help=f"The simulator: {', '.join(FORMS)}.")],
    out: Annotated[
        Path | None, typer.Option(help="A new folder; runs/export-MODEL-SIMULATOR by default.")
    ] = None,
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    images: Annotated[
        int | None, typer.Option(help=f"Images or pairs of the batch; {_IMAGES} by default.")
    ] = None,
    image_size: options.ImageSize = None,
    data_root: options.DataRoot = None,
    weights: Annotated[str | None, typer.Option(help=options.WEIGHTS)] = None,
    seed: Annotated[int | None, typer.Option(help="What random weights are drawn from.")] = None,
    accelerator: Annotated[
        str | None, typer.Option(help="The hardware, by name or YAML file; weight-168 by default.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE of the accelerator; repeatable.")
    ] = None,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Record Hitmaps; export what they leave and signatures too.")
    ] = False,
    hitmaps: Annotated[
        Path | None, typer.Option(help="Saved Hitmaps, Parquet or a folder of CSV: no network runs.")
    ] = None,
    config: options.ReuseFile = None,
    inference: options.Inference = False,
    engine: Annotated[bool, typer.Option("--engine", help="Run the simulator, and show its cycles.")] = False,
    as_json: options.AsJson = False,
) -> None:
    of_network: dict[str, Any] = {
        "data": data, "images": images, "image_size": image_size, "data_root": data_root,
        "weights": weights, "seed": seed, "model_args": options.parse_model_args(model_args) or None,
    }  # fmt: skip
    how = Exporting(
        form_of(to), options.chosen_accelerator(accelerator or "weight-168", None, settings or []),
        options.simulated_reuse(config), not inference, engine,
    )  # fmt: skip
    source = _source(model, of_network, reuse, hitmaps)
    how.check()
    folder = out or Path("runs") / f"export-{shown_name(model or str(hitmaps))}-{to}"
    with new_folder(folder) as temporary, bars() as progress:
        exported = run_export(source, how, temporary, progress)
        command = store_command(temporary, context)
        figures = write_manifest(exported, how.form, how.accelerator, command, temporary)
    show(as_json, {**figures, "out": str(folder)}, _table(figures, how.form), f"{folder}/README.md")


def _source(model: str | None, of_network: dict[str, Any], reuse: bool, hitmaps: Path | None) -> Source:
    given = {name: value for name, value in of_network.items() if value is not None}
    if hitmaps is not None:
        for name in (*given, *(["reuse"] if reuse else [])):
            raise ArgumentError(f"{name} was given, but no network runs with --hitmaps")
        return Hitmaps(hitmaps, model)
    if model is None:
        raise ArgumentError("model was not given, but a network or --hitmaps must be")
    return Network(ExamplesConfig(**{"model": model, "images": _IMAGES, **given}), reuse)


def _table(figures: dict[str, Any], form: Form) -> Table:
    """A file a row."""
    ran = any("tool_cycles" in row for row in figures["files"])
    tool = form.tool.split(",")[0]
    heads = ["products", "MACs", "cycles, Mercuric", *([f"cycles, {tool}", "ratio"] if ran else [])]
    spent = figures.get("energy_unit")
    caption = f"on {figures['accelerator']}; dense: the baseline of whole layers"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=Text(caption))
    table.add_column("file")
    for head in (*heads, *([f"energy in {spent}"] if spent else [])):
        table.add_column(head, justify="right", no_wrap=True)
    for row in figures["files"]:
        own, other = row["mercuric_cycles"], row.get("tool_cycles")
        cells = [str(row["products"]), formats.count(row["macs"]), f"{own:,.0f}"]
        cells += [f"{other:,.0f}", formats.ratio(other / own if own else None)] if other is not None else []
        cells += [formats.count(row["tool_energy"])] if spent else []
        table.add_row(*map(Text, (row["file"], *cells)))
    return table
