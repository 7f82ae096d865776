"""Fig. 13: what does training with reuse cost in accuracy?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.pictures import bars, tabulated
from mercuric.studies.reproduce.studied import setting_of_summary
from mercuric.studies.train.summary_file import Summary, parse_summary

TABLES = "accuracy", "translation"
POINTS = {"accuracy": 100.0, "bleu": 1.0}


def found(folders: Mapping[str, Path]) -> Found:
    """The table of accuracy where it was trained, else one network."""
    summaries = _summaries(folders)
    scores = pd.concat([_scores(name, one) for name, one in summaries.items()], ignore_index=True)
    accuracy = scores[scores["metric"] == "accuracy"]
    lost = accuracy["lost"].groupby(accuracy["training"]).mean()
    trainings = formats.number_of(len(lost), "training")
    beside = f"{formats.between(f'{lost.min():.2f}', f'{lost.max():.2f}')} in {trainings}"
    means = scores.groupby("training", sort=False)[["dense", "reuse"]].mean()
    names = [str(name) for name in means.index]
    series = {"dense": means["dense"].tolist(), "with reuse": means["reuse"].tolist()}
    return Found(
        {"lost": _lost(accuracy, beside), "bleu": _lost(scores[scores["metric"] == "bleu"])},
        f"{lost.mean():.2f} points lost on average of {trainings}{_translated(scores)}; the same weights, "
        "data order and steps on both sides.",
        [fact for one in summaries.values() for fact in setting_of_summary(one)],
        [
            Picture(
                "figure-13", "Scores after training", "Test accuracy in per cent, or BLEU; means over seeds.",
                bars(names, series, "score"),
            )
        ],
        [tabulated("training", names, series, _score)],
    )  # fmt: skip


def _summaries(folders: Mapping[str, Path]) -> dict[str, Summary]:
    """By the name of the training."""
    if "accuracy" not in folders:
        summary = parse_summary(read_json_object(folders["training"] / "summary.json"))
        return {f"{summary.model}, {summary.data}": summary}
    tables = [folders[name] for name in TABLES if name in folders]
    return {
        row: parse_summary(read_json_object(table / row / "summary.json"))
        for table in tables
        for row in pd.read_csv(table / "accuracy.csv")["row"].astype(str)
    }


def _scores(training: str, summary: Summary) -> pd.DataFrame:
    """A row a seed, in points."""
    if summary.dense is None or summary.mercury_part is None:
        return pd.DataFrame(columns=["training", "metric", "seed", "dense", "reuse", "lost"])
    points = POINTS[summary.metric_name]
    dense, reuse = (
        [points * score for score in one.scores or [one.score]]
        for one in (summary.dense, summary.mercury_part)
    )
    table = pd.DataFrame({"seed": summary.seeds[: len(dense)], "dense": dense, "reuse": reuse})
    return table.assign(training=training, metric=summary.metric_name, lost=table["dense"] - table["reuse"])


def _lost(scores: pd.DataFrame, beside: str = "") -> Number:
    """The mean over trainings, of all seeds and of each."""
    seeds = [float(group.mean()) for _, group in scores["lost"].groupby(scores["seed"])]
    return (
        Number(float(scores["lost"].mean()), spread=spread_of(seeds), beside=beside)
        if seeds
        else Number(None)
    )


def _translated(scores: pd.DataFrame) -> str:
    """What the translation lost, as the sentence goes on; nothing where none was trained."""
    bleu = scores[scores["metric"] == "bleu"]
    if bleu.empty:
        return ""
    seeds = bleu["lost"]
    spread = f" ({seeds.min():.2f} to {seeds.max():.2f} over seeds)" if len(seeds) > 1 else ""
    return f", and {seeds.mean():.2f} BLEU of {bleu['dense'].mean():.2f}{spread}"


def _score(value: float | None) -> str:
    return formats.MISSING if value is None else f"{value:.2f}"
