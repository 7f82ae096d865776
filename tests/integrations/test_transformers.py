"""Does the Trainer of Hugging Face transformers train with reuse, adapt and resume?"""

import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from plain_run import some
from safetensors.torch import load_file
from torch import Tensor, nn

from mercuric import AdaptationConfig, ReuseConfig, ReuseConv2d
from mercuric.data import load
from mercuric.reuse import Cost, reuse_
from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.torchvision_operators import torchvision  # noqa: F401 - before transformers

pytest.importorskip("accelerate", reason="the Trainer needs accelerate")

from mercuric.integrations.transformers import MercuricCallback, as_text, from_text  # isort: skip
import transformers  # isort: skip
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback  # isort: skip
from transformers import TrainingArguments  # isort: skip

ADAPTING = ReuseConfig(
    bits=10, adaptation=AdaptationConfig(patience=1, tolerance=0.99, stoppage=2), backward="signature"
)
pytestmark = pytest.mark.filterwarnings("ignore")


class Classifier(nn.Module):
    """A model as the Trainer takes it: labels in, loss out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(54, 7)
        )
        self.losses: list[float] = []

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Any:
        logits = self.network(images)
        if labels is None:
            return (logits,)
        loss = F.cross_entropy(logits, labels)
        if self.training:
            self.losses.append(float(loss))
        return {"loss": loss, "logits": logits}


@cache
def examples() -> list[dict[str, Tensor]]:
    images, labels = load("photos").test.batch(torch.arange(12))
    small = F.avg_pool2d(images, 4)
    return [{"images": image, "labels": label} for image, label in zip(small, labels, strict=True)]


def losing_first_layer(observation: Any) -> Cost:
    return Cost(2, 1) if observation.layer == "network.0" else Cost(1, 2)


def train(
    folder: Path,
    callback: Any,
    model: nn.Module | None = None,
    resume: Path | None = None,
    data: list[Any] | None = None,
    loss_function: Any = None,
    **options: Any,
) -> Any:
    arguments = TrainingArguments(
        output_dir=str(folder), report_to=[], disable_tqdm=True, use_cpu=True,
        **{
            "per_device_train_batch_size": 4, "max_steps": 3, "logging_steps": 1, "save_steps": 3,
            "learning_rate": 1e-3, **options,
        },
    )  # fmt: skip
    chosen = data or examples()
    callbacks = callback if isinstance(callback, list) else [callback]
    trainer = Trainer(
        model or Classifier(), arguments, train_dataset=chosen, eval_dataset=chosen, callbacks=callbacks,
        compute_loss_func=loss_function,
    )  # fmt: skip
    for one in callbacks:
        one.trainer = trainer
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    return trainer


@pytest.mark.parametrize("options", [{}, {"eval_strategy": "steps", "eval_steps": 1}])
def test_training_adapts_logs_and_moves_the_weights(tmp_path: Path, options: dict[str, Any]) -> None:
    callback = MercuricCallback(ADAPTING, cost=losing_first_layer)
    trainer, fresh = train(tmp_path, callback, **options), Classifier()
    assert type(trainer.model.network[0]) is ReuseConv2d
    assert callback.handle is not None
    assert [(change.step, change.layer, change.after) for change in callback.handle.changes] == [
        (2, "network.0", 0), (2, None, 11), (3, None, 12),
    ]  # fmt: skip
    for old, new in zip(fresh.parameters(), trainer.model.parameters(), strict=True):
        assert not torch.equal(old, new)
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert [entry["reuse_bits"] for entry in logged] == [10, 11, 12]
    assert all(0 <= entry["reuse_hit_rate"] < 1 for entry in logged)
    counted = callback.handle.report().set_index("layer")["vectors"]
    assert counted["network.3"] == 12  # the training batches alone


@pytest.mark.parametrize("own", [False, True], ids=["", "callbacks restored by the Trainer too"])
def test_resuming_goes_on_as_if_nothing_had_happened(tmp_path: Path, own: bool) -> None:
    whole = MercuricCallback(ADAPTING, cost=losing_first_layer)
    through = train(tmp_path / "whole", whole, max_steps=5, save_steps=3)
    second = MercuricCallback(ADAPTING, cost=losing_first_layer)
    resumed = train(
        tmp_path / "second", second, resume=tmp_path / "whole" / "checkpoint-3",
        max_steps=5, restore_callback_states_from_checkpoint=own,
    )  # fmt: skip
    assert whole.handle is not None
    assert second.handle is not None
    assert second.handle.state_dict() == whole.handle.state_dict()
    assert not second.handle.layers["network.0"].on
    assert resumed.model.losses == through.model.losses[3:]
    for one, other in zip(resumed.model.parameters(), through.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_best_checkpoint_has_the_state_too(tmp_path: Path) -> None:
    callback = MercuricCallback(ADAPTING)
    train(
        tmp_path, callback, save_strategy="best", metric_for_best_model="loss",
        eval_strategy="steps", eval_steps=1,
    )  # fmt: skip
    last = max(tmp_path.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    step = int(last.name.split("-")[1])
    resumed = MercuricCallback(ADAPTING)
    train(tmp_path / "again", resumed, resume=last, max_steps=step + 1)
    assert resumed.handle is not None
    assert resumed.handle.state_dict()["adaptation"]["step"] == step + 1


SMALL = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "num_labels": 3,
}  # fmt: skip
DISTIL = {"vocab_size": 30, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "num_labels": 3}
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": 3}
SWIN = {"image_size": 32, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}
LIBRARY = {
    "ViT": (transformers.ViTForImageClassification, transformers.ViTConfig,
            {"image_size": 32, "patch_size": 8, **SMALL}),
    "BERT": (BertForSequenceClassification, BertConfig, {"vocab_size": 30, **SMALL}),
    "DistilBERT": (transformers.DistilBertForSequenceClassification, transformers.DistilBertConfig, DISTIL),
    "ResNet": (transformers.ResNetForImageClassification, transformers.ResNetConfig,
               {"embedding_size": 8, **STAGES}),
    "ConvNeXt": (transformers.ConvNextForImageClassification, transformers.ConvNextConfig,
                 {"num_stages": 2, **STAGES}),
    "Swin": (transformers.SwinForImageClassification, transformers.SwinConfig, {"num_labels": 3, **SWIN}),
}  # fmt: skip


def library_model(name: str) -> nn.Module:
    torch.manual_seed(0)
    kind, config, settings = LIBRARY[name]
    return kind(config(**settings))


def library_data(name: str) -> list[Any]:
    torch.manual_seed(1)
    words = "BERT" in name
    inputs = torch.randint(3, 30, (12, 6)) if words else torch.randn(12, 3, 32, 32)
    key = "input_ids" if words else "pixel_values"
    return [{key: one, "labels": torch.tensor(index % 3)} for index, one in enumerate(inputs)]


@pytest.mark.parametrize("name", LIBRARY)
def test_models_of_the_library_resume(tmp_path: Path, name: str) -> None:
    def judge(observation: Any) -> Cost:
        return Cost(2, 1) if "1" in observation.layer else Cost(1, 2)

    whole, second = MercuricCallback(ADAPTING, cost=judge), MercuricCallback(ADAPTING, cost=judge)
    through = train(tmp_path, whole, library_model(name), data=library_data(name), max_steps=5)
    resumed = train(
        tmp_path / "second", second, library_model(name), tmp_path / "checkpoint-3", library_data(name),
        max_steps=5,
    )  # fmt: skip
    assert whole.handle is not None and second.handle is not None
    assert any(change.what == "off" for change in whole.handle.changes)
    assert second.handle.changes[:3] == whole.handle.changes[:3]
    assert second.handle.state_dict()["adaptation"]["step"] == 5
    if comes_back(through.model, tmp_path / "checkpoint-3"):
        assert second.handle.state_dict() == whole.handle.state_dict()
        for one, other in zip(resumed.model.parameters(), through.model.parameters(), strict=True):
            assert torch.equal(one, other)


def comes_back(model: nn.Module, checkpoint: Path) -> bool:
    """Whether the Trainer finds its weights again: it saves those of some models under older names."""
    return load_file(checkpoint / "model.safetensors").keys() == model.state_dict().keys()


@pytest.mark.parametrize("name", ["BERT", "ResNet"])
def test_directions_resume(tmp_path: Path, name: str) -> None:
    config = ReuseConfig(**{**ReuseConfig.fast(2, None).model_dump(), "keep": "always"})
    whole, second = MercuricCallback(config), MercuricCallback(config)
    through = train(tmp_path, whole, library_model(name), data=library_data(name), max_steps=5)
    resumed = train(
        tmp_path / "second", second, library_model(name), tmp_path / "checkpoint-3", library_data(name),
        max_steps=5,
    )  # fmt: skip
    assert whole.handle is not None and second.handle is not None
    expected, found = (as_text(one.handle.state_dict()) for one in (whole, second))
    assert "tensors" in expected
    assert found == expected
    for one, other in zip(resumed.model.parameters(), through.model.parameters(), strict=True):
        assert torch.equal(one, other)


class Saves(TrainerCallback):
    """Saves at an event of its own, by the Trainer's switch or at once, as on a signal."""

    def __init__(self, event: str, step: int, at_once: bool = False) -> None:
        self.step, self.at_once, self.trainer = step, at_once, None
        setattr(self, event, self.save)

    def save(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            control.should_save |= not self.at_once
            if self.at_once:
                self.trainer._save_checkpoint(self.trainer.model, trial=None)


HALVES = {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2, "max_steps": 4}


@pytest.fixture(scope="module")
def saved_each_step(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("each")
    train(folder, MercuricCallback(ADAPTING), save_steps=1, **HALVES)
    return folder


SAVES = [
    ("on_step_end", 2, False), ("on_step_end", 2, True), ("on_step_begin", 2, True),
    ("on_pre_optimizer_step", 2, True), ("on_substep_end", 2, True), ("on_epoch_end", 3, True),
    ("on_epoch_end", 3, False), ("on_train_end", 4, True),
]  # fmt: skip
SAVERS = list(product(SAVES, [True, False], [True, False]))
IN_TURN = [SAVERS[4 * place + (place + place // 4) % 4] for place in range(len(SAVES))]


@pytest.mark.parametrize(("saves", "only_model", "first"), some(SAVERS, IN_TURN), ids=str)
def test_a_checkpoint_holds_its_step_whoever_saves_it(
    tmp_path: Path, saved_each_step: Path, saves: tuple[str, int, bool], first: bool, only_model: bool
) -> None:
    event, step, at_once = saves
    ours, theirs = MercuricCallback(ADAPTING), Saves(event, step, at_once)
    train(
        tmp_path, [theirs, ours] if first else [ours, theirs], save_strategy="no", save_only_model=only_model,
        **HALVES,
    )  # fmt: skip
    found, expected = (
        json.loads((folder / f"checkpoint-{step}" / "trainer_state.json").read_text())["stateful_callbacks"]
        for folder in (tmp_path, saved_each_step)
    )
    assert expected["mercuric"]["adaptation"]["step"] == step
    assert found["mercuric"] == expected["mercuric"]


def test_the_state_goes_back_with_the_best_weights(tmp_path: Path) -> None:
    callback = MercuricCallback(ADAPTING)
    trainer = train(
        tmp_path, callback, load_best_model_at_end=True, metric_for_best_model="loss", max_steps=4,
        eval_strategy="steps", eval_steps=1, save_steps=1, learning_rate=10.0,
    )  # fmt: skip
    best = int(trainer.state.best_model_checkpoint.rsplit("-", 1)[1])
    assert best < 4
    assert callback.handle is not None
    assert callback.handle.state_dict()["adaptation"]["step"] == best
    assert callback.handle.layers["network.0"].bits == callback.handle.state_dict()["adaptation"]["bits"]


def test_training_that_stopped_by_an_error_counts_no_loss_twice(tmp_path: Path) -> None:
    callback, model = MercuricCallback(), Classifier()

    class Stops(TrainerCallback):
        def on_step_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if state.global_step == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, [callback, Stops()], model)
    train(tmp_path, callback, model)
    assert len(callback._losses) == 1
    assert callback.handle is not None
    assert callback.handle.report().set_index("layer")["vectors"]["network.3"] == 16


@pytest.mark.parametrize("broken", [
    5, None, [], {"tensors": 5}, {"tensors": "?"}, {"tensors": "AAAA"},
    {"config": {"tensor": "none"}}, {"config": 5}, {},
], ids=str)  # fmt: skip
def test_a_broken_state_in_the_trainers_file(broken: Any) -> None:
    handle = reuse_(Classifier())
    with pytest.raises(ValueError, match=r"trainer_state|is missing|broken|the state of the handle was"):
        handle.load_state_dict(from_text(broken))


def test_filter_and_restore(tmp_path: Path) -> None:
    callback = MercuricCallback(filter_fn=lambda layer, _: isinstance(layer, nn.Conv2d), restore=True)
    trainer = train(tmp_path, callback)
    assert callback.handle is not None
    assert list(callback.handle.layers) == ["network.0"]
    assert callback.handle.report()["vectors"][0] > 0
    assert type(trainer.model.network[0]) is nn.Conv2d


def test_a_checkpoint_of_another_configuration(tmp_path: Path) -> None:
    train(tmp_path, MercuricCallback(ADAPTING))
    with pytest.raises(
        ValueError, match=r"^the state is of another model with reuse: bits was 10, but must be 40"
    ):
        train(tmp_path / "other", MercuricCallback(), resume=tmp_path / "checkpoint-3")


def test_accumulated_gradients_give_the_mean_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[float] = []
    monkeypatch.setattr("mercuric.reuse.ReuseHandle.step", lambda _, loss: heard.append(float(loss)))
    trainer = train(tmp_path, MercuricCallback(), gradient_accumulation_steps=3, max_steps=2)
    losses = trainer.model.losses
    assert heard == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:]) / 3])


