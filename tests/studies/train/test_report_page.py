"""Does the page hold the run's figures, safely and in one file?"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mercuric.errors import MercuricError
from mercuric.page import formats
from mercuric.page.score import METRICS
from mercuric.studies.train.page import write_page

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """The parsed page: visible text, elements, charts, tables."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.charts: dict[str, Any] = {}
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self._chart: str | None = None
        self.feed(path.read_text(encoding="utf-8"))
        assert not self._open, f"unclosed elements: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        self._chart = dict(attrs).get("data-chart") if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self._chart = None

    def handle_data(self, data: str) -> None:
        if self._chart:
            self.charts[self._chart] = json.loads(data)
        elif not {"script", "style"} & set(self._open):
            self.texts.append(data)
            if {"td", "th"} & set(self._open):
                self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))

    def row(self, *start: str) -> list[str]:
        return next(row for row in self.rows if tuple(row[: len(start)]) == start)


def summary_of(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "summary.json").read_text())
    return content


def test_figures_are_those_of_the_summary(write_run):
    run = write_run()
    page, summary = Page(write_page(run, "mercuric train vgg13 --compare")), summary_of(run)
    assert page.row("test accuracy")[1:3] == [
        METRICS["accuracy"].written(summary[kind]["accuracy"]) for kind in ("dense", "reuse")
    ]
    assert page.row("wall-clock training time")[1:3] == ["6 min 52 s", "21 min 24 s"]
    assert page.row("speed-up, paper timing")[2:] == [formats.ratio(summary["speedup"]["paper"]), "1.97x"]
    assert page.row("speed-up, fair timing")[2] == formats.ratio(summary["speedup"]["fair"])
    assert page.row("hit rate")[2] == formats.percent(summary["reuse"]["hit_rate"])
    assert page.row("cycles, paper timing")[1] == formats.count(summary["cycles"]["baseline"])
    assert "loses 1.31 points of accuracy" in page.text
    assert "Example CPU 3000" in page.text
    assert "mercuric train vgg13 --compare" in page.text
    assert "ways: 16" in page.text


def test_layer_rows_are_means_over_seeds(write_run):
    run = write_run()
    layers = pd.read_csv(run / "layers.csv")
    mean = layers[layers["layer"] == "features.5"].mean(numeric_only=True)
    row = Page(write_page(run, "")).row("3", "features.5")
    assert row[3] == formats.count(mean["vectors"])
    assert row[7] == formats.percent(mean["MAU"] / mean["vectors"])
    assert row[13] == formats.ratio(mean["cycles_baseline"] / mean["cycles_mercury"])
    assert row[14] == formats.ratio(mean["fair_baseline"] / mean["fair_mercury"])


def test_every_layer_has_bars_that_sum_to_one(write_run):
    bars = Page(write_page(write_run(), "")).charts["hitmap"]["data"]
    assert [bar["name"].split(",")[0] for bar in bars] == ["HIT", "HIT", "MAU", "MNU"]
    assert [sum(shares) for shares in zip(*(bar["y"] for bar in bars), strict=True)] == pytest.approx(
        [1.0] * 12, abs=1e-5
    )


def test_cycles_split_in_products_and_signatures(write_run):
    run = write_run(seeds=(0,))
    layers = pd.read_csv(run / "layers.csv")
    baseline, products, signatures, losing = Page(write_page(run, "")).charts["cycles"]["data"]
    assert baseline["y"] == layers["cycles_baseline"].tolist()
    assert signatures["base"] == products["y"]
    total = [one + other for one, other in zip(products["y"], signatures["y"], strict=True)]
    assert total == layers["cycles_mercury"].tolist()
    assert losing["customdata"][0][0] == "features.0"
    assert len(losing["x"]) == (layers["cycles_mercury"] > layers["cycles_baseline"]).sum()


