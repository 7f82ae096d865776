"""Image files of every depth, mode, format and orientation become the same upright picture."""

import os
import random
import socket
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from mercuric.data.image_file import ENDINGS, FORMATS, read_image, shown
from mercuric.errors import MercuricError

SIDE = 32
RAMP: NDArray[np.uint8] = np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1))
GREY = Image.fromarray(RAMP)
COLOURS = Image.merge("RGB", (GREY, Image.fromarray(RAMP.T.copy()), Image.new("L", GREY.size, 128)))
LOSSY = {"AVIF": 3, "GIF": 4, "JPEG": 4, "JPEG2000": 3, "TIFF": 3, "WEBP": 4}
"""Mean error that a format's compression, palette or colour space may cost, in grey levels."""


def read(path: Path) -> NDArray[np.int64]:
    return read_image(path, SIDE).permute(1, 2, 0).numpy().astype(np.int64)


def error(path: Path, right: NDArray[np.generic] | Image.Image) -> float:
    return float(np.abs(read(path) - np.asarray(right).astype(np.int64)).mean())


def grey(values: NDArray[np.generic] = RAMP) -> NDArray[np.generic]:
    return np.stack([values] * 3, axis=-1)


def deep(mode: str, levels: NDArray[np.integer]) -> Image.Image:
    """A picture of a deep mode: its values from 0 to 65535, or to 1."""
    if mode == "F":
        return Image.fromarray((levels / 65535).astype(np.float32))
    if mode == "I":
        return Image.fromarray(levels.astype(np.int32))
    order = ">u2" if mode.endswith("B") else "<u2"
    return Image.frombytes(mode, levels.shape[::-1], levels.astype(order).tobytes())


def in_mode(mode: str) -> Image.Image:
    if mode == "LAB":
        to_lab = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        turned = ImageCms.applyTransform(COLOURS, to_lab)
        assert turned is not None
        return turned
    return COLOURS.convert(mode)


