import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from mercuric.accelerator.energy.energies import LEVELS
from mercuric.studies.evaluate.config import EvaluationConfig
from mercuric.studies.evaluate.figures import energy, saved, seconds
from mercuric.studies.evaluate.page import write_page
from mercuric.studies.evaluate.study import Evaluation, evaluate, write_evaluation
from mercuric.studies.evaluate.tables import evaluation_table


@pytest.fixture(scope="module")
def evaluated() -> Evaluation:
    return evaluate(EvaluationConfig(model="custom-cnn", image_size=16, batches=(1, 2)))


def page_of(evaluation: Evaluation, folder: Path, command: str = "") -> str:
    write_evaluation(evaluation, folder)
    return write_page(folder, command).read_text()


def charts(page: str) -> dict[str, dict[str, Any]]:
    found = re.findall(r'<script type="application/json" data-chart="([^"]+)">(.*?)</script>', page)
    return {name: json.loads(content) for name, content in found}


def test_the_page_has_every_picture_and_loads_nothing(evaluated: Evaluation, tmp_path: Path) -> None:
    page = page_of(evaluated, tmp_path, "mercuric evaluate custom-cnn")
    by_layer = [f"layers-{what}-{place}" for place in range(3) for what in ("energy", "latency")]
    assert list(charts(page)) == [
        "levels", "trade-off", "batch-energy", "batch-latency", *(f"roofline-{place}" for place in range(3)),
        *by_layer, "parts",
    ]  # fmt: skip
    assert "://" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert page.count("data-sortable") >= 5
    assert "random weights, seed 0" in page
    assert "mercuric evaluate custom-cnn" in page


def test_bars_add_up_to_the_totals(evaluated: Evaluation, tmp_path: Path) -> None:
    levels = charts(page_of(evaluated, tmp_path))["levels"]["data"]
    totals = evaluated.totals()
    assert len(levels) == len(LEVELS) - 1  # of one array nothing goes to another
    heights = [sum(bars) for bars in zip(*(bar["y"] for bar in levels), strict=True)]
    assert heights == pytest.approx((totals["energy"] / totals["batch"]).tolist(), rel=1e-4)


def test_a_dense_evaluation_of_one_batch_leaves_out_what_it_has_not(tmp_path: Path) -> None:
    config = EvaluationConfig(
        model="custom-cnn", image_size=16, accelerators=("eyeriss-like",), dense=True, energies="horowitz-16"
    )
    page = page_of(evaluate(config), tmp_path)
    names = set(charts(page))
    assert {"levels", "layers-energy-0"} <= names
    assert names.isdisjoint({"batch-energy"})
    assert "MERCURY adds" not in page.split("</header>")[0]
    assert re.search("least energy on eyeriss-like: [0-9.]+\N{NO-BREAK SPACE}(m|u)J", page)


def test_another_engines_answers_get_a_table(evaluated: Evaluation, tmp_path: Path) -> None:
    answers = [
        {"accelerator": "eyeriss-like", "batch": 1, "layer": "features.0", "energy": 5e6, "cycles": 7e3}
    ]
    config = evaluated.config.model_copy(update={"engine": "zigzag"})
    page = page_of(replace(evaluated, config=config, engine=pd.DataFrame(answers)), tmp_path)
    assert "What zigzag says" in page
    assert "5.00 MMAC" in page


def test_names_that_look_like_html_are_text(evaluated: Evaluation, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    layers = evaluated.layers.replace({"layer": {"features.0": evil}, "accelerator": {"eyeriss-like": evil}})
    accelerators = (evaluated.accelerators[0].changed(name=evil), *evaluated.accelerators[1:])
    areas = {evil: next(iter(evaluated.areas.values()))}
    described = {**evaluated.described, "weights": evil, "model": evil}
    changed = replace(evaluated, layers=layers, accelerators=accelerators, areas=areas, described=described)
    assert evil not in page_of(changed, tmp_path, evil)


def test_the_table_has_a_row_for_each_accelerator_batch_and_design(evaluated: Evaluation) -> None:
    console = Console(width=160, record=True)
    console.print(evaluation_table(evaluated))
    text = console.export_text()
    for name in ("eyeriss-like", "simple-weight-stationary", "simple-output-stationary"):
        assert text.count(name) == 4
    assert text.count("x ") == text.count("MERCURY") == 6


def test_without_shares_the_table_fits_80_columns(evaluated: Evaluation) -> None:
    console = Console(width=80, record=True)
    console.print(evaluation_table(evaluated, shares=False))
    text = console.export_text()
    assert text.count("simple-output-stationary") == 4
    assert "MAC " not in text.replace("MMAC", "").replace("kMAC", "")
    assert "…" not in text
    assert "speed-up" in text


def test_figures_are_written_with_their_unit() -> None:
    assert energy(1.5e9, "MAC") == "1.50 GMAC"
    assert [energy(value, "pJ") for value in (2.0, 3e4, 1.234e9, 5e12)] == ["2 pJ", "30 nJ", "1.23 mJ", "5 J"]
    assert [seconds(value) for value in (2.5, 0.0125, 3e-6)] == ["2.5 s", "12.5 ms", "3 us"]
    assert [saved(10, 5), saved(10, 11), saved(0, 0)] == ["50.0 %", "-10.0 %", "0.0 %"]