@pytest.mark.parametrize(("seeds", "lines"), [((0,), 2), ((0, 1, 2), 8)])
def test_a_line_a_seed_and_their_mean(write_run, seeds, lines):
    page = Page(write_page(write_run(seeds=seeds), ""))
    for chart in ("loss-steps", "loss-seconds", "score"):
        assert len(page.charts[chart]["data"]) == lines
        named = [line["name"] for line in page.charts[chart]["data"] if line["showlegend"]]
        assert named == ["dense", "MERCURY"]


def test_accuracy_line_is_the_mean_of_the_epochs(write_run):
    run = write_run()
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = [
        event["test_accuracy"]
        for event in events
        if event["event"] == "epoch" and event["run"] == "reuse" and event["epoch"] == 4
    ]
    line = Page(write_page(run, "")).charts["score"]["data"][-1]
    assert line["x"] == [1, 2, 3, 4, 5]
    assert line["y"][-1] == pytest.approx(sum(last) / 3, abs=1e-5)


def test_hostile_names_are_text(write_run):
    hostile = "</script><script>alert(1)</script>"
    run = write_run(model=hostile, layers=["conv1", hostile, '<a href="https://example.org">x</a>'])
    report = write_page(run, "")
    page = Page(report)
    assert hostile in page.text
    assert page.row("2")[1] == hostile
    assert "alert(1)</script>" not in report.read_text(encoding="utf-8")
    hovers = page.charts["hitmap"]["data"][0]["customdata"]
    assert hovers[1] == "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
    assert all("<" not in label for label in page.charts["hitmap"]["layout"]["xaxis"]["ticktext"])


