"""What does Fig. 13's claim say of several trainings with several seeds?"""

import json
from pathlib import Path

import pytest

from mercuric.studies.reproduce.claim import all_claims
from mercuric.studies.reproduce.found import answer
from mercuric.studies.reproduce.verdict import holds

CLAIM = all_claims()["figure_13"]


def write(folder: Path, model: str, metric: str, dense: list[float], reuse: list[float]) -> None:
    scores = {
        kind: {metric: sum(own) / len(own), {"accuracy": "accuracies", "bleu": "bleus"}[metric]: own}
        for kind, own in (("dense", dense), ("reuse", reuse))
    }
    summary = {
        "model": model, "data": "photos", "metric": metric, "seeds": list(range(len(dense))), "epochs": 1,
        "train_images": 8, **scores,
    }  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(summary))


def test_each_seed_has_a_mean_of_its_own_and_all_have_the_one_that_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", "vgg13", "accuracy", [0.90, 0.92, 0.91], [0.89, 0.92, 0.89])
    write(tmp_path / "b", "resnet18", "accuracy", [0.80, 0.80, 0.80], [0.79, 0.80, 0.79])
    write(tmp_path / "c", "transformer", "bleu", [6.0, 7.0, 6.5], [6.5, 6.0, 6.0])
    for table, rows in {"accuracy": "ab", "translation": "c"}.items():
        (tmp_path / table).mkdir()
        (tmp_path / table / "accuracy.csv").write_text("\n".join(["row", *rows]))
        for row in rows:
            (tmp_path / row).rename(tmp_path / table / row)
    found = answer(CLAIM, {name: tmp_path / name for name in ("accuracy", "translation")})
    numbers = found.numbers
    assert "of 2 trainings, and 0.33 BLEU of 6.50 (-0.50 to 1.00 over seeds); the same" in found.why
    assert numbers["lost"].ours == pytest.approx((1.0 + 2 / 3) / 2)
    assert numbers["lost"].spread == pytest.approx((0.0, 1.5))
    assert numbers["lost"].beside == "0.67 to 1.00 in 2 trainings"
    assert numbers["bleu"].ours == pytest.approx(1 / 3)
    assert numbers["bleu"].spread == pytest.approx((-0.5, 1.0))
    assert holds(CLAIM.statements["lost"], numbers["lost"]) is None


def test_one_seed_has_no_spread_and_images_have_no_bleu(tmp_path: Path) -> None:
    write(tmp_path / "run", "vgg13", "accuracy", [0.9], [0.88])
    found = answer(CLAIM, {"training": tmp_path / "run"})
    assert found.numbers["lost"].ours == pytest.approx(2.0)
    assert found.numbers["lost"].spread is None
    assert found.numbers["bleu"].ours is None and "BLEU" not in found.why
    assert found.pictures[0].chart.data[0].x == ("vgg13, photos",)
