import json
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ImageData, Split
from mercuric.errors import MercuricError
from mercuric.training import ClassificationTask, TrainingConfig, TrainingRun, load_weights

CONFIG = TrainingConfig(epochs=2, batch_size=8, learning_rate=0.02)


@dataclass
class Watched:
    """A split that remembers what was asked of it."""

    split: Split
    asked: list[list[int]] = field(default_factory=list)
    given: list[Tensor] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        images, labels = self.split.batch(indices, generator)
        self.asked.append(indices.tolist())
        self.given.append(images)
        return images, labels


def run(folder: Path, images: ImageData, seed: int = 0, **fields: Any) -> TrainingRun:
    torch.manual_seed(seed)
    model = zoo.build("custom-cnn", 7, 3, images.image_size)
    config = CONFIG.model_copy(update=fields)
    task = ClassificationTask(images, config.label_smoothing, config.augment)
    return TrainingRun("dense", seed, model, task, config, folder)


def trained(folder: Path, images: ImageData, seed: int = 0, **fields: Any) -> dict[str, Tensor]:
    training = run(folder, images, seed, **fields)
    training.fit()
    return training.model.state_dict()


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def lines(folder: Path, event: str) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line for line in read if line["event"] == event]


@pytest.mark.parametrize("augment", [False, True])
def test_one_seed_gives_the_same_weights_twice(tmp_path: Path, few_photos: ImageData, augment: bool) -> None:
    first, again = (trained(tmp_path / name, few_photos, 5, augment=augment) for name in ("a", "b"))
    assert same(first, again)
    assert not same(first, trained(tmp_path / "c", few_photos, 6, augment=augment))


def test_an_epoch_shows_full_batches_of_different_images(tmp_path: Path, few_photos: ImageData) -> None:
    watched = Watched(few_photos.train)
    run(tmp_path, replace(few_photos, train=watched)).fit()
    assert [len(indices) for indices in watched.asked] == [8] * 10
    first, second = ([*chain(*epoch)] for epoch in (watched.asked[:5], watched.asked[5:]))
    assert len(set(first)) == len(set(second)) == 40
    assert first != second


def test_augmentation_changes_the_images_not_their_order(tmp_path: Path, few_photos: ImageData) -> None:
    plain, augmented = Watched(few_photos.train), Watched(few_photos.train)
    run(tmp_path / "plain", replace(few_photos, train=plain)).fit()
    run(tmp_path / "augmented", replace(few_photos, train=augmented), augment=True).fit()
    assert plain.asked == augmented.asked
    assert not any(torch.equal(a, b) for a, b in zip(plain.given, augmented.given, strict=True))


