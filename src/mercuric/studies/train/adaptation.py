"""How did MERCURY adapt (paper III-D, Fig. 14a)? Signatures that grew and layers that turned off."""

from itertools import pairwise

import plotly.graph_objects as go

from mercuric.page import formats
from mercuric.page.chart import DENSE, MERCURY, Picture, figure, plotly_text, shortened
from mercuric.page.parts import Folded, Paragraph, Part, Section
from mercuric.page.table import SortableTable, numbers, words
from mercuric.studies.train.adaptation_log import AdaptationLog

_ROW_PIXELS = 22
_MOST_NAMES = 60
_LONGEST_NAME = 28


def adaptation_section(log: AdaptationLog) -> Section:
    """Bits and layers over the steps, and a table of the changes."""
    seeds = " Thin lines are seeds, the thick one their mean." if len(log.seeds) > 1 else ""
    bits_note = f"Signature length, the same in all layers that reuse.{seeds}"
    layer_note = "In which steps each layer looked for similarity (blue) and in which it did not (grey)."
    parts: list[Part] = [
        Paragraph(adaptation_sentence(log)),
        Picture("adaptation-bits", "Signature length by step", bits_note, bits_chart(log)),
        Picture("adaptation-layers", "Which layers reused when", layer_note, switch_chart(log)),
    ]
    if not log.changes.empty:
        parts.append(Folded("All changes", _table(log)))
    return Section("adaptation", "Adaptation", parts)


def adaptation_sentence(log: AdaptationLog) -> str:
    """What changed, in words: bits before and after, and how many layers turned off."""
    start, end = ([seed.bits[place][1] for seed in log.seeds] for place in (0, -1))
    if log.changes.empty:
        grew = f"Nothing changed in {log.last_step:,} steps: signatures kept {_either(start)} bits."
    elif start == end:
        grew = f"Signatures kept {_either(start)} bits."
    else:
        first = log.changes[log.changes["what"] == "bits"]["step"].min()
        grew = f"Signatures grew from {_either(start)} to {_either(end)} bits, first after step {first:,}."
    turned_off = [sum(bool(end) for end in seed.ends.values()) for seed in log.seeds]
    never_on = [sum(end == 0 for end in seed.ends.values()) for seed in log.seeds]
    never = f", {_either(never_on)} never reused" if any(never_on) else ""
    layers = formats.number_of(len(log.layers), "layer")
    return f"{grew} Of {layers}, {_either(turned_off)} turned off during training{never}."


def _either(values: list[int]) -> str:
    *others, last = map(str, sorted(set(values)))
    return f"{', '.join(others)} or {last}" if others else last


def bits_chart(log: AdaptationLog) -> go.Figure:
    """Signature length against the step: a stair a seed, and their mean where there are several."""
    chart = figure(300, "training step", "signature bits")
    alone = len(log.seeds) == 1
    for seed in log.seeds:
        steps = [*(step for step, _ in seed.bits), log.last_step]
        _add_stair(chart, steps, [seed.bits_at(step) for step in steps], f"seed {seed.seed}", thick=alone)
    if not alone:
        steps = sorted({0, log.last_step} | {step for seed in log.seeds for step, _ in seed.bits})
        mean = [sum(seed.bits_at(step) for seed in log.seeds) / len(log.seeds) for step in steps]
        _add_stair(chart, steps, mean, "mean over seeds", thick=True)
    lengths = [bits for seed in log.seeds for _, bits in seed.bits]
    chart.update_yaxes(range=[min(lengths) - 1, max(lengths) + 1])
    return chart


def _add_stair(chart: go.Figure, steps: list[int], bits: list[float], name: str, *, thick: bool) -> None:
    chart.add_scatter(
        x=steps,
        y=[round(value, 3) for value in bits],
        mode="lines",
        name=name,
        line={"color": MERCURY, "width": 3 if thick else 1, "shape": "hv"},
        opacity=1 if thick else 0.5,
        showlegend=False,
        hovertemplate="%{y:.3~g} bits",
    )


def switch_chart(log: AdaptationLog) -> go.Figure:
    """A layer a row: the steps in which it reused, the paler the fewer seeds did."""
    pieces = [(row, *piece) for row, layer in enumerate(log.layers) for piece in _pieces(log, layer)]
    every = -(-len(log.layers) // _MOST_NAMES)
    chart = figure(120 + _ROW_PIXELS * len(log.layers) // every, "training step", "")
    for on in range(len(log.seeds), -1, -1):
        _add_bars(chart, log, [piece[:3] for piece in pieces if piece[3] == on], on)
    named = range(0, len(log.layers), every)
    chart.update_layout(barmode="overlay", hovermode="closest")
    chart.update_xaxes(range=[0, log.last_step])
    chart.update_yaxes(
        showgrid=False,
        tickmode="array",
        tickvals=list(named),
        ticktext=[plotly_text(shortened(log.layers[row], _LONGEST_NAME)) for row in named],
        range=[len(log.layers) - 0.4, -0.6],
    )
    return chart


def _pieces(log: AdaptationLog, layer: str) -> list[tuple[int, int, int]]:
    """Pieces of the training in which the same number of seeds reused: start, end, seeds."""
    ends = [log.last_step if (end := seed.ends[layer]) is None else end for seed in log.seeds]
    bounds = sorted({0, log.last_step, *ends})
    return [(start, end, sum(stop >= end for stop in ends)) for start, end in pairwise(bounds)]


def _add_bars(chart: go.Figure, log: AdaptationLog, pieces: list[tuple[int, int, int]], on: int) -> None:
    if not pieces:
        return
    several = len(log.seeds) > 1 and on > 0
    label = f"on in {on} of {len(log.seeds)} seeds" if several else "on" if on else "off"
    chart.add_bar(
        orientation="h",
        y=[row for row, _, _ in pieces],
        base=[start for _, start, _ in pieces],
        x=[end - start for _, start, end in pieces],
        width=0.72,
        name=label,
        marker={"color": MERCURY if on else DENSE},
        opacity=0.3 + 0.7 * on / len(log.seeds),
        customdata=[[plotly_text(log.layers[row]), start, end] for row, start, end in pieces],
        hovertemplate=f"%{{customdata[0]}}<br>{label} in steps %{{customdata[1]:,}} to %{{customdata[2]:,}}"
        "<extra></extra>",
    )


def _table(log: AdaptationLog) -> SortableTable:
    rows = log.changes.sort_values(["seed", "step"], kind="stable")
    off = rows["what"] == "off"
    before, after = rows["before"].astype(str), rows["after"].astype(str)
    return SortableTable(
        [
            numbers("seed", rows["seed"], "{:,}".format),
            numbers("step", rows["step"], "{:,}".format),
            words("layer", rows["layer"].where(off, "all")),
            words("change", off.map({True: "turned off", False: "signatures grew"})),
            words("bits", before.where(off, before + " to " + after)),
        ]
    )
