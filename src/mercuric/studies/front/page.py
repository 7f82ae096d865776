"""How much error buys how much time? The front as a page."""

from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mercuric.files.reading import read_json_object
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, plotly_text
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Section
from mercuric.page.table import SortableTable, words
from mercuric.studies.bench.layer_times import DENSE
from mercuric.studies.bench.table import front_columns
from mercuric.studies.front.forms import FITTED, PEERS

CLOSE = 0.05
AGREES = 0.9
LOST = 0.007
"""What the paper's networks lose on average, as a share of all answers."""
FAR = 0.5
"""The largest error that the picture of peers shows."""
_COLOURS = (
    chart.DENSE, chart.LOSS, chart.MAU, chart.MERCURY, chart.ZERO_HIT, chart.SIGNATURE, chart.MNU, "#2f9e6e",
    "#7d5ba6", "#0b7285", "#a61e4d",
)  # fmt: skip


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``front.json`` and ``front.csv``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    described = read_json_object(folder / "front.json")
    return write(_page(pd.DataFrame(described["rows"]), described, command), folder)


def front_chart(table: pd.DataFrame, across: str, x_title: str, down: str, y_title: str) -> go.Figure:
    """Quality against time: a line a group, a point a setting."""
    picture = chart.figure(480, x_title, y_title)
    for place, (group, points) in enumerate(table.groupby("group", sort=False)):
        ordered = points.sort_values(across)
        picture.add_scatter(
            x=ordered[across].round(5).tolist(), y=ordered[down].round(6).tolist(),
            mode="lines+markers" if len(points) > 1 else "markers", name=plotly_text(str(group)),
            line={
                "color": _COLOURS[place % len(_COLOURS)], "width": 1.5,
                "dash": "solid" if group in PEERS else "dot",
            },
            marker={
                "size": 13 if group == DENSE else 9,
                "symbol": "star" if group == DENSE else "circle",
            },
            customdata=[[plotly_text(f"{group} {one}")] for one in ordered["setting"]],
            hovertemplate=f"%{{customdata[0]}}<br>%{{x:.4g}}, %{{y{':.1%' if down != 'loss' else ''}}}"
            "<extra></extra>",
        )  # fmt: skip
    picture.update_yaxes(tickformat=".0%")
    picture.update_xaxes(showgrid=True, **chart.time_axis(table[across]))
    picture.update_layout(hovermode="closest")
    return picture


def peers_chart(table: pd.DataFrame) -> go.Figure:
    """Dense, fitted directions and what others do: error of the outputs against time, up to :data:`FAR`."""
    beside = table[table["group"].isin([DENSE, FITTED, *PEERS])]
    picture = front_chart(beside, "ms", "milliseconds", "error", "error of the outputs")
    if beside["error"].max() > FAR:
        picture.update_yaxes(range=[-0.01, FAR])
    return picture


def _page(table: pd.DataFrame, described: dict[str, Any], command: str) -> Page:
    return Page(
        title=f"{described['subject']}: Mercuric front",
        kicker="front",
        subject=described["subject"],
        headline=_headline(table),
        lead=_lead(table, described),
        cards=_cards(table),
        sections=[_section(table, described["subject"])],
        methods=_methods(described),
        machine=machine_facts(described["machine"], timed=True),
        command=command,
    )


def _others(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["group"] != "dense"]


def _most(table: pd.DataFrame, column: str) -> "pd.Series[Any]":
    """The row with the largest value."""
    return table.iloc[int(table[column].argmax())]


_NAMES = {"error": "error", "agreement": "agreement", "correct": "test accuracy"}


def _quality(table: pd.DataFrame) -> str:
    """What counts most of what is known: right classes, dense's classes, or dense's outputs."""
    known = [column for column in ("correct", "agreement") if column in table and table[column].notna().any()]
    return known[0] if known else "error"


def _good(table: pd.DataFrame) -> pd.DataFrame:
    """The points that are close enough to dense."""
    others, quality = _others(table), _quality(table)
    values = others[quality]
    if quality == "error":
        return others[values <= CLOSE]
    return others[values >= (AGREES if quality == "agreement" else table.iloc[0]["correct"] - LOST)]


def _headline(table: pd.DataFrame) -> str:
    close = _good(table)
    limit = {
        "correct": f"at most {100 * LOST:.1f} points of test accuracy lost",
        "agreement": f"at least {formats.percent(AGREES, 0)} agreement with dense",
        "error": f"an error of at most {formats.percent(CLOSE, 0)}",
    }[_quality(table)]
    if close.empty:
        return f"No form had {limit}."
    best = _most(close, "speedup")
    if best["speedup"] < 1:
        return f"No form was faster than dense with {limit}."
    return f"{formats.ratio(best['speedup'])} with {limit}: {best['form']}."


