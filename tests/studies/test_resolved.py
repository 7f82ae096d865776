"""A folder is gone on with only if what its names stand for is the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from mercuric import MercuricError, data
from mercuric.accelerator import preset
from mercuric.config import Config
from mercuric.studies.resolved import resolved_data, resolved_hardware, resolved_weights
from mercuric.studies.run_folder import claim_folder


class Named(Config):
    accelerator: str = "mine.yaml"


def test_any_difference_is_named(tmp_path: Path) -> None:
    array = preset("eyeriss-168")
    claim_folder(tmp_path, Named(), False, resolved=resolved_hardware(array))
    claim_folder(tmp_path, Named(), True, resolved=resolved_hardware(array))
    for changed, said in (
        (array.changed(entries=512), "accelerator.entries was 1024, now 512"),
        (array.changed(energies="horowitz-16"), "energies.mac was 1.0, now 1.5"),
    ):
        with pytest.raises(MercuricError, match=said):
            claim_folder(tmp_path, Named(), True, resolved=resolved_hardware(changed))
    (tmp_path / "resolved.json").unlink()
    with pytest.raises(MercuricError, match="what it rests on is not there"):
        claim_folder(tmp_path, Named(), True, resolved=resolved_hardware(array))
    for broken in ("[]", "{", "[" * 10**5):
        (tmp_path / "resolved.json").write_text(broken)
        with pytest.raises(MercuricError, match=r"resolved\.json"):
            claim_folder(tmp_path, Named(), True)


def test_data_by_their_contents() -> None:
    photos = data.load_images("photos", image_size=16)
    pixels = photos.train.images.clone()  # type: ignore[attr-defined]
    pixels[-1, 0, 0, 0] ^= 1
    other = replace(photos, train=replace(photos.train, images=pixels))  # type: ignore[type-var]
    assert resolved_data(photos) == resolved_data(data.load_images("photos", image_size=16))
    before, now = (resolved_data(one)["data"] for one in (photos, other))
    assert {key for key in now if now[key] != before[key]} == {"train_sha256"}


def test_a_folder_of_images_by_names_and_sizes(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for label in ("cat", "dog"):
            (tmp_path / part / label).mkdir(parents=True)
            Image.new("RGB", (9, 9), (len(label), 0, 0)).save(tmp_path / part / label / "0.png")
    before = resolved_data(data.load_images("imagefolder", tmp_path, 16))
    Image.new("RGB", (9, 9), (250, 9, 0)).save(tmp_path / "train" / "cat" / "0.png")
    assert resolved_data(data.load_images("imagefolder", tmp_path, 16)) != before


def test_weights_by_their_contents(tmp_path: Path) -> None:
    assert resolved_weights("random") == {"weights": {"from": "random"}}
    path = tmp_path / "weights.pt"
    torch.save({}, path)
    before = resolved_weights(str(path))
    path.write_bytes(b"other")
    assert resolved_weights(str(path)) != before
