"""Does Lightning's Trainer train with reuse, adapt and resume?"""

import subprocess
import sys
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


def batches() -> DataLoader[Any]:
    images, labels = load("photos").test.batch(torch.arange(12))
    return DataLoader(TensorDataset(F.avg_pool2d(images, 4), labels), batch_size=4)


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