def test_the_order_is_drawn_once_an_epoch(
    tmp_path: Path, few_photos: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    randperm = torch.randperm

    def watched(count: int, **options: Any) -> Tensor:
        drawn.append(count)
        return randperm(count, **options)

    monkeypatch.setattr(torch, "randperm", watched)
    run(tmp_path, few_photos).fit()
    assert drawn == [44, 44]


def test_after_a_step_its_loss_is_told(tmp_path: Path, few_photos: ImageData) -> None:
    told: list[float] = []
    biases: list[Tensor] = []
    training = run(tmp_path, few_photos, epochs=1)

    def after_step(loss: float) -> None:
        told.append(loss)
        biases.append(training.model.get_parameter("classifier.3.bias").detach().clone())

    replace(training, after_step=after_step).fit()
    assert told == [line["loss"] for line in lines(tmp_path, "step")]
    final = training.model.get_parameter("classifier.3.bias")
    assert torch.equal(biases[-1], final)
    assert not torch.equal(biases[-2], final)


@pytest.mark.parametrize("clip_norm", [1e-3, 1e3])
def test_gradients_are_clipped_to_their_norm(tmp_path: Path, few_photos: ImageData, clip_norm: float) -> None:
    fields = {"batch_size": 44, "momentum": 0, "weight_decay": 0, "schedule": "constant", "epochs": 1}
    training = run(tmp_path / "free", few_photos, **fields)
    before = [parameter.detach().clone() for parameter in training.model.parameters()]
    training.fit()
    free = _length(before, training.model) / CONFIG.learning_rate
    clipped = run(tmp_path / "clipped", few_photos, **fields, clip_norm=clip_norm)
    clipped.fit()
    assert 1e-3 < free < 1e3
    assert _length(before, clipped.model) / CONFIG.learning_rate == pytest.approx(
        min(free, clip_norm), rel=1e-3
    )


def _length(before: list[Tensor], model: nn.Module) -> float:
    moved = [after.detach() - start for start, after in zip(before, model.parameters(), strict=True)]
    return float(torch.cat([change.flatten() for change in moved]).norm())


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_first_loss_is_the_cross_entropy(tmp_path: Path, few_photos: ImageData, smoothing: float) -> None:
    watched = Watched(few_photos.train)
    training = run(tmp_path, replace(few_photos, train=watched), epochs=1, label_smoothing=smoothing)
    before = training.model.state_dict()
    fresh = zoo.build("custom-cnn", 7, 3, 16)
    fresh.load_state_dict({name: tensor.clone() for name, tensor in before.items()})
    training.fit()
    images, labels = few_photos.train.batch(torch.tensor(watched.asked[0]))
    expected = F.cross_entropy(fresh(images), labels, label_smoothing=smoothing).item()
    assert lines(tmp_path, "step")[0]["loss"] == pytest.approx(expected, rel=1e-6)


def test_every_step_and_epoch_is_logged(tmp_path: Path, few_photos: ImageData) -> None:
    figures = run(tmp_path, few_photos).fit()
    steps, epochs = lines(tmp_path, "step"), lines(tmp_path, "epoch")
    assert [(line["epoch"], line["step"]) for line in steps] == [(i // 5, i + 1) for i in range(10)]
    assert [(line["epoch"], line["step"]) for line in epochs] == [(0, 5), (1, 10)]
    for epoch, line in enumerate(epochs):
        losses = [step["loss"] for step in steps[epoch * 5 : epoch * 5 + 5]]
        assert line["train_loss"] == pytest.approx(sum(losses) / 5)
    assert figures["test_accuracy"] == epochs[-1]["test_accuracy"]
    assert figures["seconds"] == pytest.approx(steps[-1]["seconds"], abs=1e-3)


def test_the_epochs_that_are_tested(tmp_path: Path, few_photos: ImageData) -> None:
    run(tmp_path, few_photos, epochs=5, test_every=2).fit()
    epochs = lines(tmp_path, "epoch")
    assert [line["epoch"] for line in epochs] == [1, 3, 4]
    losses = [line["loss"] for line in lines(tmp_path, "step")]
    half = len(losses) * 2 // 5
    assert epochs[0]["train_loss"] == pytest.approx(sum(losses[:half]) / half)


def test_it_learns_real_photographs(tmp_path: Path) -> None:
    photos = data.load("photos", image_size=16)
    split = replace(photos.train, images=photos.train.images[:1600], labels=photos.train.labels[:1600])
    figures = run(tmp_path, replace(photos, train=split), batch_size=32, epochs=1, learning_rate=0.05).fit()
    assert figures["test_accuracy"] > 0.35
    assert figures["train_loss"] < 1.8


def test_a_batch_larger_than_the_training_set(tmp_path: Path, few_photos: ImageData) -> None:
    with pytest.raises(ValueError, match="batch_size was 45, but must be at most the 44 training examples"):
        run(tmp_path, few_photos, batch_size=45).fit()


def test_a_loss_that_is_no_number_keeps_the_last_checkpoint(tmp_path: Path, few_photos: ImageData) -> None:
    training = run(tmp_path, few_photos, checkpoint_every=2)

    def poison(step: int, _total: int, _what: str) -> None:
        if step == 3:
            next(training.model.parameters()).data.fill_(float("nan"))

    with pytest.raises(
        MercuricError, match="seed 0 became nan at step 4; try a learning_rate under"
    ) as caught:
        replace(training, progress=poison).fit()
    assert caught.value.exit_code == 1
    load_weights(training.checkpoint, training.model)
    assert all(tensor.isfinite().all() for tensor in training.model.state_dict().values())
    assert [line["step"] for line in lines(tmp_path, "step")] == [1, 2, 3]
