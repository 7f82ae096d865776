"""A run's folder as the experiments write it, with figures that belong together."""

import csv
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

WriteRun = Callable[..., Path]
POINTS = {"accuracy": 1, "bleu": 100}
VGG13 = [
    *(f"features.{index}" for index in (0, 2, 5, 7, 10, 12, 15, 17, 20, 22)),
    "classifier.0",
    "classifier.3",
]


def layer_rows(names: list[str], seeds: list[int], rng: random.Random) -> list[dict[str, Any]]:
    rows = []
    for seed in seeds:
        for index, name in enumerate(names):
            depth = index / max(1, len(names) - 1)
            vectors = round(5e8 * 0.7**index) + 40_000 + rng.randrange(1000)
            zero = round(vectors * (0.02 + 0.3 * depth))
            zero_hits = round(zero * 0.93)
            hits = zero_hits + round((vectors - zero) * rng.uniform(0.35, 0.6))
            mnu = round((vectors - hits) * 0.2)
            baseline = vectors * 40 * (1 + 3 * depth) if index else vectors * 6
            signature = vectors * 4.4
            share = 1 - hits / vectors
            rows.append(
                {
                    "seed": seed, "layer": name, "kind": "linear" if "classifier" in name else "conv3x3",
                    "vectors": vectors, "bits": 20 + index % 3, "HIT": hits, "MAU": vectors - hits - mnu,
                    "MNU": mnu, "zero": zero, "zero_hits": zero_hits,
                    "error": "" if index == 3 else round(0.1 + 0.25 * depth + rng.uniform(0, 0.03), 4),
                    "on": index != 0,
                    "cycles_baseline": round(baseline),
                    "cycles_mercury": round(baseline * (share + 0.08) + signature),
                    "cycles_signature": round(signature),
                    "fair_baseline": round(baseline / 2),
                    "fair_mercury": round(baseline / 2 * (share + 0.16) + signature),
                    "fair_signature": round(signature),
                }
            )  # fmt: skip
    return rows


def metric_lines(kinds: list[str], seeds: list[int], rng: random.Random, metric: str) -> list[str]:
    epochs, steps = 5, 60
    events: list[dict[str, Any]] = []
    for kind in kinds:
        slow = {"dense": 0.42, "reuse": 1.31}[kind]
        for seed in seeds:
            for step in range(epochs * steps):
                loss = 0.35 + 1.9 * math.exp(-step / 90) + 0.08 * (kind == "reuse") + rng.gauss(0, 0.09)
                events.append({"event": "step", "run": kind, "seed": seed, "epoch": step // steps,
                               "step": step, "loss": loss, "lr": 0.05,
                               "seconds": slow * (step + 1)})  # fmt: skip
                if (step + 1) % steps == 0:
                    epoch = step // steps
                    score = 0.9 - 0.25 * math.exp(-epoch) - 0.012 * (kind == "reuse") + rng.gauss(0, 0.004)
                    events.append({"event": "epoch", "run": kind, "seed": seed, "epoch": epoch,
                                   "step": step + 1, "train_loss": loss,
                                   "test_loss": loss + 0.05,
                                   f"test_{metric}": score * POINTS[metric],
                                   "seconds": slow * (step + 1)})  # fmt: skip
    return [json.dumps(event) for event in events]


def summarise(layers: list[dict[str, Any]], seeds: list[int], kinds: list[str], model: str) -> dict[str, Any]:
    def total(column: str) -> float:
        return sum(row[column] for row in layers) / len(seeds)

    several = [0.8912, 0.8874, 0.8931][: len(seeds)]
    mean = sum(several) / len(several)
    spread = 0.0024 if len(seeds) > 1 else None
    cycles = {name: total(f"cycles_{name}") for name in ("baseline", "mercury", "signature")}
    fair = {name: total(f"fair_{name}") for name in ("baseline", "mercury", "signature")}
    summary: dict[str, Any] = {
        "model": model, "data": "fashion-mnist", "form": "cifar", "seeds": seeds, "epochs": 5,
        "batch_size": 64, "train_images": 60000, "test_images": 10000, "weights": "trained from scratch",
        "seconds": {"dense": 412.0, "reuse": 1284.4},
        "machine": {"processor": "Example CPU 3000", "cores": 2, "memory_gib": 15.6, "python": "3.11.2",
                    "torch": "2.13.0", "mercuric": "0.1.0"},
        "cycles": {"accelerator": "eyeriss-168", "timing": "paper", **cycles, "fair": fair},
        "speedup": {"paper": cycles["baseline"] / cycles["mercury"],
                    "fair": fair["baseline"] / fair["mercury"], "published": 1.97},
        "dense": {"accuracy": mean, "accuracies": several, "spread": spread},
        "reuse": {"accuracy": mean - 0.0131, "accuracies": [value - 0.0131 for value in several],
                  "spread": spread, "accuracy_without_reuse": mean - 0.0102,
                  "hit_rate": total("HIT") / total("vectors"), "zero_rate": total("zero") / total("vectors"),
                  "similar_rate": (total("HIT") - total("zero_hits")) / total("vectors"), "bits": 20.9},
    }  # fmt: skip
    if "reuse" not in kinds:
        del summary["reuse"], summary["speedup"], summary["seconds"]["reuse"]
        summary["cycles"] = {"accelerator": "eyeriss-168", "timing": "paper", "baseline": cycles["baseline"]}
    if "dense" not in kinds:
        del summary["dense"], summary["seconds"]["dense"]
    return summary


def translate(summary: dict[str, Any]) -> None:
    """Turn accuracies, fractions of images, into BLEU, 0 to 100."""
    summary.update(model="transformer", data="help-en-de", metric="bleu", train_pairs=5000,
                   train_pairs_available=32000, test_pairs=1500)  # fmt: skip
    del summary["train_images"], summary["test_images"], summary["form"]
    for kind in summary.keys() & {"dense", "reuse"}:
        part = summary[kind]
        part["bleu"], part["spread"] = 100 * part.pop("accuracy"), 100 * (part["spread"] or 0)
        part["bleus"] = [100 * score for score in part.pop("accuracies")]
        if kind == "reuse":
            part["bleu_without_reuse"] = 100 * part.pop("accuracy_without_reuse")


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Write a run's folder; ``change`` may alter the summary before it is written."""

    def write(
        name: str = "first-run",
        model: str = "vgg13",
        seeds: tuple[int, ...] = (0, 1, 2),
        kinds: tuple[str, ...] = ("dense", "reuse"),
        layers: list[str] | None = None,
        change: Callable[[dict[str, Any]], None] = lambda _: None,
        metric: str = "accuracy",
    ) -> Path:
        rng = random.Random(7)
        folder = tmp_path / name
        folder.mkdir()
        rows = layer_rows(layers or VGG13, list(seeds), rng)
        summary = summarise(rows, list(seeds), list(kinds), model)
        if metric == "bleu":
            translate(summary)
        change(summary)
        (folder / "summary.json").write_text(json.dumps(summary))
        config = {"model": model, "reuse": {"bits": 20, "ways": 16}}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        lines = metric_lines(list(kinds), list(seeds), rng, metric)
        (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
        if "reuse" in kinds:
            with (folder / "layers.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        return folder

    return write