WRITTEN = [
    *(("1", form) for form in ("AVIF", "BMP", "GIF", "PNG", "PPM", "TIFF")),
    *(("L", form) for form in ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")),
    *(("P", form) for form in ("BMP", "GIF", "PNG", "TIFF")),
    *(("RGB", form) for form in FORMATS),
    *(("RGBX", form) for form in ("JPEG", "TIFF", "WEBP")),
    *(("CMYK", form) for form in ("JPEG", "TIFF", "JPEG2000")),
    *(("YCbCr", form) for form in ("JPEG", "TIFF", "JPEG2000")),
    ("LAB", "TIFF"),
    ("HSV", "WEBP"),
]


@pytest.mark.parametrize(("mode", "form"), WRITTEN)
def test_every_mode_that_a_format_holds(tmp_path: Path, mode: str, form: str) -> None:
    path, picture = tmp_path / f"picture{FORMATS[form][0]}", in_mode(mode)
    picture.save(path, form)
    right = picture.convert("RGB") if mode in ("1", "L", "P") else COLOURS
    assert error(path, right) <= LOSSY.get(form, 0)


DEEP = [
    *((mode, form) for mode in ("I;16", "I;16B") for form in ("PNG", "TIFF")),
    ("I;16", "JPEG2000"),  # Pillow writes the bytes of I;16B as they are
    ("I;16L", "TIFF"),
    ("I;16", "PPM"),
    *((mode, form) for mode in ("I", "F") for form in ("PPM", "TIFF")),
]


@given(
    case=st.sampled_from(DEEP),
    shape=st.tuples(st.just(SIDE), st.just(SIDE)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_deep_grey_keeps_the_scale_of_its_type(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, str], shape: tuple[int, int], seed: int
) -> None:
    mode, form = case
    levels = np.random.default_rng(seed).integers(0, 65536, shape)
    path = tmp_path_factory.mktemp("deep") / f"picture{FORMATS[form][0]}"
    deep(mode, levels).save(path, form)
    assert np.abs(read(path) - grey(levels / 257)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("maximum", [1, 3, 255, 1023, 4095, 65535])
def test_portable_grey_of_any_maximum(tmp_path: Path, maximum: int) -> None:
    levels = np.rint(RAMP / 255 * maximum).astype(np.uint16)
    stored = levels.astype(">u2" if maximum > 255 else np.uint8).tobytes()
    path = tmp_path / "picture.pgm"
    path.write_bytes(b"P5\n%d %d\n%d\n" % (SIDE, SIDE, maximum) + stored)
    assert np.abs(read(path) - grey(levels / maximum * 255)).max() <= 1


def test_twelve_bits_and_white_that_is_zero(tmp_path: Path) -> None:
    levels = RAMP.astype(np.uint16) * 257
    path = tmp_path / "picture.tif"
    Image.fromarray(levels).save(path, tiffinfo={262: 0})
    assert error(path, grey(255 - RAMP)) == 0
    even = np.rint(RAMP / 255 * 4095).astype(np.uint16).ravel()
    first, second = even[::2], even[1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8)
    path.write_bytes(twelve_bit_tiff(packed.tobytes()))
    assert error(path, grey()) < 0.6


def twelve_bit_tiff(pixels: bytes) -> bytes:
    tags = [(256, SIDE), (257, SIDE), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, SIDE)]
    tags.append((279, len(pixels)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(pixels))
        + pixels
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


@pytest.mark.parametrize(
    ("values", "range_said"),
    [
        (np.array([[0.0, 255.0]], dtype=np.float32), "from 0 to 255, but in mode F must be from 0 to 1"),
        (np.array([[-0.5, 1.0]], dtype=np.float32), "from -0.5 to 1, but in mode F must be from 0 to 1"),
        (np.array([[0.5, np.nan]], dtype=np.float32), "nan"),
        (np.array([[0.5, np.inf]], dtype=np.float32), "inf"),
        (np.array([[0, 2**31 - 1]], dtype=np.int32), "in mode I must be from 0 to 65535"),
        (np.array([[-1, 5]], dtype=np.int32), "from -1 to 5, but in mode I must be from 0 to 65535"),
    ],
)
def test_values_beyond_white_are_refused(
    tmp_path: Path, values: NDArray[np.generic], range_said: str
) -> None:
    path = tmp_path / "picture.tif"
    Image.fromarray(values).save(path)
    with pytest.raises(MercuricError, match=range_said):
        read_image(path, SIDE)


@pytest.mark.parametrize("form", ["AVIF", "JPEG2000", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("colour", [True, False])
def test_what_is_clear_shows_white(tmp_path: Path, form: str, colour: bool) -> None:
    base = COLOURS if colour else GREY
    picture = base.copy()
    picture.putalpha(Image.fromarray(RAMP.T.copy()))
    path = tmp_path / f"picture{FORMATS[form][0]}"
    picture.save(path, form)
    opacity = RAMP.T[..., None] / 255
    right = np.asarray(base.convert("RGB")) * opacity + 255 * (1 - opacity)
    assert error(path, right) <= LOSSY.get(form, 0) + 1


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_a_clear_entry_of_a_palette_shows_white(tmp_path: Path, form: str) -> None:
    picture = Image.new("P", (SIDE, SIDE), 3)
    picture.putpalette(bytes(range(256)) * 3)
    picture.paste(7, (0, 0, SIDE, SIDE // 2))
    path = tmp_path / f"picture{FORMATS[form][0]}"
    picture.save(path, form, transparency=3)
    got = read(path)
    assert (got[SIDE // 2 :] == 255).all()
    assert (got[: SIDE // 2] == picture.convert("RGB").getpixel((0, 0))).all()


def test_a_clear_grey_of_16_bits_shows_white(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    levels = RAMP.astype(np.uint16) * 257
    plain = tmp_path / "plain.png"
    Image.fromarray(levels).save(plain)
    stored = plain.read_bytes()
    end = stored.index(b"IDAT") - 4
    data = struct.pack(">H", int(levels[0, 3]))
    chunk = struct.pack(">I", 2) + b"tRNS" + data + struct.pack(">I", zlib.crc32(b"tRNS" + data))
    path.write_bytes(stored[:end] + chunk + stored[end:])
    right = RAMP.copy()
    right[:, 3] = 255
    assert error(path, grey(right)) == 0


TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a picture is stored under each orientation (EXIF 2.3, tag 274)."""


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["AVIF", "JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_pictures_are_upright(tmp_path: Path, orientation: int, form: str, mode: str) -> None:
    if (mode, form) == ("RGBA", "JPEG"):
        mode = "CMYK"
    picture, turned = COLOURS.convert(mode), TURNED[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"picture{FORMATS[form][0]}"
    (picture if turned is None else picture.transpose(turned)).save(path, form, exif=exif)
    assert error(path, picture.convert("RGB")) <= LOSSY.get(form, 0)


@pytest.mark.parametrize("orientation", [3, 6])
def test_deep_pictures_are_upright_too(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    turned = TURNED[orientation]
    assert turned is not None
    stored = np.asarray(GREY.transpose(turned)).astype(np.uint16) * 257
    for ending in (".png", ".tif"):
        path = tmp_path / f"picture{ending}"
        Image.fromarray(stored).save(path, exif=exif)
        assert error(path, grey()) == 0


@pytest.mark.parametrize("broken", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_a_broken_exif_block_costs_nothing(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "picture.jpg"
    COLOURS.save(path, exif=broken)
    assert error(path, COLOURS) <= LOSSY["JPEG"]


@pytest.mark.parametrize("form", ["AVIF", "GIF", "PNG", "TIFF", "WEBP"])
def test_of_several_frames_the_first_is_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"picture{FORMATS[form][0]}"
    others = [Image.new("RGB", COLOURS.size, colour) for colour in ("red", "blue")]
    COLOURS.save(path, form, save_all=True, append_images=others)
    assert error(path, COLOURS) <= LOSSY.get(form, 0)


def test_a_camera_s_second_picture_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    COLOURS.save(path, "MPO", save_all=True, append_images=[Image.new("RGB", COLOURS.size, "red")])
    assert error(path, COLOURS) <= LOSSY["JPEG"]


def test_a_file_is_read_by_what_it_holds(tmp_path: Path) -> None:
    for form in FORMATS:
        path = tmp_path / f"{form}.jpg"
        COLOURS.save(path, form)
        assert error(path, COLOURS) <= LOSSY.get(form, 0)


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_postscript_never_runs(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", run)
    path = tmp_path / f"picture{ending}"
    COLOURS.save(path, "EPS")
    with pytest.raises(
        MercuricError, match=r"cannot be read as an image \(it is none of AVIF, BMP, GIF, JPEG"
    ):
        read_image(path, SIDE)


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "nowhere.jpg").symlink_to(tmp_path / "gone")
    (tmp_path / "itself.jpg").symlink_to(tmp_path / "itself.jpg")
    (tmp_path / "empty.jpg").touch()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.jpg"))
    for name, said in {
        "pipe": "it is a pipe",
        "folder": "it is a folder",
        "device": "it is a device",
        "socket": "it is a socket",
        "nowhere": "No such file or directory",
        "itself": "Too many levels of symbolic links",
        "empty": "it is empty",
    }.items():
        with pytest.raises(MercuricError, match=rf"{name}.jpg cannot be read as an image \({said}\)"):
            read_image(tmp_path / f"{name}.jpg", SIDE)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with path.open("ab") as file:
        PngImagePlugin.putchunk(file, b"IHDR", header)
        PngImagePlugin.putchunk(file, b"IDAT", zlib.compress(bytes(1000)))
        PngImagePlugin.putchunk(file, b"IEND", b"")
    with pytest.raises(MercuricError, match="exceeds limit"):
        read_image(path, SIDE)


@given(form=st.sampled_from(sorted(FORMATS)), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_damage_is_one_sentence_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, form: str, seed: int
) -> None:
    drawn = random.Random(seed)
    path = tmp_path_factory.mktemp("damaged") / f"picture{FORMATS[form][0]}"
    COLOURS.save(path, form)
    stored = bytearray(path.read_bytes())
    for _ in range(drawn.randint(0, 8)):
        stored[drawn.randrange(len(stored))] = drawn.randrange(256)
    path.write_bytes(stored[: drawn.randint(1, len(stored))])
    try:
        assert read_image(path, SIDE).shape == (3, SIDE, SIDE)
    except MercuricError as refused:
        assert str(refused).startswith(f"{path} cannot be read as an image (")
        assert "\n" not in str(refused)


def test_a_name_that_is_no_unicode_is_shown_in_escapes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9t\xe9.jpg"))
    path.write_bytes(b"nothing")
    with pytest.raises(MercuricError, match=r"\\xe9t\\xe9\.jpg cannot be read"):
        read_image(path, SIDE)
    assert shown(path).endswith(r"/\xe9t\xe9.jpg")
