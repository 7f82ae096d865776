"""Was this very circuit synthesized before? Results by the content of what they were made of."""

from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from mercuric import __version__
from mercuric.errors import MalformedError
from mercuric.files.json_text import json_text
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.rtl import synthesis
from mercuric.rtl.yosys import installed


def cache_folder() -> Path:
    """Where results lie where nobody says: ``~/.cache/mercuric/syntheses``."""
    return Path.home() / ".cache" / "mercuric" / "syntheses"


def yosys_version() -> str:
    """Of the Yosys that is installed.

    Raises:
        MissingPackage: none is.
    """
    return installed("synthesize circuits").version


def digest(text: str) -> str:
    """Of a circuit's text, of what synthesizes it, and of their versions."""
    # While the file is worked on, the version stays.
    synthesizer = Path(str(synthesis.__file__)).read_text(encoding="utf-8")
    made = sha256()
    for part in (text, synthesizer, yosys_version(), __version__):
        made.update(part.encode())
        made.update(b"\0")
    return made.hexdigest()


def cached(text: str, folder: Path, synthesize: Callable[[str], synthesis.Synthesis]) -> dict[str, Any]:
    """What ``synthesize`` says of a circuit, as a dictionary, from ``folder`` where it is there already.

    A file there that is broken is made anew.

    Raises:
        MercuricError: as ``synthesize``.
        OSError: the folder can't be written.
    """
    path = folder / f"{digest(text)}.json"
    try:
        return read_json_object(path)
    except (FileNotFoundError, MalformedError):
        found = asdict(synthesize(text))
    write_text(path, json_text(found))
    return found
