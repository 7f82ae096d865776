"""Debian packages of a few small pictures and documents, and an apt-get that gives them."""

import os
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw


def png(number: int, width: int = 40, height: int = 40, mode: str = "RGB") -> bytes:
    """A picture that no other number gives: a bar for each bit, on white."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    middle, bits = height // 2, f"{number + 1:012b}"
    for place, bit in enumerate(bits):
        left = width // 2 - len(bits) + 2 * place
        draw.line((left, middle - 3 - 6 * int(bit), left, middle + 3), (number % 200, place, 0))
    file = BytesIO()
    image.convert(mode).save(file, "PNG")
    return file.getvalue()


def pdf(pages: Iterable[bytes], width: int = 60, height: int = 80) -> bytes:
    """A document of one stream of drawing operators a page."""
    streams = list(pages)
    kids = " ".join(f"{3 + 2 * place} 0 R" for place in range(len(streams)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(streams)}>>".encode(),
    ]
    for place, stream in enumerate(streams):
        packed = zlib.compress(stream)
        content = 4 + 2 * place
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {content} 0 R>>".encode()
        )
        head = f"<</Length {len(packed)}/Filter/FlateDecode>>stream\n".encode()
        objects.append(head + packed + b"\nendstream")
    file, offsets = b"%PDF-1.4\n", []
    for number, content_of in enumerate(objects, 1):
        offsets.append(len(file))
        file += f"{number} 0 obj".encode() + content_of + b"endobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer<</Size {count}/Root 1 0 R>>\n"
    return file + end.encode() + f"startxref\n{len(file)}\n%%EOF\n".encode()


def numbered_page(number: int, colour: str = "0 g") -> bytes:
    """Operators that draw a bar for each bit of a number."""
    bars = (
        f"{10 + 4 * place} 30 2 {4 + 8 * int(bit)} re f" for place, bit in enumerate(f"{number + 1:010b}")
    )
    return f"{colour} {' '.join(bars)}".encode()


class Apt:
    """An apt-get on PATH that knows the packages it was given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        command = folder / "bin" / "apt-get"
        command.parent.mkdir(parents=True)
        command.write_text(
            f'#!/bin/sh\n[ "$1" = download ] || exit 99\n'
            f'[ -e "{folder}/$2.deb" ] || {{ echo "E: Unable to locate package $2" >&2; exit 100; }}\n'
            f'cp "{folder}/$2.deb" ./$2_1_all.deb\n'
        )
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")

    def gives(
        self,
        package: str,
        files: Mapping[str, bytes],
        version: str = "1",
        links: Mapping[str, str] | None = None,
    ) -> None:
        """A package that dpkg-deb makes of files and symbolic links, by their paths from the root."""
        tree = self.folder / package
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {package}\nVersion: {version}\nArchitecture: all\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: test\n"
        )
        for name, content in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(content)
        for name, target in (links or {}).items():
            (tree / name).symlink_to(target)
        command = ["dpkg-deb", "--build", str(tree), str(self.folder / f"{package}.deb")]
        subprocess.run(command, check=True, capture_output=True)
