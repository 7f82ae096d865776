"""A batch with a loss runs backward, and its layers' gradient vectors are told of."""

from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mercuric
from mercuric import Alike, data, zoo
from mercuric.accelerator import preset, simulate_saved
from mercuric.accelerator.count.simulation import simulate_batches
from mercuric.reuse import Observation, reuse_
from mercuric.studies.sweep.config import SweepConfig
from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.subject import load_subject
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.store import HitmapWriter
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.network_calls import NetworkCalls, reloaded_layers
from mercuric.trace.supervised import Supervised

PAPER = Alike.paper(adaptation=None)


@pytest.fixture(scope="module")
def batch() -> Supervised:
    images, labels = data.load("photos", image_size=16).train.batch(torch.arange(2))
    return Supervised(images, partial(F.cross_entropy, target=labels))


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return zoo.build("custom-cnn", 7, 3, 16)


def told(model: nn.Module, batch: object, **options: object) -> list[LayerCall]:
    calls: list[LayerCall] = []
    NetworkCalls(model, [batch], PAPER, **options).tell(calls.append)  # type: ignore[arg-type, list-item]
    return calls


def test_gradient_vectors_are_those_of_a_training_step(model: nn.Module, batch: Supervised) -> None:
    """Hitmaps and bits of every layer's dO equal those of a backward pass with reuse layers."""
    calls = [call for call in told(model, batch) if call.product == "input_gradient"]
    seen: list[Observation] = []
    reuse_(model, PAPER).observe(seen.append)
    assert isinstance(batch.inputs, Tensor)
    batch.loss(model.eval()(batch.inputs)).backward()
    trained = [one for one in seen if one.product == "input_gradient"]
    assert [call.layer for call in calls] == [one.layer for one in trained]
    for call, one in zip(calls, trained, strict=True):
        assert call.work.shape == one.shape
        assert call.work.hitmap is not None and one.hitmap is not None
        assert torch.equal(call.work.hitmap.states, one.hitmap.states)
        assert (call.reloaded, call.work.bits) == (one.bits == 0, 20)


def test_the_forward_calls_are_the_same_and_leave_dO_to_them(model: nn.Module, batch: Supervised) -> None:  # noqa: N802
    plain = told(model, batch.inputs)
    own = [call for call in told(model, batch) if call.product == "forward"]
    assert [call.layer for call in own] == [call.layer for call in plain]
    for one, other in zip(own, plain, strict=True):
        assert one.work.hitmap is not None and other.work.hitmap is not None
        assert torch.equal(one.work.hitmap.states, other.work.hitmap.states)
        assert not one.needs_input_gradient
    assert [call.needs_input_gradient for call in plain] == [False, *[True] * (len(plain) - 1)]


def test_gradients_and_modes_are_left_as_they_were(model: nn.Module, batch: Supervised) -> None:
    model.train()
    told(model, batch)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    model.requires_grad_(False)
    assert any(call.product == "input_gradient" for call in told(model, batch))
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_inference_has_no_gradient_vectors(model: nn.Module, batch: Supervised) -> None:
    assert {call.product for call in told(model, batch, training=False)} == {"forward"}


def test_layers_that_reload_are_the_same_with_a_loss_and_without() -> None:
    torch.manual_seed(0)
    model = zoo.build("vgg13", 7, 3, 32, 0.25)
    images, labels = data.load("photos", image_size=32).train.batch(torch.arange(2))
    batch = Supervised(images, partial(F.cross_entropy, target=labels))
    own = {call.layer: call.reloaded for call in told(model, batch) if call.product == "input_gradient"}
    found = reloaded_layers(model, batch.inputs, PAPER)
    assert own == {layer: found[layer] for layer in own}
    plain = {call.layer: call.reloaded for call in told(model, batch.inputs, reloads=True)}
    assert own == {layer: plain[layer] for layer in own}
    assert sum(found.values()) == 4
    assert all(call.reloaded is None for call in told(model, batch.inputs))


@pytest.mark.parametrize(("network", "reloads", "gradients"), [("vgg13", 6, 12), ("resnet50", 0, 53)])
def test_reloads_of_the_papers_networks(network: str, reloads: int, gradients: int) -> None:
    """III-C2 on networks for large images: half of VGG13's gradients, and none of ResNet-50's."""
    config = ExamplesConfig(model=network, images=1, image_size=65, width=0.125)
    subject = load_subject(config, 1)
    found = reloaded_layers(subject.network, next(iter(subject.batches())), PAPER)  # type: ignore[arg-type]
    assert (sum(found.values()), len(found) - 1) == (reloads, gradients)


def test_sentences_have_a_loss_too(tmp_path: Path) -> None:
    """Fully connected layers go by their gradients' Hitmaps; attention has no vectors of its own."""
    for part in ("train", "test"):
        (tmp_path / f"{part}.tsv").write_text("Opens a file.\tOpens eine Datei.\nShows a page.\tZeigt.\n")
    config = ExamplesConfig(model="transformer", images=2, width=0.125, data="tsv", data_root=str(tmp_path))
    subject = load_subject(config, 2)
    (batch,) = subject.batches(gradients="own")
    assert isinstance(batch, Supervised)
    result = mercuric.simulate(subject.network, batch, preset("eyeriss-168"))
    by = result.layers.set_index("layer")["gradient"]
    kinds = result.layers.set_index("layer")["kind"]
    assert set(kinds[by == "own"]) == {"linear"}
    assert "attention" in set(kinds[by == "forward"])


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda out: out, r"loss was of shape \(2, 7\), but must be a tensor of one number"),
        (lambda _: 0.5, "loss was 0.5, but must be a tensor of one number"),
        (
            lambda out: out.detach().sum(),
            r"loss was of shape \(\), but must be a tensor of one number, with a gradient",
        ),
    ],
)
def test_what_is_no_loss_is_refused(model: nn.Module, batch: Supervised, loss: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        told(model, Supervised(batch.inputs, loss))  # type: ignore[arg-type]


def test_saved_hitmaps_keep_what_was_reloaded(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, path = zoo.build("vgg13", 7, 3, 32, 0.25), tmp_path / "run.parquet"
    images, labels = data.load("photos", image_size=32).train.batch(torch.arange(2))
    batch = Supervised(images, partial(F.cross_entropy, target=labels))
    with HitmapWriter(path, HitmapAbout({}, PAPER.changed(backward="exact"))) as writer:
        result = simulate_batches(model, [batch], listeners=[writer.add])
        writer.finish(result.layers, result.run)
    for charged in ("needed", "free", "reload", "compute"):
        accelerator = preset("eyeriss-168").changed(gradient_signatures=charged)
        again = simulate_saved(path, accelerator)
        assert again.summary() == mercuric.simulate(model, batch, accelerator).summary()
    assert again.summary()["gradients"] == {"signatures": "compute", "layers": 10, "own": 10, "reloaded": 4}


def test_own_gradients_need_a_backward_pass() -> None:
    with pytest.raises(ValueError, match="gradients was 'own', but must be 'forward-hits' for inference"):
        SweepConfig(models=("vgg13",), vary={"rows": (4,)}, gradients="own", inference=True)
