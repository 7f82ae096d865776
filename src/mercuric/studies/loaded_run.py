"""What did a finished run find, as tables of pandas?"""

import html
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercuric.errors import ArgumentError, MalformedError, MercuricError, described
from mercuric.extras import needed_for
from mercuric.files.reading import parse_json, read_json_object, read_text, read_yaml
from mercuric.notebook import scrolling
from mercuric.studies import study
from mercuric.studies.run_folder import CONFIG, RESOLVED
from mercuric.studies.stored_command import stored_command
from mercuric.version import __version__

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class LoadedRun:
    """A folder that a command of ``mercuric`` filled.

    Attributes:
        folder: where it lies.
        study: the command's name, as ``"train"`` or ``"bench equal"``.
        command: its line, or several; empty where none is stored.
        version: of the Mercuric that wrote it; None where nothing says it.
        config: what was asked, as ``config.yaml`` or the summary has it; empty where neither does.
        summary: the figures of its JSON; empty where it has none.
        tables: its CSV, Parquet and JSON-lines files, by their names without the ending; read a second time
            they are the same ones. A layer's name is always text.
    """

    folder: Path
    study: str
    command: str
    version: str | None
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    tables: Mapping[str, "pd.DataFrame"]

    def __getitem__(self, name: str) -> "pd.DataFrame":
        """A table by its name.

        Raises:
            ArgumentError: there is none of that name; lists those there are.
        """
        if name not in self.tables:
            raise ArgumentError(f"table was {described(name)}, but must be one of {', '.join(self.tables)}")
        return self.tables[name]

    def __repr__(self) -> str:
        each = ", ".join(f"{name} ({len(table)} rows)" for name, table in self.tables.items())
        return f"mercuric {self.study} in {self.folder}: {each}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{len(table)}</td>"
            f"<td>{html.escape(', '.join(map(str, table.columns)))}</td></tr>"
            for name, table in self.tables.items()
        )
        head = "<tr><th>table</th><th>rows</th><th>columns</th></tr>"
        line = html.escape(self.command or f"mercuric {self.study}")
        return f"<p><code>{line}</code></p>{scrolling(f'<table>{head}{rows}</table>')}"


def load_run(folder: str | Path) -> LoadedRun:
    """Read the tables of a run's folder, whichever command filled it.

    Args:
        folder: what ``--out`` named.

    Raises:
        MercuricError: it is not there, is no finished run's folder, or one of its files is broken.

    Warns:
        UserWarning: another version of Mercuric wrote it, whose columns may be others.
    """
    path = Path(folder)
    if not path.is_dir():
        raise MercuricError(f"{path} is not a run's folder: no such directory")
    command = stored_command(path)
    filled = study.named(command) or study.marked(path)
    summary = _summary(path, filled)
    version = _version(path, summary)
    if version not in (None, __version__):
        warnings.warn(
            f"{path} was written by mercuric {version}, and this is {__version__}: columns may be others",
            UserWarning,
            stacklevel=2,
        )
    return LoadedRun(path, filled.name, command, version, _config(path, summary), summary, _tables(path))


def _summary(folder: Path, filled: study.Study) -> dict[str, Any]:
    files = sorted(folder.glob("*.json"))
    marks = [path for path in files if path.name == filled.mark]
    named = [path for path in files if path.stem == filled.words[-1]]
    others = [path for path in files if path.name != RESOLVED]
    chosen = [*marks, *named, *others]
    return read_json_object(chosen[0]) if chosen else {}


def _version(folder: Path, summary: Mapping[str, Any]) -> str | None:
    resolved = folder / RESOLVED
    found = read_json_object(resolved) if resolved.is_file() else summary.get("machine")
    version = None
    if isinstance(found, Mapping):
        version = found.get("version") or found.get("mercuric")
    return None if version is None else str(version)


def _config(folder: Path, summary: Mapping[str, Any]) -> Mapping[str, Any]:
    saved = folder / CONFIG
    config = read_yaml(saved) if saved.is_file() else summary.get("config")
    return config if isinstance(config, Mapping) else {}


def _tables(folder: Path) -> dict[str, "pd.DataFrame"]:
    found: dict[str, pd.DataFrame] = {}
    for path in sorted(folder.iterdir()):
        read = _READERS.get(path.suffix)
        if read is None or not path.is_file() or _HITMAP.fullmatch(path.name):
            continue
        try:
            found[path.stem if path.stem not in found else path.name] = read(path)
        except (ValueError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise MalformedError(f"{path} is broken: {reason}") from None
    return found


def _csv(path: Path) -> "pd.DataFrame":
    import pandas as pd  # takes long

    return pd.read_csv(path, dtype={"layer": str})


def _parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd

    with needed_for("a Parquet file of a run"):
        import_module("pyarrow")  # what pandas reads Parquet by
        return pd.read_parquet(path)


def _json_lines(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame([parse_json(line, path) for line in read_text(path).splitlines() if line.strip()])


_HITMAP = re.compile(r"hitmap-\d+\.csv")
"""A Hitmap is a line a batch, and no table: ``mercuric.accelerator.simulate_saved`` reads them."""
_READERS: Mapping[str, Callable[[Path], "pd.DataFrame"]] = {
    ".csv": _csv, ".parquet": _parquet, ".jsonl": _json_lines,
}  # fmt: skip
