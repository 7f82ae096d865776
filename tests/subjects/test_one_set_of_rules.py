"""Does every command that takes a network take the same weights and data, and refuse others alike?"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from mercuric import zoo
from mercuric.data.normalisation import Normalisation
from mercuric.zoo.pretrained import PRETRAINED, location

Run = Callable[..., Any]

LOOKING = {
    "simulate": "simulate.study.load_subject",
    "hitmap": "hitmap.command.load_subject",
    "similarity": "similarity.study.load_subject",
    "bounds": "bounds.study.load_subject",
    "evaluate": "evaluate.study.load_subject",
    "evaluate-accuracy": "evaluate_accuracy.study.load_subject",
    "sweep": "sweep.study.load_subject",
    "speedups": "sweep.study.load_subject",
    "bench front": "front.study.front_subject",
}
"""Where each command that takes a network with its weights has loaded them."""
LEARNING = {
    "train": "train.study.load_lesson",
    "shrink": "shrink.trial.load_lesson",
    "bench schedule": "schedule.study.load_lesson",
    "bench train": "bench.train.load_images",
}
"""Where each command that trains a network has loaded its data."""
ON_SENTENCES = ("simulate", "hitmap", "sweep", "speedups")
NEEDED = {
    "sweep": ("--set", "ways=4"),
    "evaluate": ("--accelerator", "eyeriss-like"),
    "hitmap": ("--out", "h"),
    "bench front": ("--quick",),
}
NAMED, SIZE = "mobilenet-v2-imagenet", ("--image-size", 80)


class Loaded(Exception):  # noqa: N818 - nothing went wrong
    """What a command wanted is there; what it does with it is tested elsewhere."""


@pytest.fixture
def loads(
    mercuric: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str, str, tuple[Any, ...]], str]:
    """Runs a command until it has loaded its network: ``"loaded"``, or the sentence that it is refused by."""
    monkeypatch.chdir(tmp_path)

    def stop_after(load: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*args: Any, **fields: Any) -> Any:
            load(*args, **fields)
            raise Loaded

        return stopped

    for place in {*LOOKING.values(), *LEARNING.values()}:
        module, name = f"mercuric.studies.{place}".rsplit(".", 1)
        monkeypatch.setattr(f"{module}.{name}", stop_after(_attribute(module, name)))

    def run(command: str, model: str, options: tuple[Any, ...]) -> str:
        result = mercuric(*command.split(), model, *NEEDED.get(command, ()), *options)
        if isinstance(result.exception, Loaded):
            return "loaded"
        assert result.exit_code == 2 or result.exit_code == 1, (command, result.output, result.exception)
        assert result.stderr.startswith("mercuric: "), (command, result.exception)
        return str(result.stderr).removeprefix("mercuric: ").replace("network was", "model was").strip()

    return run


def _attribute(module: str, name: str) -> Any:
    return getattr(__import__(module, fromlist=[name]), name)


@pytest.fixture
def place(tmp_path: Path, photo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with images, sentences and weights: a file's, and named ones of another normalisation."""
    root = tmp_path / "root"
    root.mkdir()
    for part in ("train", "test"):
        (root / part).symlink_to(photo_folder / part)
        (root / f"{part}.tsv").write_text("Opens a file.\tÖffnet eine Datei.\n" * 20, encoding="utf-8")
    torch.manual_seed(0)
    save_file(zoo.build("custom-cnn", 7, 3, 16).state_dict(), root / "own.safetensors")
    save_file(zoo.build("vgg13", 7, 3, 32).state_dict(), root / "other.safetensors")
    there = location(NAMED, root)
    there.parent.mkdir()
    torch.save(zoo.build("mobilenet-v2", 1000, 3, 224).state_dict(), there)
    changed = replace(
        PRETRAINED[NAMED],
        sha256=hashlib.sha256(there.read_bytes()).hexdigest(),
        normalisation=Normalisation((0.1, 0.2, 0.3), (1 / 255,) * 3),
    )
    monkeypatch.setitem(PRETRAINED, NAMED, changed)
    monkeypatch.setenv("MERCURIC_DATA", str(root))
    return root


FOLDER = ("--data", "imagefolder", "--data-root", "ROOT")


