"""Whose folder is it?"""

from pathlib import Path

from mercuric.config import Config, differences
from mercuric.errors import MercuricError
from mercuric.files import write_text


def claim_folder(folder: Path, config: Config, resume: bool, free: frozenset[str] = frozenset()) -> None:
    """Write ``config.yaml`` into a fresh folder, or check that a resumed one holds the same.

    Args:
        folder: of the run.
        config: of the run.
        resume: whether it may hold that run already.
        free: fields that may change from one resumption to the next, as ``"training.epochs"``.

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
        before = type(config).read(saved)
        changes = differences(before.model_dump(), config.model_dump(), free)
        if changes:
            raise MercuricError(f"{folder} holds another run: {changes}")
    write_text(saved, config.to_yaml())
