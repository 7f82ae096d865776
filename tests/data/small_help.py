"""Help pages in two languages, made of real sentences, and Debian packages of them."""

import os
import subprocess
from pathlib import Path

import pytest

from mercuric.data.help_en_de import SOURCE, TARGET

FRAME = "<!DOCTYPE html><html><head><title>Help</title></head><body>{}</body></html>"
TAILS = (
    ("in the current document", "im aktuellen Dokument"),
    ("on the selected slide", "auf der gewählten Folie"),
    ("of the active sheet", "der aktiven Tabelle"),
)
OBJECTS = (
    ("a table", "eine Tabelle"),
    ("a large picture", "ein großes Bild"),
    ("a formula", "eine Formel"),
    ("a footnote", "eine Fußnote"),
)
VERBS = (("Inserts", "Fügt", " ein"), ("Deletes", "Löscht", ""), ("Shows", "Zeigt", " an"))


def pairs() -> list[tuple[str, str]]:
    return [
        (f"{verb} {thing} {place}.", f"{anfang} {ding} {ort}{ende}.")
        for verb, anfang, ende in VERBS
        for thing, ding in OBJECTS
        for place, ort in TAILS
    ]


def pages() -> dict[str, tuple[str, str]]:
    """36 pages, a sentence each: enough that each part gets one."""
    return {
        f"swriter/02/page{number}.html": (
            FRAME.format(f'<h1 id="hd_{number}">{here}</h1>'),
            FRAME.format(f'<h1 id="hd_{number}">{there}</h1>'),
        )
        for number, (here, there) in enumerate(pairs())
    }


def write_package(folder: Path, package: str, language: str, files: dict[str, bytes]) -> None:
    """A Debian package that holds help pages, made by dpkg-deb."""
    tree = folder / package
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {package}\nVersion: 1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: test\n"
    )
    for name, content in files.items():
        path = tree / "usr" / "share" / "libreoffice" / "help" / language / "text" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    build(folder, package)


def build(folder: Path, package: str) -> None:
    command = ["dpkg-deb", "--build", str(folder / package), str(folder / f"{package}.deb")]
    subprocess.run(command, check=True, capture_output=True)


def give(folder: Path, monkeypatch: pytest.MonkeyPatch, made: dict[str, tuple[bytes, bytes]]) -> None:
    """An apt-get on PATH that downloads packages of these pages."""
    for side, (package, language) in enumerate((SOURCE, TARGET)):
        write_package(folder, package, language, {name: both[side] for name, both in made.items()})
    command = folder / "bin" / "apt-get"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\n[ "$1" = download ] || exit 99\ncp {folder}/$2.deb ./$2_1_all.deb\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")


def encoded() -> dict[str, tuple[bytes, bytes]]:
    return {name: (here.encode(), there.encode()) for name, (here, there) in pages().items()}
