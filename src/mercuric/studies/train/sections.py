"""What does the page's part with the curves show, and what does one read in them?"""

from dataclasses import replace

from mercuric.page.chart import DENSE, Picture
from mercuric.page.parts import Section, Side
from mercuric.studies.train.curves import Line, loss_chart, score_chart
from mercuric.studies.train.folder import Run
from mercuric.studies.train.metrics import Metrics
from mercuric.studies.train.summary_file import Summary
from mercuric.studies.train.words.known import words_of

_UNDER, _OVER = 9, 2
"""Pixels of a line on which others shall lie, and of those."""


def training_section(metrics: Metrics, summary: Summary) -> Section:
    """Loss against steps and seconds, score an epoch; what was not logged is left out."""
    told, metric = words_of(summary), summary.metric
    lines = training_lines(summary)
    steps, epochs = (rows[rows["run"].isin(lines)] for rows in (metrics.steps, metrics.epochs))
    figures = []
    if not steps.empty:
        notes = ["Training loss, lightly smoothed."]
        if steps["seed"].nunique() > 1:
            notes.append("Thin lines are seeds, thick ones their mean.")
        notes += [note for run, words in told.items() if (note := words.loss_note(summary, run))]
        chart = loss_chart(steps, "step", lines)
        figures.append(Picture("loss-steps", "Loss by step", " ".join(notes), chart))
    if not epochs.empty:
        note, title = "On the whole test set, after each epoch.", f"Test {metric.name} by epoch"
        figures.append(Picture("score", title, note, score_chart(epochs, metric, lines)))
    if not steps.empty:
        note = "The same loss by wall-clock time in PyTorch."
        timed = [run for run, words in told.items() if words.timed]
        lines = {run: replace(line, width=Line.width) for run, line in lines.items()}
        if 0 < len(timed) < len(told):
            lines = {run: line for run, line in lines.items() if run in ("dense", *timed)}
            others = [words.name for words in told.values() if not words.timed]
            note += f" {others[0]} is left out: its seconds are an emulation's."
        figures.append(Picture("loss-seconds", "Loss by time", note, loss_chart(steps, "seconds", lines)))
    return Section("training", "Training", [Side(figures)] if figures else [])


def training_lines(summary: Summary) -> dict[str, Line]:
    """How each training is drawn; where one must lie on the dense one, that is broad and below."""
    told = words_of(summary)
    on_dense = any(words.loss_note(summary, run) for run, words in told.items())
    under, over = (_UNDER, _OVER) if on_dense else (Line.width, Line.width)
    methods = {run: Line(words.name, words.colour, over) for run, words in reversed(told.items())}
    return {"dense": Line("dense", DENSE, under), **methods}


def layer_sections(run: Run) -> list[Section]:
    """Layer by layer; where two methods were trained, each under its name."""
    told = words_of(run.summary)
    sections = [words.section(run.layers[name]) for name, words in told.items()]
    if len(sections) < 2:
        return sections
    return [
        replace(section, identity=f"layers-{name}", title=f"Layer by layer, {words.trained}")
        for section, (name, words) in zip(sections, told.items(), strict=True)
    ]