def test_a_model_of_the_library(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"vocab_size": 30, "hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 12}
    model = BertForSequenceClassification(BertConfig(**sizes, num_hidden_layers=1, num_attention_heads=2))
    words = torch.randint(30, (12, 6), generator=torch.Generator().manual_seed(0))
    data = [{"input_ids": row, "labels": torch.tensor(int(row[0]) % 2)} for row in words]
    callback = MercuricCallback(ADAPTING)
    train(tmp_path, callback, model, data=data, gradient_checkpointing=True)
    assert callback.handle is not None
    assert (callback.handle.report()["vectors"] > 0).all()
    assert callback.handle.changes


def test_a_model_without_a_loss(tmp_path: Path) -> None:
    def smoothed(outputs: Any, labels: Tensor, **_: Any) -> Tensor:
        return F.cross_entropy(outputs[0], labels, label_smoothing=0.1)

    with pytest.raises(ValueError, match=r"^the model's output has no loss, but adaptation needs it"):
        train(tmp_path, MercuricCallback(ADAPTING), loss_function=smoothed)


def test_directions_lie_in_the_trainer_state_as_text() -> None:
    config = ReuseConfig.fast(2).model_copy(update={"keep": "always"})
    handle, again = (reuse_(Classifier(), config) for _ in range(2))
    layer = handle.layers["network.0"].principal
    assert layer is not None
    layer.directions = PrincipalDirections(torch.linalg.qr(torch.randn(6, 2))[0])
    again.load_state_dict(from_text(json.loads(json.dumps(as_text(handle.state_dict())))))
    loaded = again.layers["network.0"].principal
    assert loaded is not None and loaded.directions is not None
    assert torch.equal(loaded.directions.basis, layer.directions.basis)
