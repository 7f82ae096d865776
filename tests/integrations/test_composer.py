"""Does Composer's order of events train with reuse, adapt and resume?

Composer 0.32.1 wants PyTorch below 2.7.1. Where it is not installed, a loop calls the events as its Trainer
does, each by its name with a state and a logger.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mercuric import AdaptationConfig, ReuseConfig, ReuseConv2d

CONFIG = ReuseConfig(bits=8, adaptation=AdaptationConfig(patience=1, tolerance=0.99, stoppage=2))
IMAGES = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(8) % 3


class Events:
    """What a callback is derived from: an event calls the method of its name, with what the state is then."""

    def run_event(self, event: str, state: Any, logger: Any) -> None:
        getattr(self, event, lambda *_: None)(state, logger)


@pytest.fixture
def callback_class(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    try:
        import_module("composer.core")
    except ImportError:
        package, core = ModuleType("composer"), ModuleType("composer.core")
        vars(core)["Callback"] = Events
        monkeypatch.setitem(sys.modules, "composer", package)
        monkeypatch.setitem(sys.modules, "composer.core", core)
    yield import_module("mercuric.integrations.composer").MercuricCallback
    sys.modules.pop("mercuric.integrations.composer", None)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))


def fit(callback: Any, model: nn.Module, batches: int = 3) -> list[dict[str, float]]:
    """Two microbatches a batch, and an evaluation after each."""
    logged: list[dict[str, float]] = []
    state, logger = SimpleNamespace(model=model, loss=None), SimpleNamespace(log_metrics=logged.append)

    def run(event: str) -> None:
        callback.run_event(event, state, logger)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    run("fit_start")
    for _ in range(batches):
        run("batch_start")
        optimizer.zero_grad()
        for images, labels in zip(IMAGES.chunk(2), LABELS.chunk(2), strict=True):
            run("before_forward")
            outputs = model(images)
            state.loss = F.cross_entropy(outputs, labels)
            run("after_loss")
            (state.loss / 2).backward()
        optimizer.step()
        run("batch_end")
        run("eval_start")
        with torch.no_grad():
            model(IMAGES)
        run("eval_end")
    run("fit_end")
    return logged


def test_a_fit_reuses_adapts_logs_and_counts_training_alone(callback_class: Any) -> None:
    model, callback = network(), callback_class(CONFIG)
    logged = fit(callback, model)
    assert isinstance(model[0], ReuseConv2d) and [one["reuse/bits"] for one in logged][-1] > 8
    assert all(0 <= one["reuse/hit_rate"] <= 1 for one in logged) and len(logged) == 3
    assert callback.handle.report().set_index("layer").loc["0", "vectors"] == 3 * 8 * 16


def test_a_fit_goes_on_from_its_checkpoint(callback_class: Any) -> None:
    whole = callback_class(CONFIG)
    model = network()
    fit(whole, model, 4)
    first, second = callback_class(CONFIG, restore=True), callback_class(CONFIG)
    again = network()
    fit(first, again, 2)
    assert type(again[0]) is nn.Conv2d
    second.load_state_dict(first.state_dict())
    fit(second, again, 2)
    assert second.handle.state_dict().keys() == whole.handle.state_dict().keys()
    assert second.handle.report().equals(whole.handle.report())
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_without_composer_a_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "composer", None)
    monkeypatch.setitem(sys.modules, "composer.core", None)
    sys.modules.pop("mercuric.integrations.composer", None)
    with pytest.raises(ImportError, match=r"needs Composer .*; install it with: pip install mosaicml"):
        import_module("mercuric.integrations.composer")
