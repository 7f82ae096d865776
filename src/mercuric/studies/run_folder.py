"""Whose folder is it?"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from mercuric.config import Config, differences
from mercuric.errors import MercuricError
from mercuric.files.json_text import json_text
from mercuric.files.locks import holding
from mercuric.files.reading import read_json_object
from mercuric.files.writing import remove_abandoned, write_text
from mercuric.version import __version__

CONFIG = "config.yaml"
RESOLVED = "resolved.json"
"""What a run rests on, and the version that began it."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def alone(work: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let ``work`` have its ``folder`` for itself as long as it runs.

    Raises:
        MercuricError: another process works in it; names it.
    """
    signature = inspect.signature(work)

    @wraps(work)
    def held(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with holding(signature.bind(*args, **kwargs).arguments["folder"]):
            return work(*args, **kwargs)

    return held


def claim_folder(
    folder: Path,
    config: Config,
    resume: bool,
    free: frozenset[str] = frozenset(),
    resolved: Mapping[str, Any] | None = None,
) -> None:
    """Write ``config.yaml`` and ``resolved.json`` into a fresh folder, or check that a resumed one holds the
    same.

    What a kill has left half written in it is removed.

    Args:
        folder: of the run.
        config: of the run.
        resume: whether it may hold that run already.
        free: fields that may change from one resumption to the next, as ``"training.epochs"``.
        resolved: what the names in ``config`` stand for, as :mod:`~mercuric.studies.resolved` says.

    Raises:
        MercuricError: the folder holds a run and ``resume`` is False, or it holds another run.
        ValueError: its ``config.yaml`` is none of this kind.
        OSError: the folder can't be written.
    """
    for inside in (folder, *(path for path in folder.glob("*") if path.is_dir())):
        if inside.is_dir():
            remove_abandoned(inside)
    if not resume:
        require_free(folder)
    saved, facts = folder / CONFIG, {"version": __version__, **(resolved or {})}
    if saved.exists():
        before = type(config).read(saved)
        changes = differences(before.model_dump(), config.model_dump(), free)
        changes = changes or differences(_saved_facts(folder), facts)
        if changes:
            raise MercuricError(f"{folder} holds another run: {changes}")
    write_text(folder / RESOLVED, json_text(facts) + "\n")
    write_text(saved, config.to_yaml())


def require_free(folder: Path) -> None:
    """Refuse a folder that holds a run.

    Raises:
        MercuricError: it does.
    """
    if (folder / CONFIG).exists():
        raise MercuricError(f"{folder} holds a run already; add --resume to go on, or choose another --out")


def _saved_facts(folder: Path) -> Mapping[str, Any]:
    path = folder / RESOLVED
    try:
        return read_json_object(path)
    except FileNotFoundError:
        raise MercuricError(
            f"{folder} holds another run: what it rests on is not there ({RESOLVED}), so that nobody knows "
            "whether it is the same"
        ) from None
