import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.page import write_page
from mercuric.studies.train.study import compare, lesson_of

PAIRS = (
    ("Opens a file.", "Öffnet eine Datei."),
    ("Opens a new table.", "Öffnet eine neue Tabelle."),
    ("Closes the table and the file.", "Schließt die Tabelle und die Datei."),
    ("Shows the page.", "Zeigt die Seite an."),
    ("Shows a new page in the window.", "Zeigt eine neue Seite im Fenster an."),
    ("Closes the window.", "Schließt das Fenster."),
)


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    """A folder with six training pairs and two test pairs."""
    root = tmp_path / "sentences"
    root.mkdir()
    for part, pairs in (("train", PAIRS), ("test", PAIRS[:2])):
        lines = "".join(f"{source}\t{target}\n" for source, target in pairs)
        (root / f"{part}.tsv").write_text(lines, encoding="utf-8")
    return root


def config(root: Path, **fields: Any) -> RunConfig:
    training = {"batch_size": 2, "optimizer": "adamw", "learning_rate": 1e-3, "clip_norm": 1.0}
    given = {"model": "transformer", "data": "tsv", "data_root": str(root), "width": 0.25}
    return RunConfig(**{**given, "training": training, **fields})


def test_images_are_classified_by_a_network_of_their_shape() -> None:
    training = {"label_smoothing": 0.1, "augment": True}
    lesson = lesson_of(RunConfig(model="custom-cnn", image_size=24, width=0.5, training=training))
    assert lesson.task.metric == "accuracy"
    assert lesson.build()(torch.zeros(2, 3, 24, 24)).shape == (2, 7)
    assert lesson.build().get_parameter("features.0.weight").shape == (16, 3, 3, 3)
    assert (lesson.task.label_smoothing, lesson.task.augment) == (0.1, True)
    assert lesson.described == {
        "form": "cifar", "train_images": 10_500, "train_images_available": 10_500, "test_images": 2100
    }  # fmt: skip


def test_sentences_are_translated_by_a_transformer_of_their_vocabulary(sentences: Path) -> None:
    lesson = lesson_of(config(sentences, train_examples=5))
    assert lesson.task.metric == "bleu"
    source = torch.ones(2, 3, dtype=torch.int64)
    assert lesson.build()(source, source).shape == (2, 3, lesson.described["vocabulary"])
    assert len(lesson.task) == lesson.described["train_pairs"] == 5
    assert (lesson.described["train_pairs_available"], lesson.described["test_pairs"]) == (6, 2)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "vgg13"}, "data was 'tsv', which holds sentences, but vgg13 needs images"),
        ({"data": "photos"}, "data was 'photos', which holds images, but transformer needs sentences"),
        ({"image_size": 32}, "image_size was 32, but tsv holds sentences"),
        ({"train_examples": 7}, "train_examples was 7, but must be from 1 to the 6 there are"),
        ({"training": {"augment": True}}, "augment was True, but must be False for the sentences of tsv"),
    ],
)
def test_what_does_not_fit(sentences: Path, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        lesson_of(config(sentences, **fields))


def test_a_translation_is_compared_and_reported_in_bleu(sentences: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    summary = compare(config(sentences, runs=("dense", "reuse"), seeds=(0, 1)), out)
    logged = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert summary["metric"] == "bleu"
    for run in ("dense", "reuse"):
        scores = [line["test_bleu"] for line in logged if (line["event"], line["run"]) == ("epoch", run)]
        assert summary[run]["bleus"] == scores
        assert summary[run]["bleu"] == pytest.approx(sum(scores) / 2)
    assert summary["reuse"].keys() >= {"bleu_without_reuse", "hit_rate", "final_bits", "layers_off"}
    assert "accuracy" not in json.dumps(summary)
    page = write_page(out, "mercuric train").read_text(encoding="utf-8")
    assert "Test BLEU by epoch" in page
    assert "6 training sentence pairs, 2 test sentence pairs" in page
