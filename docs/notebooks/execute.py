"""How do the notebooks get the outputs that are stored in them?

    python docs/notebooks/execute.py            # run all, and store what they show
    python docs/notebooks/execute.py NAME ...   # some, by their files' names

Outputs are kept small: text, tables, SVG. What a run is stamped with (times, versions) is not stored.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
_SECONDS = 600
"""After which a cell is stopped: none takes a minute where nothing else runs."""


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in its own folder; raises what a cell raises."""
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book, timeout=_SECONDS, record_timing=False, resources={"metadata": {"path": str(HERE)}}
    )
    client.execute()
    book.metadata["language_info"] = {"name": "python"}
    return book


if __name__ == "__main__":
    for notebook in sorted(HERE.glob("*.ipynb")):
        if notebook.stem in sys.argv[1:] or not sys.argv[1:]:
            nbformat.write(executed(notebook), notebook)