def _lead(table: pd.DataFrame, described: dict[str, Any]) -> str:
    return (
        f"{described['subject']}. {formats.number_of(len(table), 'form')}, medians of "
        f"{formats.number_of(described['config']['rounds'], 'round')} in turn, {_clock(described)}."
    )


def _clock(described: dict[str, Any]) -> str:
    wall = described["config"]["clock"] == "wall"
    return "wall-clock time" if wall else "processor time of all threads"


def _cards(table: pd.DataFrame) -> list[Card]:
    fastest = _most(table, "speedup")
    quality = _quality(table)
    named = _NAMES[quality]
    cards = [
        Card("Dense", f"{table.iloc[0]['ms']:.0f} ms", "the strongest form of PyTorch"),
        Card(
            "Fastest form",
            formats.ratio(fastest["speedup"]),
            f"{fastest['form']}, {named} {formats.percent(fastest[quality])}",
            bad=bool(fastest["speedup"] < 1),
        ),
    ]
    close = _good(table)
    if not close.empty:
        best = _most(close, "speedup")
        cards.append(
            Card(
                "Fastest close form",
                formats.ratio(best["speedup"]),
                f"{best['form']}, {named} {formats.percent(best[quality])}",
                bad=bool(best["speedup"] < 1),
            )
        )
    return cards


def _section(table: pd.DataFrame, subject: str) -> Section:
    columns = [words(one.name, table.apply(one.text, axis=1)) for one in front_columns(table)]
    every = SortableTable(columns, "Every form")
    return Section("front", "The front", [*_pictures(table, subject), every])


def _pictures(table: pd.DataFrame, subject: str) -> list[Picture]:
    quality = _quality(table)
    shown = [
        (
            "correct", "Test accuracy against time", "test accuracy", "Left and high is better.",
            quality == "correct",
        ),
        (
            "error", "Error against time", "error of the outputs",
            "Mean absolute difference from dense outputs over their mean: left and low is better.", True,
        ),
        (
            "agreement", "Agreement against time", "top-1 agreement with dense",
            "Share of images with dense's first class: left and high is better.", quality != "error",
        ),
    ]  # fmt: skip
    pictures = [
        Picture(
            f"front-{down}", title, f"{note} {subject}.", front_chart(table, "ms", "milliseconds", down, axis)
        )
        for down, title, axis, note, known in shown
        if known
    ]
    if table["group"].isin(PEERS).any():
        note = f"Without training again; errors above {formats.percent(FAR, 0)} are in the table. {subject}."
        pictures.append(
            Picture("front-peers", "Fitted directions beside their peers", note, peers_chart(table))
        )
    return pictures


def _methods(described: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            "Time",
            f"Forms run in turn, round by round, {_clock(described)}; the paper's form, an emulation, once.",
        ),
        (
            "Dense",
            "PyTorch's own layers, channels_last; autocast where bfloat16 was asked for; where compiling was "
            "asked for, the faster of compiled and not.",
        ),
        ("Reuse alone", "Whole patches with equal signatures of random signs share the first one's result."),
        (
            "Directions",
            "Outputs are computed in their first principal directions, for every vector: nothing is reused. "
            "Directions come from a dense pass over the batch that is timed.",
        ),
        (
            "Residuals",
            "What directions leave out is shared by the vectors whose first principal components have equal "
            "signs; bounded: vectors that may miss the error are computed exactly.",
        ),
        (
            "Directions fitted to the output",
            "Every layer's rank from one error of the network's output, kept on training images; what the "
            "output feels least is taken out of the weights.",
        ),
        ("fast()", "Directions, where a layer was measured to be faster than dense; the others are dense."),
        *_peers(described),
    ]


def _peers(described: dict[str, Any]) -> list[tuple[str, str]]:
    """What others do, where it was judged, and what was left out."""
    said = []
    if described["config"].get("peers"):
        int8 = (
            "by torchao (PT2E, X86InductorQuantizer), compiled"
            if described["config"]["compiled"]
            else "by PyTorch's own quantization on oneDNN"
        )
        said = [
            ("bfloat16", "Weights and values in bfloat16."),
            (
                "int8",
                f"Static quantization after training {int8}; ranges of the images that ranks are fitted on.",
            ),
            (
                "Torch-Pruning",
                "A share of each layer's channels is taken out, by the size of weights, or of weights times "
                "gradients of random combinations of the outputs (Fang and others, CVPR 2023).",
            ),
            (
                "SVD of weights",
                "Two thinner layers of each weight's singular vectors, within one budget of multiplications.",
            ),
            (
                "Zhang and others 2016",
                "Two thinner layers of the responses' principal components: ranks by products of their "
                "energies, then their nonlinear asymmetric reconstruction (TPAMI 2016), without the spatial "
                "decomposition and the training again of their best figure.",
            ),
            ("Fitted + bfloat16, int8", "The fitted directions as two layers each, in fewer bits."),
        ]
    if described.get("left_out"):
        said.append(("Left out", " ".join(f"{sentence}." for sentence in described["left_out"])))
    return said
