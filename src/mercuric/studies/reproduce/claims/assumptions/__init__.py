"""Under which readings of the text do the three means follow, and what moves each?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from mercuric.files.reading import read_json_object
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, figure, plotly_text
from mercuric.page.found_with import found_with
from mercuric.page.table import SortableTable, numbers, words
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.speedups.study import PUBLISHED_MEAN

TRAINING = {"products": "training", "normalisation": "batch", "layers": "all"}


def found(folders: Mapping[str, Path]) -> Found:
    """The nearest combination, and a tornado for each dataflow."""
    summary = read_json_object(folders["assumptions"] / "assumptions.json")
    near, best, own = summary["near"], summary["best"], summary["own"]
    training = [one for one in near if all(one[name] == value for name, value in TRAINING.items())]
    least, most = _largest(summary["moves"])
    config = summary["config"]
    return Found(
        {
            "near": Number(float(bool(near)), beside=f"{len(near)} of {summary['counted']:,} combinations"),
            "training": Number(float(bool(training)), beside=f"{len(training)} of {len(near)}"),
            **{name: Number(float(best[name]), beside="our own assumptions: "
                f"{formats.ratio(own[name])}") for name in PUBLISHED_MEAN},
        },
        f"{least} moves row stationary most downwards, {most} upwards; what the text leaves open "
        "decides all three means.",
        [
            ("Networks", f"{', '.join(config['models'])}; {config['weights']} weights, seed "
                f"{config['seed']}"),
            ("Images", f"{config['images']} of {config['data'] or 'photos'}, {config['image_size']} x "
                f"{config['image_size']} pixels"),
            ("Similarity", found_with(summary["reuse"])),
        ],
        [_tornado(summary, dataflow) for dataflow in PUBLISHED_MEAN],
        [_table(summary["moves"])],
    )  # fmt: skip


def _named(move: Mapping[str, Any]) -> str:
    return f"{move['assumption']}: {move['value']}"


def _largest(moves: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    row = sorted((one for one in moves if one["dataflow"] == "row"), key=lambda one: float(one["median"]))
    return tuple(f"{_named(one)} ({formats.ratio(one['median'])})" for one in (row[0], row[-1]))  # type: ignore[return-value]


def _tornado(summary: Mapping[str, Any], dataflow: str) -> Picture:
    """Our own mean, times what each assumption does to it: the widest on top."""
    own = float(summary["own"][dataflow])
    moves = [one for one in summary["moves"] if one["dataflow"] == dataflow]
    moves.sort(key=lambda one: float(one["most"]) - float(one["least"]))
    names = [plotly_text(_named(one)) for one in moves]
    picture: go.Figure = figure(140 + 26 * len(moves), "mean speed-up", "")
    low, high = ([own * float(one[end]) for one in moves] for end in ("least", "most"))
    picture.add_bar(
        x=[top - bottom for bottom, top in zip(low, high, strict=True)], y=names, base=low, orientation="h",
        name="over all other assumptions", marker={"color": chart.ZERO_HIT},
        customdata=[[bottom, top] for bottom, top in zip(low, high, strict=True)],
        hovertemplate="%{customdata[0]:.2f}x to %{customdata[1]:.2f}x<extra></extra>",
    )  # fmt: skip
    picture.add_scatter(
        x=[own * float(one["median"]) for one in moves], y=names, mode="markers", name="the median",
        marker={"size": 9, "color": chart.MERCURY}, hovertemplate="%{x:.2f}x<extra></extra>",
    )  # fmt: skip
    picture.add_vline(x=PUBLISHED_MEAN[dataflow], line={"color": chart.EXACT, "width": 2})
    picture.add_vline(x=own, line={"color": chart.GUIDE, "dash": "dot"})
    picture.update_layout(hovermode="closest")
    return Picture(
        f"tornado-{dataflow}", f"What moves the mean, {dataflow} stationary",
        f"Our own mean ({formats.ratio(own)}, dotted) times what each assumption does to it; the green "
        "line is the source's "
        f"{formats.ratio(PUBLISHED_MEAN[dataflow])}.",
        picture,
    )  # fmt: skip


def _table(moves: Sequence[Mapping[str, Any]]) -> SortableTable:
    return SortableTable(
        [
            words("assumption", [_named(one) for one in moves]),
            words("dataflow", [one["dataflow"] for one in moves]),
            *(
                numbers(head, [one[name] for one in moves], formats.ratio)
                for head, name in (("median", "median"), ("least", "least"), ("most", "most"))
            ),
        ]
    )
