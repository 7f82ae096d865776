import math
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
import sacrebleu
import torch

from mercuric import data
from mercuric.data import TextData
from mercuric.training.translation import TranslationTask, bleu, translate
from mercuric.zoo.transformer import Transformer, build_transformer

PAIRS = (
    ("Opens a file.", "Öffnet eine Datei."),
    ("Opens a new table.", "Öffnet eine neue Tabelle."),
    ("Closes the table and the file.", "Schließt die Tabelle und die Datei."),
    ("Shows the page.", "Zeigt die Seite an."),
    ("Shows a new page in the window.", "Zeigt eine neue Seite im Fenster an."),
    ("Closes the window.", "Schließt das Fenster."),
)


@pytest.fixture
def sentences(tmp_path: Path) -> TextData:
    for part, pairs in (("train", PAIRS), ("test", PAIRS[::-1])):
        lines = "".join(f"{source}\t{target}\n" for source, target in pairs)
        (tmp_path / f"{part}.tsv").write_text(lines, encoding="utf-8")
    return data.load("tsv", tmp_path, vocabulary_size=120)


@pytest.fixture
def network(sentences: TextData) -> Transformer:
    torch.manual_seed(0)
    return build_transformer(len(sentences.vocabulary), width=0.25, layers=1, dropout=0.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_mean_over_the_target_s_subwords_and_ends(
    smoothing: float, sentences: TextData, network: Transformer
) -> None:
    expected, count = 0.0, 0
    for place in (0, 2, 4):
        source, target = sentences.train.batch(torch.tensor([place]))
        chances = network(source, target)[0].log_softmax(-1)
        for position, following in enumerate(target[0, 1:]):
            right, uniform = chances[position, following], chances[position].mean()
            expected -= ((1 - smoothing) * right + smoothing * uniform).item()
            count += 1
    task = TranslationTask(sentences, label_smoothing=smoothing)
    loss = task.loss(network, torch.tensor([0, 2, 4]), None)
    assert loss.item() == pytest.approx(expected / count, rel=1e-4)
    assert loss.requires_grad


def test_the_test_loss_is_unsmoothed_and_the_same_for_every_batch_size(
    sentences: TextData, network: Transformer
) -> None:
    task = TranslationTask(sentences, beam=1)
    expected = TranslationTask(sentences, label_smoothing=0.0).loss(network, torch.arange(6), None).item()
    losses = [task.evaluate(network, batch_size)["test_loss"] for batch_size in (1, 4, 64)]
    assert losses == pytest.approx([expected] * 3, rel=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_and_translation_leave_the_network_s_mode(
    training: bool, sentences: TextData, network: Transformer
) -> None:
    network.train(training)
    TranslationTask(sentences, beam=1).evaluate(network, 4)
    translate(network, sentences.vocabulary, ["Opens a file."])
    assert network.training == training


def test_bleu_is_sacrebleu_s_of_the_first_translations(sentences: TextData, network: Transformer) -> None:
    task = TranslationTask(sentences, beam=2, test_sentences=4)
    figures = task.evaluate(network, 3)
    found = translate(network, sentences.vocabulary, sentences.test.sources[:4], 64, beam=2)
    expected = sacrebleu.corpus_bleu(found, [list(sentences.test.targets[:4])]).score
    assert figures["test_bleu"] == pytest.approx(expected)
    assert (task.metric, len(task)) == ("bleu", 6)


def test_bleu_is_100_for_the_references_and_keeps_case() -> None:
    references = [target for _, target in PAIRS]
    score, signature = bleu(references, references)
    assert score == pytest.approx(100)
    assert {"tok:13a", "case:mixed", "nrefs:1"} < set(signature.split("|"))
    assert bleu([reference.lower() for reference in references], references)[0] < 90


def test_a_network_learns_to_translate(sentences: TextData, network: Transformer) -> None:
    task = TranslationTask(sentences, label_smoothing=0.0, beam=1)
    before = task.evaluate(network, 6)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        task.loss(network, torch.arange(6), None).backward()
        optimizer.step()
    after = task.evaluate(network, 4)
    assert before["test_loss"] > math.log(len(sentences.vocabulary)) / 2 > 10 * after["test_loss"]
    assert before["test_bleu"] < 5
    assert after["test_bleu"] == pytest.approx(100)
    assert translate(network, sentences.vocabulary, ["Shows the page.", "", "Opens a file."], 2) == [
        "Zeigt die Seite an.",
        "",
        "Öffnet eine Datei.",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "must"),
    [
        ("label_smoothing", 1.0, "from 0 to below 1"),
        ("beam", 0, "at least 1"),
        ("length_penalty", -1.0, "at least 0"),
        ("test_sentences", 0, "from 1 to 6, the number of test sentences"),
        ("test_sentences", 7, "from 1 to 6, the number of test sentences"),
    ],
)
def test_an_impossible_setting_is_refused(setting: str, value: float, must: str, sentences: TextData) -> None:
    with pytest.raises(ValueError, match=f"^{setting} was {value}, but it must be {must}"):
        TranslationTask(sentences, **{setting: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_equal_text_is_equal_in_every_form_of_unicode(forms: tuple[Literal["NFC", "NFD"], ...]) -> None:
    text = "Das L\u00f6schen der gr\u00f6\u00dften Men\u00fcs \u00e4ndert nichts."
    said, right = (unicodedata.normalize(form, text) for form in forms)
    assert bleu([said], [right])[0] == pytest.approx(100)
