"""What do MERCURY's pictures and table of the layers show, and what does one read in them?"""

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.layer_charts import outcome_chart
from mercuric.page.parts import Section
from mercuric.page.table import SortableTable, numbers, words
from mercuric.studies.train.words.mercury_charts import cycles_chart, error_chart, speedup_chart
from mercuric.studies.train.words.named_layers import named_layers


def layer_section(layers: pd.DataFrame) -> Section:
    """Hits, cycles, speed-up and error a layer, and the table of them all; empty without layers."""
    if layers.empty:
        return Section("layers", "Layer by layer", [])
    figures = [
        Picture(
            "hitmap",
            "Which vectors were reused",
            _hit_note(layers),
            outcome_chart(layers, "similar_hit", "share of input vectors"),
        ),
        Picture("cycles", "Where the cycles go", _cycle_note(layers), cycles_chart(layers)),
        Picture("speedup", "Which layers gain", _speedup_note(layers), speedup_chart(layers)),
    ]
    if layers["error"].notna().any():
        note = "How far each layer's output with reuse is from its dense output, relative to it."
        figures.append(Picture("error", "What reuse changes", note, error_chart(layers)))
    return Section("layers", "Layer by layer", [*figures, _layer_table(layers)])


def _layer_table(layers: pd.DataFrame) -> SortableTable:
    """A layer a row, of the rows of ``average_over_seeds``."""
    count, percent, ratio = formats.count, formats.percent, formats.ratio
    speedup, fair = layers["speedup"], layers["fair_speedup"]
    columns = [
        numbers("#", range(1, len(layers) + 1), str, "position in the network"),
        words("layer", layers["layer"]),
        words("kind", layers["kind"]),
        numbers("vectors", layers["vectors"], count, "input vectors over the whole training"),
        numbers(
            "bits", layers["bits"], "{:.3g}".format, "signature bits at the end of training, mean over seeds"
        ),
        numbers(
            "similar", layers["similar_hit"], percent,
            "HITs of vectors similar to an earlier one, share of vectors",
        ),
        numbers("zero", layers["zero_hit"], percent, "HITs of all-zero vectors, share of vectors"),
        numbers("MAU", layers["mau"], percent, "misses whose result was kept, share of vectors"),
        numbers("MNU", layers["mnu"], percent, "misses that found their set full, share of vectors"),
        numbers("error", layers["error"], _error, "relative output error against the dense layer"),
        numbers("baseline", layers["cycles_baseline"], count, "baseline cycles, paper timing"),
        numbers(
            "MERCURY", layers["cycles_mercury"], count,
            "cycles with MERCURY, paper timing, signatures included",
        ),
        numbers(
            "signatures", layers["cycles_signature"], count, "cycles spent on signatures, paper timing"
        ),
        numbers("speed-up", speedup, ratio, "baseline over MERCURY, paper timing", speedup < 1),
        numbers("fair", fair, ratio, "baseline over MERCURY, pipelined baseline", fair < 1),
        words("reuse", layers["on"].map(_state), "whether reuse was still on at the end"),
    ]  # fmt: skip
    return SortableTable(columns, "All layers")


def _error(error: float) -> str:
    return f"{error:.3f}" if formats.is_known(error) else formats.MISSING


def _state(on: float) -> str:
    if on in (0, 1):
        return "on" if on else "off"
    return f"on in {formats.percent(on, decimals=0)} of seeds"


def _hit_note(layers: pd.DataFrame) -> str:
    note = "Blue vectors reused a result, of which light blue ones were all zero; the others were computed."
    off = layers[layers["on"] == 0]["layer"].tolist()
    return f"{note} Reuse was off at the end of training in {named_layers(off)}." if off else note


def _cycle_note(layers: pd.DataFrame) -> str:
    note = "Simulated cycles of the whole training, paper timing."
    losing = layers[layers["loses"]]["layer"].tolist()
    if not losing:
        return f"{note} No layer loses cycles."
    return f"{note} MERCURY loses cycles in {named_layers(losing)}, marked by a triangle."


def _speedup_note(layers: pd.DataFrame) -> str:
    below = [int((layers[column] < 1).sum()) for column in ("speedup", "fair_speedup")]
    return (
        f"Baseline cycles over MERCURY's. Of {formats.number_of(len(layers), 'layer')}, {below[0]} "
        f"{_are(below[0])} below 1 (slower) in the paper's timing, {below[1]} against a pipelined baseline."
    )


def _are(amount: int) -> str:
    return "is" if amount == 1 else "are"
