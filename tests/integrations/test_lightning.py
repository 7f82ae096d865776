"""Does Lightning's Trainer train with reuse, adapt and resume?"""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from mercuric import AdaptationConfig, ReuseConfig, ReuseConv2d
from mercuric.data import load
from mercuric.reuse import Cost
from mercuric.torchvision_operators import torchvision  # noqa: F401 - before Lightning

from mercuric.integrations.lightning import MercuricCallback  # isort: skip
from lightning.pytorch import LightningModule, Trainer  # isort: skip

ADAPTING = ReuseConfig(
    bits=10, adaptation=AdaptationConfig(patience=1, tolerance=0.99, stoppage=2), backward="signature"
)
QUIET = {
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "accelerator": "cpu",
    "num_sanity_val_steps": 1,
}
pytestmark = pytest.mark.filterwarnings("ignore")


class Classifier(LightningModule):
    """Seven photographs' crops, seven classes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(54, 7)
        )
        self.losses: list[float] = []

    def training_step(self, batch: list[Tensor], _index: int) -> Tensor:
        images, labels = batch
        loss = F.cross_entropy(self.network(images), labels)
        self.losses.append(float(loss))
        return loss

    def validation_step(self, batch: list[Tensor], _index: int) -> None:
        self.network(batch[0])

    test_step = validation_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 1e-3, momentum=0.9)


@cache
def examples() -> TensorDataset:
    images, labels = load("photos").test.batch(torch.arange(12))
    return TensorDataset(F.avg_pool2d(images, 4), labels)


def batches() -> DataLoader[Any]:
    return DataLoader(examples(), batch_size=4)


def losing_first_layer(observation: Any) -> Cost:
    return Cost(2, 1) if observation.layer == "network.0" else Cost(1, 2)


def fit(
    folder: Path, callback: MercuricCallback, epochs: int = 1, resume: str | None = None, **options: Any
) -> Classifier:
    module = Classifier()
    trainer = Trainer(default_root_dir=folder, max_epochs=epochs, callbacks=[callback], **QUIET, **options)
    trainer.fit(module, batches(), batches(), ckpt_path=resume)
    trainer.save_checkpoint(folder / "end.ckpt")
    module.metrics = trainer.callback_metrics  # type: ignore[assignment]
    return module


def test_a_fit_adapts_logs_and_moves_the_weights(tmp_path: Path) -> None:
    callback = MercuricCallback(ADAPTING, cost=losing_first_layer)
    module, fresh = fit(tmp_path, callback), Classifier()
    assert type(module.network[0]) is ReuseConv2d
    assert callback.handle is not None
    assert [(change.step, change.layer, change.after) for change in callback.handle.changes] == [
        (2, "network.0", 0), (2, None, 11), (3, None, 12),
    ]  # fmt: skip
    for old, new in zip(fresh.parameters(), module.parameters(), strict=True):
        assert not torch.equal(old, new)
    assert module.metrics["reuse/bits"] == 12
    assert 0 <= module.metrics["reuse/hit_rate"] < 1
    counted = callback.handle.report().set_index("layer")["vectors"]
    assert counted["network.3"] == 12  # the training batches alone, not validation's


def test_filter_and_restore(tmp_path: Path) -> None:
    callback = MercuricCallback(filter_fn=lambda layer, _: isinstance(layer, nn.Conv2d), restore=True)
    module = fit(tmp_path, callback)
    assert callback.handle is not None
    assert list(callback.handle.layers) == ["network.0"]
    assert callback.handle.report()["vectors"][0] > 0
    assert type(module.network[0]) is nn.Conv2d
    Trainer(default_root_dir=tmp_path, callbacks=[callback], logger=False, **QUIET).test(
        module, batches(), verbose=False
    )
    assert type(module.network[0]) is nn.Conv2d


def test_resuming_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole = MercuricCallback(ADAPTING, cost=losing_first_layer)
    through = fit(tmp_path / "whole", whole, epochs=2)
    fit(tmp_path / "first", MercuricCallback(ADAPTING, cost=losing_first_layer))
    second = MercuricCallback(ADAPTING, cost=losing_first_layer)
    resumed = fit(tmp_path / "second", second, epochs=2, resume=str(tmp_path / "first" / "end.ckpt"))
    assert whole.handle is not None
    assert second.handle is not None
    assert second.handle.state_dict() == whole.handle.state_dict()
    assert not second.handle.layers["network.0"].on
    assert resumed.losses == through.losses[3:]
    for one, other in zip(resumed.parameters(), through.parameters(), strict=True):
        assert torch.equal(one, other)
    weights = torch.load(tmp_path / "second" / "end.ckpt", weights_only=True)["state_dict"]
    assert list(weights) == list(Classifier().state_dict())


def test_a_checkpoint_of_another_configuration(tmp_path: Path) -> None:
    fit(tmp_path, MercuricCallback(ADAPTING))
    with pytest.raises(
        ValueError, match=r"^the state is of another model with reuse: bits was 10, but must be 40"
    ):
        fit(tmp_path, MercuricCallback(), epochs=2, resume=str(tmp_path / "end.ckpt"))


def test_accumulated_gradients_give_the_whole_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    callback = MercuricCallback()
    heard: list[float] = []
    monkeypatch.setattr("mercuric.reuse.ReuseHandle.step", lambda _, loss: heard.append(float(loss)))
    module = fit(tmp_path, callback, accumulate_grad_batches=3)
    assert heard == pytest.approx(module.losses)


def test_bfloat16(tmp_path: Path) -> None:
    callback = MercuricCallback(ADAPTING)
    module = fit(tmp_path, callback, precision="bf16-mixed")
    assert callback.handle is not None
    assert (callback.handle.report()["vectors"] > 0).all()
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in module.parameters())


class Late(Classifier):
    """The same network, made by the hooks that Lightning's documentation recommends; again by each setup."""

    def __init__(self, body: str, head: str) -> None:
        super().__init__()
        self.made = {"body": body, "head": head}
        del self.network
        self.make("__init__")

    def make(self, place: str) -> None:
        torch.manual_seed(0)
        whole = Classifier().network
        if self.made["body"] == place:
            self.body = whole[:3]
        if self.made["head"] == place:
            self.head = whole[3]

    def network(self, images: Tensor) -> Tensor:  # type: ignore[override]
        return self.head(self.body(images))

    def setup(self, stage: str) -> None:
        assert stage
        self.make("setup")

    def configure_model(self) -> None:
        self.make("configure_model")


