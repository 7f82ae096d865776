"""Do commands take networks that lie in ONNX files?"""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.network import open_network
from mercuric.subjects.subject import load_subject

pytestmark = pytest.mark.skipif(
    not (find_spec("onnx") and find_spec("onnx2pytorch")), reason="the extra onnx is not installed"
)
Run = Callable[..., Any]


class Two(nn.Module):
    """Reads an image and some facts."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.beside, self.head = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, image: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.stem(image).mean((2, 3)) + self.beside(facts))
        return scores


def export(network: nn.Module, inputs: tuple[torch.Tensor, ...], path: Path, *open_dimensions: int) -> None:
    names = [f"input{place}" for place in range(len(inputs))]
    axes = {dimension: f"d{dimension}" for dimension in open_dimensions}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), inputs, path, dynamo=False, input_names=names,
            dynamic_axes=dict.fromkeys(names, axes) if axes else None,
        )  # fmt: skip


def of_operators(path: Path, *names: str, shape: tuple[int, ...] | None = None) -> None:
    """A convolution, operators of a domain that nobody knows, and a mean; the last may give ``shape``."""
    from onnx import TensorProto, helper, save

    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], torch.randn(108).tolist())
    nodes = [helper.make_node("Conv", ["x", "w"], ["v0"], name="/stem/first.conv")]
    for place, name in enumerate(names):
        nodes.append(helper.make_node(name, [f"v{place}"], [f"v{place + 1}"], domain="com.example"))
    nodes.append(helper.make_node("GlobalAveragePool", [f"v{len(names)}"], ["y"]))
    values = [helper.make_tensor_value_info(f"v{len(names)}", TensorProto.FLOAT, shape)] if shape else []
    graph = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 1, 1])], [weight], value_info=values,
    )  # fmt: skip
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)]
    save(helper.make_model(graph, opset_imports=versions), path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    return tmp_path


def test_it_gives_what_the_exported_network_gives(folder: Path) -> None:
    network, inputs = Two().eval(), (torch.randn(1, 3, 8, 8), torch.randn(1, 4))
    export(network, inputs, folder / "two.onnx", 0)
    config = SubjectConfig(model="two.onnx", data="random:3x8x8,4")
    subject = load_subject(config, 3)
    with torch.no_grad():
        given = subject.first(3)
        assert isinstance(given, tuple)
        torch.testing.assert_close(subject.network(*given), network(*given))
    assert config.shown_weights == "weights of two.onnx, seed 0"
    kinds = {type(module) for module in subject.network.modules()}
    assert {nn.Conv2d, nn.Linear} <= kinds
    assert all("/" not in name for name, _ in subject.network.named_modules())


def test_through_commands(mercuric: Run, folder: Path) -> None:
    export(Two(), (torch.randn(1, 3, 8, 8), torch.randn(1, 4)), folder / "two.onnx", 0)
    on = ("two.onnx", "--data", "random:3x8x8,4")
    for line in (
        ("simulate", *on, "--images", 2),
        ("evaluate", *on, "--batch", 2, "--accelerator", "eyeriss-like", "--out", "evaluation"),
        ("train", *on, "--epochs", 1, "--train-examples", 8, "--batch-size", 4, "--out", "run"),
    ):
        done = mercuric(*line)
        if line[0] == "train":  # 10 classes, of which the file has scores for 3
            assert "must give a score for each of the 10 classes" in done.stderr
        else:
            assert done.exit_code == 0, (line, done.output, done.exception)


def test_a_batch_that_is_fixed(mercuric: Run, refused: Run, folder: Path) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    export(network, (torch.randn(2, 3, 8, 8),), folder / "fixed.onnx")
    config = SubjectConfig(model="fixed.onnx")
    assert open_network(config).batch == 2
    subject = load_subject(config)
    assert (len(subject.places), subject.batch, subject.image_data.image_size) == (2, 2, 8)
    assert mercuric("evaluate", "fixed.onnx", "--batch", 2, "--dense", "--out", "evaluation").exit_code == 0
    said = refused(mercuric("simulate", "fixed.onnx", "--images", 3, "--batch", 3))
    assert "inputs was 3x3x8x8, but fixed.onnx reads 2x3x8x8" in said
    assert "fixed.onnx reads 2x3x8x8" in refused(mercuric("simulate", "fixed.onnx", "--image-size", 12))


def test_open_dimensions_have_the_size_of_the_data(folder: Path) -> None:
    export(nn.Sequential(nn.Conv2d(3, 4, 3)), (torch.randn(1, 3, 8, 8),), folder / "open.onnx", 0, 2, 3)
    assert load_subject(SubjectConfig(model="open.onnx", image_size=12), 1).images.shape[-1] == 12


def test_operators_without_a_counterpart_are_named_and_counted(mercuric: Run, folder: Path) -> None:
    of_operators(folder / "own.onnx", "Warp", "Bend", "Warp")
    with pytest.warns(UserWarning) as warned:
        done = mercuric("simulate", "own.onnx", "--data", "random:3x8x8", "--images", 1)
    assert done.exit_code == 0, (done.output, done.exception)
    assert [str(one.message) for one in warned] == [
        "3 operators of own.onnx have no counterpart in PyTorch: com.example.Bend (1), com.example.Warp (2); "
        "what they read is handed on as it is"
    ]
    assert "stem_first_conv" in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.onnx", None, "there is no file gone.onnx"),
        ("broken.onnx", b"no onnx", "broken.onnx can't be read as ONNX: DecodeError"),
        ("empty.onnx", b"", "it holds no operator"),
    ],
)
def test_files_that_are_none(
    mercuric: Run, refused: Run, folder: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (folder / name).write_bytes(content)
    assert said in refused(mercuric("simulate", name))


def test_an_operator_that_changes_shapes(mercuric: Run, refused: Run, folder: Path) -> None:
    of_operators(folder / "own.onnx", "Warp", "Fold", shape=(1, 2, 3, 3))
    said = refused(mercuric("simulate", "own.onnx", "--data", "random:3x8x8"))
    assert (
        "2 operators of own.onnx have no counterpart in PyTorch: com.example.Fold (1), com.example.Warp (1)"
        in said
    )
    assert "nothing can go on without com.example.Fold" in said


def test_arguments_for_a_file(mercuric: Run, refused: Run, folder: Path) -> None:
    of_operators(folder / "own.onnx")
    said = refused(mercuric("simulate", "own.onnx", "--model-args", "depth=2"))
    assert "own.onnx is made by its file alone" in said


def test_where_the_extra_is_missing(
    mercuric: Run, refused: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_operators(folder / "own.onnx")
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    said = refused(mercuric("simulate", "own.onnx"))
    assert (
        'FILE.onnx needs onnx, which is not installed; install it with: pip install "mercuric[onnx]"' in said
    )
