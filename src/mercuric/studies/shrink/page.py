"""Which narrower networks are worth their accuracy? The front as a table, pictures and a page."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Section
from mercuric.page.table import Column, SortableTable, numbers, words
from mercuric.studies.evaluate.figures import energy, seconds
from mercuric.studies.shrink.chart import front_chart
from mercuric.studies.shrink.found import Found


def shrink_table(summary: dict[str, Any]) -> Table:
    """The front and the uniform widths, a network a row, each beside the original."""
    found = Found(summary)
    stages = ", ".join(summary["stages"])
    table = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=Text(_subject(summary)),
        caption=f"factors of the stages at {stages}; *: on the front (all networks are in "
        f"trials.csv); {_trained(summary)}",
    )  # fmt: skip
    for name in ("trial", "accuracy", "energy", "saved", "latency", "saved"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("factors", overflow="fold")
    shown = [*found.front, *(t for t in found.trials if t["uniform"] and not t["front"])]
    for trial in shown:
        table.add_row(*_table_cells(found, trial))
    return table


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``shrink.json``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    return write(_page(Found(read_json_object(folder / "shrink.json")), command), folder)


def _table_cells(found: Found, trial: dict[str, Any]) -> list[Text]:
    style = "bold" if trial["front"] else ""
    if trial["accuracy"] is None:
        return [
            Text(str(trial["trial"])),
            Text("diverged", style="red"),
            *[Text("")] * 5,
            Text(found.factors(trial)),
        ]
    return [
        Text(str(trial["trial"])),
        Text(formats.percent(trial["accuracy"]), style=style),
        Text(energy(trial[found.energy], found.summary["unit"])),
        Text(_saved(found, trial, found.energy)),
        Text(formats.cycles(trial[found.latency])),
        Text(_saved(found, trial, found.latency)),
        Text("*" if trial["front"] else ""),
        Text(found.factors(trial)),
    ]


def _saved(found: Found, trial: dict[str, Any], column: str) -> str:
    whole = found.original[column]
    return formats.MISSING if not whole else formats.percent(1 - trial[column] / whole)


def _page(found: Found, command: str) -> Page:
    summary = found.summary
    return Page(
        title=f"{summary['model']} on {summary['data']}: Mercuric shrink",
        kicker="narrower networks",
        subject=_subject(summary),
        headline=_headline(found),
        lead=_lead(found),
        cards=_cards(found),
        sections=_sections(found),
        methods=_methods(summary),
        machine=machine_facts(summary["machine"], timed=True),
        command=command,
    )


def _headline(found: Found) -> str:
    best, original = found.best(), found.original
    if best is None:
        return "The original network's training diverged; nothing can be held against it."
    reached = formats.percent(best["accuracy"])
    if best is not original and best[found.energy] < original[found.energy]:
        return (
            f"{_saved(found, best, found.energy)} less energy and {_saved(found, best, found.latency)} less "
            f"latency at {reached} accuracy, where the original has {formats.percent(original['accuracy'])}."
        )
    return f"No narrower network reached the original's accuracy of {formats.percent(original['accuracy'])}."


def _lead(found: Found) -> str:
    summary = found.summary
    amount = formats.number_of(len(found.trials), "network")
    said = f"{amount} trained, {len(found.front)} on the front. Each: {_trained(summary)}."
    if found.original["accuracy"] is not None:
        points = 100 * found.error(found.original)
        said += f" The test's size alone gives an accuracy a standard error of {points:.1f} points."
    return said


def _trained(summary: dict[str, Any]) -> str:
    epochs = formats.number_of(summary["epochs"], "epoch")
    images = formats.number_of(summary["train_examples"], "image")
    tests = formats.number_of(summary["test_images"], "test image")
    return (
        f"{epochs} on {images}, {tests}, one seed ({summary['seeds'][0]}), so that small differences may be "
        "chance"
    )


def _cards(found: Found) -> list[Card]:
    original, unit = found.original, found.summary["unit"]
    cards = [
        Card("Original accuracy", formats.percent(original["accuracy"]), found.summary["model"]),
        Card("Original energy", energy(original["energy"], unit), "an inference, without reuse"),
        Card("Original latency", formats.count(original["latency"]), _time(found, original["latency"])),
    ]
    best = found.best()
    if best is not None and best is not original:
        cards += [
            Card(
                "Energy saved", _saved(found, best, found.energy), f"trial {best['trial']}, no less accurate"
            ),
            Card("Latency saved", _saved(found, best, found.latency), f"trial {best['trial']}"),
        ]
    return cards


def _time(found: Found, cycles: float) -> str:
    megahertz = found.summary["clock_mhz"]
    return f"cycles, {seconds(cycles / megahertz / 1e6)} at {megahertz:g} MHz"


def _sections(found: Found) -> list[Section]:
    with_reuse = " with MERCURY" if found.summary["mercury"] else ""
    pictures = [
        Picture(
            f"front-{name}",
            f"Accuracy against {name}",
            "Each point is a network. Solid: on the front of accuracy, energy and latency, with the standard "
            "error that the number of test images leaves. Pale: another network is at least as good in all "
            "three.",
            front_chart(found, column, f"{name} of one inference{with_reuse} ({unit})"),
        )
        for name, column, unit in (
            ("energy", found.energy, found.summary["unit"]),
            ("latency", found.latency, "clock cycles"),
        )
    ]
    trials = sorted(found.trials, key=lambda t: (not t["front"], t[found.energy] or 0))
    return [
        Section("front", "The front", pictures),
        Section("trials", "Every network", [_trial_table(found, trials)]),
    ]


def _trial_table(found: Found, trials: Sequence[dict[str, Any]]) -> SortableTable:
    inference = "of one inference with MERCURY" if found.summary["mercury"] else "of one inference"
    stages = ", ".join(found.summary["stages"])

    def figures(name: str, field: str, meaning: str, text: Callable[[Any], str] = formats.count) -> Column:
        return numbers(name, [trial[field] for trial in trials], text, meaning)

    return SortableTable(
        [
            figures("trial", "trial", "in the order of training", str),
            words(
                "factors",
                map(found.factors, trials),
                f"of the stages at {stages}",
            ),
            figures("accuracy", "accuracy", "on all test images", formats.percent),
            figures("energy", found.energy, f"{inference}, in {found.summary['unit']}"),
            figures("latency", found.latency, f"{inference}, in clock cycles"),
            figures("parameters", "parameters", "weights of the network"),
            figures("MACs", "macs", "multiply-accumulates of one inference"),
            words("note", (trial["note"] or ("on the front" if trial["front"] else "") for trial in trials)),
        ]
    )


def _subject(summary: dict[str, Any]) -> str:
    width = "" if summary["width"] == 1 else f" of width {summary['width']:g}"
    on = f"{summary['data']}, {summary['image_size']} px, {summary['accelerator']}"
    return f"{summary['model']}{width} on {on}"


def _methods(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            "Networks",
            "A factor for each stage, the layers of one resolution "
            f"({', '.join(summary['stages'])}), times the channels of each set that must shrink together, "
            "rounded to a multiple of 8. Groups of convolutions shrink with their channels; the image's "
            "channels and the classes stay.",
        ),
        (
            "Training",
            f"Each network from scratch: {_trained(summary)}. Batches of {summary['batch_size']}, peak "
            f"learning rate {summary['learning_rate']:g}.",
        ),
        (
            "Cost",
            f"One inference of one image on {summary['accelerator']}, {summary['timing']} timing, energy in "
            f"{summary['unit']}"
            + (", with MERCURY where it saves time, a mean over test images." if summary["mercury"] else "."),
        ),
        (
            "Search",
            "Optuna's multi-objective TPE sampler: accuracy up, energy and latency down. The uniform widths "
            "are always among the networks. Networks with the same channels are trained once. The front is "
            "chosen by test accuracy, so that its accuracies lean to the lucky side: train a chosen network "
            "again, with other seeds, before relying on it.",
        ),
    ]
