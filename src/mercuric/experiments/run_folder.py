"""Whose folder is it?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercuric import __version__
from mercuric.config import Config, differences
from mercuric.errors import MercuricError
from mercuric.files import write_text
from mercuric.reading import read_json_object
from mercuric.records import json_text

RESOLVED = "resolved.json"
"""What a run rests on, and the version that began it."""


def claim_folder(
    folder: Path,
    config: Config,
    resume: bool,
    free: frozenset[str] = frozenset(),
    resolved: Mapping[str, Any] | None = None,
) -> None:
    """Write ``config.yaml`` and ``resolved.json`` into a fresh folder, or check that a resumed one holds the
    same.

    Args:
        folder: of the run.
        config: of the run.
        resume: whether it may hold that run already.
        free: fields that may change from one resumption to the next, as ``"training.epochs"``.
        resolved: what the names in ``config`` stand for, as :mod:`~mercuric.experiments.resolved` says.

    Raises:
        MercuricError: the folder holds a run and ``resume`` is False, or it holds another run.
        ValueError: its ``config.yaml`` is none of this kind.
        OSError: the folder can't be written.
    """
    saved, facts = folder / "config.yaml", {"version": __version__, **(resolved or {})}
    if saved.exists():
        if not resume:
            raise MercuricError(
                f"{folder} holds a run already; add --resume to go on, or choose another --out"
            )
        before = type(config).read(saved)
        changes = differences(before.model_dump(), config.model_dump(), free)
        changes = changes or differences(_saved_facts(folder), facts)
        if changes:
            raise MercuricError(f"{folder} holds another run: {changes}")
    write_text(folder / RESOLVED, json_text(facts) + "\n")
    write_text(saved, config.to_yaml())


def _saved_facts(folder: Path) -> Mapping[str, Any]:
    path = folder / RESOLVED
    try:
        return read_json_object(path)
    except FileNotFoundError:
        raise MercuricError(
            f"{folder} holds another run: what it rests on is not there ({RESOLVED}), so that nobody knows "
            "whether it is the same"
        ) from None
