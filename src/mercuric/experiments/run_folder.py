"""Whose folder is it?"""

from pathlib import Path

from mercuric.config import Config, differences
from mercuric.errors import MercuricError
from mercuric.files import write_text


def claim_folder(folder: Path, config: Config, resume: bool) -> None:
    """Write ``config.yaml`` into a fresh folder, or check that a resumed one holds the same.

    Raises:
        MercuricError: the folder holds a run and ``resume`` is False, or it holds another run.
        ValueError: its ``config.yaml`` is none of this kind.
        OSError: the folder can't be written.
    """
    saved = folder / "config.yaml"
    if saved.exists():
        if not resume:
            raise MercuricError(
                f"{folder} holds a run already; add --resume to go on, or choose another --out"
            )
        changes = differences(type(config).read(saved).model_dump(), config.model_dump())
        if changes:
            raise MercuricError(f"{folder} holds another run: {changes}")
    write_text(saved, config.to_yaml())
