import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from mercuric.accelerator import Accelerator, preset
from mercuric.studies.evaluate.config import EvaluationConfig
from mercuric.studies.evaluate.roofline_chart import roofline_chart, roofline_points
from mercuric.studies.evaluate.study import Evaluation, evaluate
from mercuric.studies.evaluate.tables import bound_table, layer_table

LIKE = preset("eyeriss-like")


@pytest.fixture(scope="module")
def evaluated() -> Evaluation:
    return evaluate(EvaluationConfig(model="custom-cnn", image_size=16, accelerators=(LIKE.name,)))


def rows(evaluated: Evaluation, timing: str = "fair") -> pd.DataFrame:
    return evaluated.layers[evaluated.layers["timing"] == timing]


def traces(layers: pd.DataFrame, accelerator: Accelerator = LIKE) -> dict[str, Any]:
    picture = roofline_chart(layers, accelerator)
    return {trace.name or "joined": trace for trace in picture.data}


def test_every_layer_has_a_mark_of_each_design_and_a_line_between(evaluated: Evaluation) -> None:
    found = traces(rows(evaluated))
    assert list(found) == [
        "joined", "buffer, of each dense layer", "dense", "MERCURY", "DRAM, 4 words a cycle", "168 PEs",
    ]  # fmt: skip
    dense, mercury, joined = found["dense"], found["MERCURY"], found["joined"]
    for place, name in enumerate(rows(evaluated)["layer"].unique()):
        assert dense.customdata[place][0] == mercury.customdata[place][0] == name
        assert list(joined.x[3 * place : 3 * place + 2]) == [dense.x[place], mercury.x[place]]
        assert list(joined.y[3 * place : 3 * place + 2]) == [dense.y[place], mercury.y[place]]


def test_dense_layers_stay_under_the_roof_and_touch_it_where_the_dram_is_the_bound(
    evaluated: Evaluation,
) -> None:
    points = roofline_points(rows(evaluated), LIKE)
    dense = points[points["design"] == "baseline"]
    roof = (dense["intensity"] * 4 * 2).clip(upper=LIKE.pes)
    assert (dense["rate"] <= roof * (1 + 1e-9)).all()
    narrow = LIKE.changed(dram_words_per_cycle=0.01)
    slow = rows(evaluated).assign(latency=lambda layers: (layers["count_dram"] / 0.01).apply(math.ceil))
    points = roofline_points(slow, narrow)
    assert points["rate"].to_numpy() == pytest.approx((points["intensity"] * 0.02).to_numpy(), rel=1e-3)


def test_both_designs_have_the_dense_layers_operations(evaluated: Evaluation) -> None:
    macs = rows(evaluated).pivot(index="layer", columns="design", values="macs")
    assert (macs["baseline"] == macs["mercury"]).all()
    assert (macs["baseline"] > 0).all()


def test_the_axes_hold_all_marks_and_the_pes_ceiling(evaluated: Evaluation) -> None:
    picture = roofline_chart(rows(evaluated), LIKE)
    (left, right), (bottom, top) = picture.layout.xaxis.range, picture.layout.yaxis.range
    assert picture.layout.xaxis.type == picture.layout.yaxis.type == "log"
    for trace in picture.data:
        assert all(left - 1e-4 <= math.log10(x) <= right + 1e-4 for x in trace.x if x is not None)
        assert all(bottom - 1e-4 <= math.log10(y) <= top + 1e-4 for y in trace.y if y is not None)


def test_an_unbounded_dram_has_no_line(evaluated: Evaluation) -> None:
    found = traces(rows(evaluated), LIKE.changed(dram_words_per_cycle=None))
    assert [name for name in found if name.startswith("DRAM")] == []
    assert set(found["168 PEs"].y) == {168.0}


def test_names_that_look_like_html_are_text(evaluated: Evaluation) -> None:
    evil = "<img src=x onerror=alert(1)>"
    layers = rows(evaluated).replace({"layer": {"features.0": evil}})
    for trace in ("dense", "MERCURY"):
        assert evil not in {name for name, _ in traces(layers)[trace].customdata}


def test_the_layer_table_keeps_the_networks_order_and_names_a_changed_bound(evaluated: Evaluation) -> None:
    layers = evaluated.layers.assign(bound="compute")
    changed = (layers["layer"] == "features.0") & (layers["design"] == "mercury")
    layers.loc[changed, "bound"] = "DRAM"
    table = layer_table(replace(evaluated, layers=layers.replace({"layer": {"features.0": "last.0"}})))
    names = rows(evaluated)["layer"].replace({"features.0": "last.0"}).unique().tolist()
    assert [row[2].text for row in table.rows] == names
    bounds = [row[-1].text for row in table.rows]
    assert bounds.count("compute, DRAM") == 1 and bounds.count("compute") == len(names) - 1


def test_bounds_of_all_layers_are_in_the_table(evaluated: Evaluation) -> None:
    table = bound_table(evaluated)
    heads = [column.name for column in table.columns]
    layers = rows(evaluated)
    for design, row in zip(("baseline", "mercury"), table.rows, strict=True):
        counts = layers[layers["design"] == design]["bound"].value_counts()
        for limit, count in counts.items():
            assert row[heads.index(f"by {limit}")].text.startswith(f"{count} (")