def test_page_loads_nothing(write_run):
    page = Page(write_page(write_run(), ""))
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "base")]
    assert not [attrs for _, attrs in page.elements if {"src", "href", "srcset"} & attrs.keys()]
    policy = next(attrs["content"] for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_writing_again_gives_the_same_bytes(write_run):
    run = write_run()
    first = write_page(run, "").read_bytes()
    assert write_page(run, "").read_bytes() == first
    assert sorted(path.name for path in run.iterdir()) == [
        "config.yaml", "layers.csv", "metrics.jsonl", "report.html", "summary.json"
    ]  # fmt: skip


def test_failure_leaves_the_old_report_and_no_temporary_file(write_run, monkeypatch):
    run = write_run()
    (run / "report.html").write_text("old")
    before = sorted(run.iterdir())

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(MercuricError, match=r"report\.html cannot be written: No space left"):
        write_page(run, "")
    assert sorted(run.iterdir()) == before
    assert (run / "report.html").read_text() == "old"


def test_dense_alone(write_run):
    page = Page(write_page(write_run(kinds=("dense",)), ""))
    assert "Dense training of vgg13 on fashion-mnist reaches 89.06 % accuracy" in page.text
    assert "Layer by layer" not in page.text
    assert page.row("test accuracy") == ["test accuracy", "89.06 %"]


def test_reuse_alone(write_run):
    page = Page(write_page(write_run(kinds=("reuse",)), ""))
    assert "reaches 87.75 % accuracy" in page.text
    assert "Layer by layer" in page.text
    assert page.row("wall-clock training time")[1] == ""


def test_losing_cycles_is_said(write_run):
    def lose(summary: dict[str, Any]) -> None:
        summary["speedup"] = {"paper": 1.4, "fair": 0.93, "published": None}

    text = Page(write_page(write_run(change=lose), "")).text
    assert "1.40x faster in the paper's timing but slower (0.93x) against a pipelined baseline" in text
    assert "no published figure" in text


def test_many_layers_keep_their_labels_apart(write_run):
    names = [f"model.features.denseblock{index // 40}.layer{index % 40}.conv1" for index in range(160)]
    page = Page(write_page(write_run(layers=names, seeds=(0,)), ""))
    axis = page.charts["hitmap"]["layout"]["xaxis"]
    assert len(axis["ticktext"]) <= 36
    assert max(map(len, axis["ticktext"])) <= 22
    assert page.charts["hitmap"]["data"][0]["customdata"] == names


def test_without_logged_steps_the_rest_is_shown(write_run):
    run = write_run()
    (run / "metrics.jsonl").write_text("")
    page = Page(write_page(run, ""))
    assert "loss-steps" not in page.charts
    assert "hitmap" in page.charts


def test_a_diverged_loss_leaves_a_gap(write_run):
    run = write_run(seeds=(0,))
    lines = (run / "metrics.jsonl").read_text().splitlines()
    diverged = [re.sub(r'"loss": [^,]+', '"loss": NaN', line) for line in lines]
    (run / "metrics.jsonl").write_text("".join(f"{line}\n" for line in diverged))
    assert set(Page(write_page(run, "")).charts["loss-steps"]["data"][0]["y"]) == {None}


def test_a_bleu_is_no_percentage(write_run):
    page = Page(write_page(write_run(metric="bleu"), ""))
    assert page.row("test BLEU") == ["test BLEU", "89.06", "87.75", ""]
    assert page.row("each seed")[1] == "89.12 · 88.74 · 89.31"
    assert page.row("spread over seeds")[1] == "0.24 points"
    assert page.row("evaluated without reuse")[2] == "88.04"
    assert "loses 1.31 points of BLEU" in page.text
    assert "Test BLEU on help-en-de over 3 seeds: 89.06 dense and 87.75 with MERCURY." in page.text
    assert "\N{MINUS SIGN}1.31 points to dense 89.06" in page.text
    assert "5,000 (drawn once for all runs) of 32,000 training sentence pairs, 1,500 test" in page.text
    assert "accuracy" not in page.text
    chart = page.charts["score"]
    assert chart["layout"]["yaxis"]["title"]["text"] == "test BLEU"
    assert 80 < chart["data"][-1]["y"][-1] < 95
    assert chart["data"][-1]["hovertemplate"] == "%{y:.2f}"
    assert "%" not in chart["layout"]["yaxis"]["tickformat"]


@pytest.mark.parametrize(("kinds", "sentence"), [
    (("dense",), "Dense training of transformer on help-en-de reaches 89.06 BLEU"),
    (("reuse",), "reaches 87.75 BLEU"),
])  # fmt: skip
def test_a_bleu_of_one_kind(write_run, kinds, sentence):
    assert sentence in Page(write_page(write_run(metric="bleu", kinds=kinds), "")).text


def test_fewer_examples_and_a_width_are_said(write_run):
    def shrink(summary: dict[str, Any]) -> None:
        summary.update(width=0.25, train_images=6000, train_images_available=60000)

    text = Page(write_page(write_run(change=shrink), "")).text
    assert "vgg13 at width 0.25 on fashion-mnist: 6,000 (drawn once for all runs) of 60,000 training" in text
    assert "MERCURY trains vgg13 at width 0.25 " in text


@pytest.mark.parametrize(
    ("final_bits", "expected"),
    [
        ([{"a": 20, "b": 23}, {"a": 21, "b": 20}], ["at the end of training", "", "20 to 23", ""]),
        ([{"a": 24}, {"a": 24}], ["at the end of training", "", "24", ""]),
        ([{"a": 20.9}], None),
        ([], None),
    ],
)
def test_bits_that_grew_are_said(write_run, final_bits, expected):
    run = write_run(change=lambda summary: summary["reuse"].update(final_bits=final_bits))
    rows = [row for row in Page(write_page(run, "")).rows if row[0] == "at the end of training"]
    assert rows == ([expected] if expected else [])


def test_adaptation_has_a_section_of_its_own(write_run):
    run = write_run()
    assert "adaptation-bits" not in Page(write_page(run, "")).charts
    (run / "adaptation.csv").write_text("seed,step,layer,what,before,after\n0,40,,bits,20,21\n")
    page = Page(write_page(run, ""))
    assert "adaptation-bits" in page.charts
    assert "Signatures grew from" in page.text
