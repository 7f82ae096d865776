"""Do commands take networks that the user's own code makes, on the user's own data?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from own_networks import own_folder  # noqa: F401 - a fixture
from safetensors.torch import save_file

from mercuric.subjects.config import NetworkConfig, SubjectConfig, shown_name
from mercuric.subjects.providers.registry import provider_of
from mercuric.subjects.subject import load_subject

Run = Callable[..., Any]
TWO = ("own_nets.py:Two", "--data", "random:3x8x8,4")

pytestmark = pytest.mark.usefixtures("own_folder")


def test_a_factory_is_told_what_it_asks_for() -> None:
    subject = load_subject(
        SubjectConfig(model="own_nets.py:small", data="npz:images.npz", model_args={"widths": [6, 5]}), 4
    )
    shapes = [tuple(one.shape) for one in subject.network.parameters() if one.dim() == 4]
    assert shapes == [(4, 3, 3, 3), (6, 4, 3, 3), (5, 6, 3, 3)]
    assert subject.network[-1].out_features == 3
    assert subject.described == {
        "model": "own_nets.py:small", "data": "npz", "images": 4, "image_size": 8, "batch": 4,
        "weights": "as own_nets.py:small makes them, seed 0",
    }  # fmt: skip


@pytest.mark.parametrize("model", ["own_nets.py:made", "own_nets:made"])
def test_a_network_that_is_made_already_is_copied(model: str) -> None:
    opened = provider_of(model).open(model, {})
    first, second = (load_subject(SubjectConfig(model=model, data="random:3x8x8"), 1).network for _ in "ab")
    assert first is not second and first.state_dict().keys() == second.state_dict().keys()
    assert opened.rests_on().keys() == {"code"}


def test_weights_of_a_file(tmp_path: Path) -> None:
    config = SubjectConfig(model="own_nets.py:Two", data="random:3x8x8,4", seed=1)
    other = load_subject(config, 1).network
    save_file(other.state_dict(), tmp_path / "own.safetensors")
    torch.save({"state_dict": other.state_dict()}, tmp_path / "own.pt")
    for name in ("own.safetensors", "own.pt"):
        read = load_subject(config.changed(weights=name, seed=0), 1).network
        assert all(torch.equal(one, other.state_dict()[key]) for key, one in read.state_dict().items())


def test_several_inputs_through_every_command_that_reads_them(mercuric: Run, tmp_path: Path) -> None:
    found = mercuric("simulate", *TWO, "--images", 2, "--json")
    assert found.exit_code == 0, found.output
    simulated = json.loads(found.stdout)
    assert [row["layer"] for row in simulated["layers"]] == ["conv", "beside", "head"]
    assert simulated["shapes"] == ["3x8x8", "4"] and "image_size" not in simulated
    for line in (
        ("hitmap", *TWO, "--images", 2, "--out", tmp_path / "hitmaps"),
        ("sweep", *TWO, "--images", 2, "--set", "ways=4,8", "--out", tmp_path / "sweep"),
        ("evaluate", *TWO, "--batch", 2, "--out", tmp_path / "evaluation"),
        ("bounds", *TWO, "--images", 2, "--out", tmp_path / "bounds"),
    ):
        done = mercuric(*line)
        assert done.exit_code == 0, (line, done.output, done.exception)
    assert "arrays of 3x8x8 and 4" in (tmp_path / "evaluation" / "report.html").read_text()


def test_gradients_of_labels(mercuric: Run) -> None:
    own = ("own_nets.py:Two", "--data", "npz:two.npz", "--images", 4, "--gradients", "own")
    done = mercuric("simulate", *own, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["images"] == 4


def test_similarity_of_an_own_network_on_own_images(mercuric: Run, tmp_path: Path) -> None:
    line = ("similarity", "own_nets.py:small", "--data", "npz:images.npz", "--images", 2)
    done = mercuric(*line, "--out", tmp_path / "study")
    assert done.exit_code == 0, (done.output, done.exception)
    assert (tmp_path / "study" / "image.png").exists()


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("own_nets.py:small", ("--data", "imagefolder:pictures", "--image-size", 8)),
        ("own_nets:Two", ("--data", "npz:two.npz")),
        ("own_nets.py:scores", ("--data", "npz:flat.npz")),
    ],
)
def test_training_and_going_on(mercuric: Run, tmp_path: Path, model: str, data: tuple[Any, ...]) -> None:
    out = ("--out", tmp_path / "run", "--batch-size", 4)
    given = () if "scores" in model else ("--model-args", "width=6")
    done = mercuric("train", model, *data, *given, "--epochs", 1, *out)
    assert done.exit_code == 0, (done.output, done.exception)
    saved = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert saved["model"] == model and saved["data"] == data[1]
    assert saved["model_args"] == ({"width": 6} if given else {})
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["weights"] == (
        f"trained from weights as {model} makes them"
    )
    more = mercuric("train", model, "--resume", "--epochs", 2, *out)
    assert more.exit_code == 0, (more.output, more.exception)
    assert model in (tmp_path / "run" / "command.txt").read_text()
    assert mercuric("report", tmp_path / "run").exit_code == 0


def test_a_run_goes_on_with_the_same_code_alone(mercuric: Run, refused: Run, tmp_path: Path) -> None:
    line = ("train", "own_nets.py:scores", "--data", "npz:flat.npz", "--batch-size", 4, "--out", "run")
    assert mercuric(*line).exit_code == 0
    code = tmp_path / "own_nets.py"
    code.write_text(
        code.read_text().replace("nn.Linear(features, 8)", "nn.Linear(features, 9)").replace("8, c", "9, c")
    )
    assert "holds another run: networks" in refused(mercuric(*line, "--resume"))


def test_a_report_runs_no_code(mercuric: Run, tmp_path: Path) -> None:
    line = ("train", "own_nets.py:scores", "--data", "npz:flat.npz", "--batch-size", 4, "--out", "run")
    assert mercuric(*line).exit_code == 0
    (tmp_path / "own_nets.py").write_text("raise RuntimeError('it ran')")
    assert mercuric("report", "run").exit_code == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            ("own_nets.py:failing",),
            "own_nets.py:failing raised ValueError: no such depth (own_nets.py, line 32)",
        ),
        (("own_nets.py:number",), "model was 'own_nets.py:number', which gave 3, but must give an nn.Module"),
        (("own_nets.py:gone",), "factory was 'gone', but own_nets.py has no such name; it has Two, small"),
        (("gone.py:net",), "there is no file gone.py"),
        (("no_such_module:net",), "there is no module no_such_module, neither in"),
        (("own_nets.py",), "model was 'own_nets.py', but must be one of alexnet"),
        (("own_nets.py:Two",), "inputs was float32 of (1, 3, 16, 16), but must be what the network reads"),
        (("own_nets.py:scores", "--data", "random:11"), "inputs was float32 of (1, 11), but must be"),
        (("own_nets.py:Two", "--model-args", "depth=2"), "got an unexpected keyword argument 'depth'"),
        (("own_nets.py:Two", "--model-args", "depth"), "model_args was 'depth', but must be KEY=VALUE"),
        (("own_nets.py:made", "--model-args", "a=1"), "own_nets.py:made is a network already"),
        (("custom-cnn", "--model-args", "a=1"), "custom-cnn of the zoo is made by its data and width alone"),
        (("custom-cnn", "--data", "random:12"), "arrays that are no square images, but custom-cnn needs"),
        (
            ("own_nets.py:small", "--data", "help-en-de"),
            "holds sentences, but own_nets.py:small needs images",
        ),
        (("own_nets.py:small", "--data", "random:3x8x8", "--image-size", 9), "image_size was 9, but random"),
        (("timm/resnet1",), "model was 'timm/resnet1', but timm has no such network; as timm/resnet"),
        (("torchvision/squeeze",), "torchvision has no such network; as torchvision/squeezenet1_"),
        (("hf/gone",), "there is no gone/config.json"),
    ],
)
def test_what_is_refused_in_a_sentence(mercuric: Run, refused: Run, line: tuple[Any, ...], said: str) -> None:
    assert said in refused(mercuric("simulate", *line))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            ("own_nets.py:Two", "--data", "npz:two.npz", "--model-args", "classes=2"),
            "must give a score for each",
        ),
        (
            ("own_nets.py:small", "--data", "npz:two.npz", "--model-args", "channels=3"),
            "inputs was float32 of (1, 3, 8, 8), float32 of (1, 4)",
        ),
    ],
)
def test_what_cannot_be_trained_leaves_the_folder_free(
    mercuric: Run, refused: Run, tmp_path: Path, line: tuple[Any, ...], said: str
) -> None:
    assert said in refused(mercuric("train", *line, "--out", tmp_path / "run", "--batch-size", 4))
    assert not (tmp_path / "run").exists()


def test_code_that_cannot_be_imported(mercuric: Run, refused: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import no_such_package")
    (tmp_path / "stops.py").write_text("raise SystemExit(3)")
    assert "wrong.py can't be imported: ModuleNotFoundError" in refused(mercuric("simulate", "wrong.py:net"))
    assert "stops.py can't be imported: SystemExit: 3" in refused(mercuric("simulate", "stops.py:net"))


def test_a_traceback_for_who_asks(mercuric: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCURIC_TRACEBACK", "1")
    done = mercuric("simulate", "own_nets.py:failing")
    assert done.exit_code == 2
    assert 'raise ValueError("first line' in done.stderr


def test_names_of_files() -> None:
    assert [shown_name(name) for name in ("vgg13", "squeezenet-1.0")] == ["vgg13", "squeezenet-1.0"]
    assert [shown_name(name) for name in ("a/b/nets.py:small", "timm/vit_tiny")] == ["nets-small", "vit_tiny"]
    assert shown_name("imagefolder:/data/mine") == "imagefolder-mine"
    assert shown_name("random:3x8x8,4") == "random-3x8x8-4"


def test_a_configuration_names_code_and_runs_none() -> None:
    assert NetworkConfig(model="gone.py:net").model == "gone.py:net"
