"""How do a simulation and a handle's report look as one chart?"""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.errors import MercuricError
from mercuric.page import chart, formats
from mercuric.page.layer_charts import layer_figure, outcome_chart, timed_cycles
from mercuric.page.paper.drawing import draw_chart

if TYPE_CHECKING:
    from mercuric.accelerator import Simulation


_BY_CLASSES = {
    "HIT, similar vector": "equal to another, copied",
    "HIT, zero vector": "zero, copied",
    "MAU, computed and kept": "computed, once a class",
    "MNU, computed, set full": "computed densely",
}


def simulated_cycles(simulation: "Simulation", timing: Timing) -> Figure:
    """Cycles of each layer without reuse, beside those of its products and signatures with it."""
    picture = timed_cycles(simulation.layers, timing)
    accelerator = simulation.accelerator
    speedup = formats.ratio(simulation.speedup(timing))
    return draw_chart(chart.named(picture, f"{accelerator.name}, {accelerator.dataflow}: {speedup} in all"))


def reused_vectors(report: pd.DataFrame) -> Figure:
    """What became of the vectors of each layer; in directions, how many each layer has.

    Raises:
        MercuricError: no layer has run.
    """
    layers = report[report["vectors"] > 0]
    if len(layers):
        picture = outcome_chart(_shares(layers), "similar", "share of input vectors")
        if "computed" in report:  # by classes: no MCACHE that could be full, and nothing is only similar
            picture.for_each_trace(lambda trace: trace.update(name=_BY_CLASSES.get(trace.name)))
        return draw_chart(picture)
    if "rank" not in report or not report["rank"].sum():
        raise MercuricError("there is nothing to draw: no layer has reused anything since the last reset")
    picture = layer_figure(report["layer"].tolist(), "directions")
    picture.add_bar(
        x=list(range(len(report))), y=report["rank"].tolist(), name="directions",
        marker={"color": chart.MERCURY}, showlegend=False,
    )  # fmt: skip
    return draw_chart(picture)


def _shares(layers: pd.DataFrame) -> pd.DataFrame:
    outcomes = {
        "similar": layers["HIT"] - layers["zero_hits"],
        "zero_hit": layers["zero_hits"],
        "mau": layers["MAU"],
        "mnu": layers["MNU"],
    }
    shares = {name: count / layers["vectors"] for name, count in outcomes.items()}
    return layers[["layer"]].assign(**shares)