LATE = [
    ("setup", "setup"), ("configure_model", "configure_model"), ("__init__", "setup"),
    ("__init__", "configure_model"), ("setup", "configure_model"),
]  # fmt: skip


def late_fit(module: LightningModule, callback: MercuricCallback, folder: Path, **options: Any) -> Trainer:
    resume = options.pop("resume", None)
    trainer = Trainer(default_root_dir=folder, callbacks=[callback], **{"max_epochs": 1, **QUIET, **options})
    trainer.fit(module, batches(), batches(), ckpt_path=resume)
    trainer.save_checkpoint(folder / "end.ckpt")
    return trainer


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], list[int | None]]:
    """Losses and new bits where the layers are there from the beginning."""
    callback = MercuricCallback(ADAPTING, cost=losing_first_layer)
    module = fit(tmp_path_factory.mktemp("early"), callback, epochs=2)
    assert callback.handle is not None
    return module.losses, [change.after for change in callback.handle.changes]


@pytest.mark.parametrize(("body", "head"), LATE)
def test_layers_that_the_module_makes_late(
    tmp_path: Path, early: tuple[list[float], list[int | None]], body: str, head: str
) -> None:
    def first(observation: Any) -> Cost:
        return Cost(2, 1) if observation.layer == "body.0" else Cost(1, 2)

    whole, half, rest = (MercuricCallback(ADAPTING, cost=first) for _ in range(3))
    module = Late(body, head)
    late_fit(module, whole, tmp_path / "whole", max_epochs=2)
    assert whole.handle is not None
    assert list(whole.handle.layers) == ["body.0", "head"]
    assert (module.losses, [change.after for change in whole.handle.changes]) == early
    late_fit(Late(body, head), half, tmp_path / "half")
    resumed = Late(body, head)
    late_fit(resumed, rest, tmp_path / "rest", max_epochs=2, resume=str(tmp_path / "half" / "end.ckpt"))
    assert rest.handle is not None
    assert rest.handle.state_dict() == whole.handle.state_dict()
    assert resumed.losses == module.losses[3:]


def test_layers_made_anew_get_a_handle_anew(tmp_path: Path) -> None:
    callback = MercuricCallback(ADAPTING)
    module = Late("__init__", "setup")
    late_fit(module, callback, tmp_path)
    before = callback.handle
    late_fit(module, callback, tmp_path)
    assert before is not None and callback.handle is not None
    assert callback.handle is not before
    assert list(callback.handle.layers) == ["body.0", "head"]
    assert callback.handle.report()["vectors"].tolist() == before.report()["vectors"].tolist()


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
def test_reuse_before_any_fit(tmp_path: Path, stage: str) -> None:
    callback, module = MercuricCallback(ADAPTING), Classifier()
    module.predict_step = module.validation_step  # type: ignore[assignment]
    trainer = Trainer(default_root_dir=tmp_path, callbacks=[callback], logger=False, max_epochs=1, **QUIET)
    getattr(trainer, stage)(module, batches())
    handle = callback.handle
    assert handle is not None and (handle.report()["vectors"] > 0).all()
    handle.reset()
    trainer.fit(module, batches(), batches())
    assert callback.handle is handle
    assert handle.report().set_index("layer")["vectors"]["network.3"] == 12
    trainer.fit_loop.max_epochs = 2
    trainer.fit(module, batches(), batches())
    assert callback.handle is handle


def test_another_module_after_reuse_was_taken_off(tmp_path: Path) -> None:
    callback = MercuricCallback(ADAPTING, restore=True)
    module = fit(tmp_path, callback)
    late_fit(module, callback, tmp_path)
    assert callback.handle is not None
    assert callback.handle.state_dict()["adaptation"]["step"] == 6
    late_fit(Late("setup", "setup"), callback, tmp_path)
    assert callback.handle.state_dict()["adaptation"]["step"] == 3


def test_manual_optimization_must_return_its_loss(tmp_path: Path) -> None:
    class Manual(Classifier):
        automatic_optimization = False

        def training_step(self, batch: list[Tensor], index: int) -> None:  # type: ignore[override]
            loss = super().training_step(batch, index)
            self.optimizers().zero_grad()
            self.manual_backward(loss)
            self.optimizers().step()

    trainer = Trainer(
        default_root_dir=tmp_path, max_epochs=1, logger=False, callbacks=[MercuricCallback(ADAPTING)], **QUIET
    )
    with pytest.raises(ValueError, match=r"^training_step returned no loss, but adaptation needs it"):
        trainer.fit(Manual(), batches())


@pytest.mark.parametrize(("module", "library", "package"), [
    ("lightning", "lightning", "pip install lightning"),
    ("transformers", "transformers", r'pip install "transformers\[torch\]"'),
])  # fmt: skip
def test_the_library_is_not_there(module: str, library: str, package: str) -> None:
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"try: import mercuric.integrations.{module}\nexcept ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.startswith(f"mercuric.integrations.{module} needs ")
    assert said.strip().endswith(package.replace("\\", ""))