@pytest.mark.parametrize(
    ("model", "options", "outcome"),
    [
        ("custom-cnn", ("--weights", "random"), "loaded"),
        ("custom-cnn", ("--weights", "random", *FOLDER), "loaded"),
        ("mobilenet-v2", ("--weights", NAMED, *SIZE), "loaded"),
        ("mobilenet-v2", ("--weights", NAMED, *SIZE, *FOLDER), "loaded"),
        ("custom-cnn", ("--weights", "ROOT/own.safetensors", "--image-size", 16), "loaded"),
        ("custom-cnn", ("--weights", "ROOT/own.safetensors", "--image-size", 16, *FOLDER), "loaded"),
        ("custom-cnn", ("--weights", "ROOT/other.safetensors"), "other.safetensors is of another network"),
        ("custom-cnn", ("--weights", "ROOT/gone.safetensors"), "there is no checkpoint"),
        (
            "custom-cnn",
            ("--weights", "gone"),
            "weights was 'gone', but must be random, mobilenet-v2-imagenet,",
        ),
        ("custom-cnn", ("--weights", NAMED), "these fit mobilenet-v2, and the network is custom-cnn"),
        ("mobilenet-v2", ("--weights", NAMED, "--image-size", 32), "and image_size is 32"),
        ("custom-rnn", ("--weights", "random"), "model was 'custom-rnn', but must be one of alexnet, "),
        ("custom-cnn", ("--weights", "random", "--image-size", 0), "image_size was 0, but must be greater"),
        (
            "custom-cnn",
            ("--weights", "random", "--data", "foto"),
            "data was 'foto', but must be one of photos",
        ),
        ("custom-cnn", ("--weights", "random", "--data", "imagefolder"), "imagefolder needs the folder"),
        (
            "custom-cnn",
            ("--weights", "random", "--data", "tsv", "--data-root", "ROOT"),
            "data was 'tsv', which holds sentences, but custom-cnn needs images",
        ),
    ],
)
def test_weights_and_images(
    loads: Run, place: Path, model: str, options: tuple[Any, ...], outcome: str
) -> None:
    given = tuple(str(option).replace("ROOT", str(place)) for option in options)
    said = {command: loads(command, model, given) for command in LOOKING}
    assert outcome in said["simulate"]
    known = {_without_names(sentence) for sentence in said.values()}
    assert len(known) == 1, said


@pytest.mark.parametrize(
    ("model", "options", "outcome"),
    [
        ("custom-cnn", (), "loaded"),
        ("custom-cnn", FOLDER, "loaded"),
        ("custom-rnn", (), "model was 'custom-rnn', but must be one of alexnet, "),
        ("custom-cnn", ("--data", "foto"), "data was 'foto', but must be one of photos"),
        ("custom-cnn", ("--data", "imagefolder"), "imagefolder needs the folder"),
        (
            "custom-cnn",
            ("--data", "tsv", "--data-root", "ROOT"),
            "data was 'tsv', which holds sentences, but custom-cnn needs images",
        ),
    ],
)
def test_images_to_learn(loads: Run, place: Path, model: str, options: tuple[Any, ...], outcome: str) -> None:
    given = tuple(str(option).replace("ROOT", str(place)) for option in options)
    said = {command: loads(command, model, given) for command in LEARNING}
    assert outcome in said["train"]
    assert len({_without_names(sentence) for sentence in said.values()}) == 1, said


def test_sentences(loads: Run, place: Path) -> None:
    on = ("--data", "tsv", "--data-root", place)
    for command in (*LOOKING, *LEARNING):
        weights = ("--weights", "random") if command in LOOKING else ()
        said = loads(command, "transformer", (*weights, *on))
        if command in (*ON_SENTENCES, "train"):
            assert said == "loaded", command
        else:
            assert said.startswith("model was 'transformer', but must be one of alexnet, "), (command, said)
        if said == "loaded":
            on_images = loads(command, "transformer", (*weights, "--data", "photos"))
            assert on_images == "data was 'photos', which holds images, but transformer needs sentences"


def _without_names(sentence: str) -> str:
    """A command that reads sentences too knows one network more."""
    return sentence.replace("transformer, ", "")
