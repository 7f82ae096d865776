"""Do commands take networks of timm, torchvision and transformers?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.network import open_network
from mercuric.subjects.subject import load_subject

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("model", "arguments", "size"),
    [
        ("timm/resnet10t", {"stem_width": 8}, 176),
        ("timm/test_vit", {}, 160),
        ("torchvision/squeezenet1_1", {"dropout": 0.1}, 224),
    ],
)
def test_libraries_build_for_the_data(model: str, arguments: dict[str, Any], size: int) -> None:
    config = SubjectConfig(model=model, data="random:3x32x32", model_args=arguments)
    assert open_network(config).image_size == size
    assert config.shown_weights == "random weights, seed 0"
    if model == "timm/test_vit":
        config = config.changed(model_args={"img_size": 32})
    subject = load_subject(config, 1)
    with torch.no_grad():
        assert subject.network.eval()(subject.images).shape == (1, 10)
    assert "form" not in subject.described


@pytest.mark.parametrize("model", ["timm/test_resnet", "torchvision/squeezenet1_1"])
def test_simulated_and_evaluated(mercuric: Run, tmp_path: Path, model: str) -> None:
    on = (model, "--data", "random:3x32x32")
    done = mercuric("simulate", *on, "--images", 1, "--inference", "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout)["model"] == model
    done = mercuric("evaluate", *on, "--dense", "--accelerator", "eyeriss-like", "--out", tmp_path / "e")
    assert done.exit_code == 0, (done.output, done.exception)


def test_arguments_that_a_library_does_not_take(mercuric: Run, refused: Run) -> None:
    said = refused(mercuric("simulate", "timm/test_resnet", "--model-args", "depht=3"))
    assert "timm/test_resnet can't be made: TypeError" in said and "depht" in said


@pytest.fixture
def vit(tmp_path: Path) -> Path:
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=8,
        patch_size=4, num_labels=3,
    )  # fmt: skip
    torch.manual_seed(5)
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    return tmp_path / "vit"


def test_a_model_of_transformers_with_its_weights(vit: Path) -> None:
    config = SubjectConfig(model=f"hf/{vit}", data="photos")
    subject = load_subject(config, 1)
    assert subject.images.shape == (1, 3, 8, 8)
    assert config.shown_weights == f"weights of hf/{vit}, seed 0"
    torch.manual_seed(5)
    again = load_subject(config.changed(seed=3), 1).network
    assert all(map(torch.equal, subject.network.state_dict().values(), again.state_dict().values()))


def test_a_configuration_alone_is_random_and_reads_whole_numbers(mercuric: Run, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    transformers.BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        architectures=["BertForSequenceClassification"],
    ).save_pretrained(tmp_path / "bert")  # fmt: skip
    model = f"hf/{tmp_path / 'bert'}"
    done = mercuric("simulate", model, "--data", "random:6:50", "--images", 2, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout)["weights"] == "random, seed 0"
    more = mercuric("simulate", model, "--data", "random:6", "--images", 2)
    assert more.exit_code == 2 and "inputs was float32 of (1, 6), but must be" in more.stderr
    other = mercuric("simulate", model, "--data", "random:6:50", "--model-args", "hidden=3")
    assert "model_args named hidden, but the configuration" in other.stderr


def test_training_a_model_of_transformers(mercuric: Run, vit: Path, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    images = numpy.random.default_rng(0).random((12, 3, 8, 8)).astype(numpy.float32)
    numpy.savez(tmp_path / "own.npz", x=images, y=numpy.arange(12) % 3)
    line = ("train", f"hf/{vit}", "--data", f"npz:{tmp_path / 'own.npz'}", "--batch-size", 4)
    done = mercuric(*line, "--out", tmp_path / "run")
    assert done.exit_code == 0, (done.output, done.exception)
