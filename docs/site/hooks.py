"""Which pages does the site make of files that are no pages of ``docs/``?

The README, the changelog and CONTRIBUTING of the repository, with their links, and each notebook with the
outputs that are stored in it. Pages of ``docs/`` that the navigation doesn't name stand at its end.
"""

import base64
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PROJECT = {"README.md": "readme.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
_LINK = re.compile(r"(\]\()([^)#:\s]+)")
_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr):<code>~?([\w.]+)</code>")
_ESCAPES = re.compile("\x1b\\[[0-9;]*[A-Za-z]")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages that nothing names."""
    named = set(re.findall(r"[\w/.-]+\.md", str(config.nav)))
    others = sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name not in named)
    if others and config.nav is not None:
        config.nav.append({"More": others})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for name, page in PROJECT.items():
        text = _LINK.sub(_of_project, (ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, f"project/{page}", content=text))
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        page = "\n\n".join(notebook(json.loads(path.read_text(encoding="utf-8")), path.name))
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page))
    files.append(File.generated(config, "project/CITATION.cff", content=(ROOT / "CITATION.cff").read_text()))
    return files


def on_page_content(html: str, **_: object) -> str:
    """Show the roles of docstrings, which are written for readers of code, as names alone."""
    return _ROLE.sub(lambda role: f"<code>{role[1].rpartition('.')[2]}</code>", html)


def _of_project(link: re.Match[str]) -> str:
    target = link[2]
    if target.startswith("docs/"):
        return f"{link[1]}../{target.removeprefix('docs/')}"
    return link[1] + PROJECT.get(target, target)


def notebook(content: dict[str, Any], name: str) -> Iterator[str]:
    """A notebook as Markdown, cell by cell; where it lies stands under its title."""
    for number, cell in enumerate(content["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
            if number == 0:
                yield f"[The notebook]({name}), to run it yourself."
            continue
        yield f"```python\n{source}\n```"
        yield from filter(None, map(_output, cell["outputs"]))


def _output(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return _text("".join(output["text"]))
    data = {kind: "".join(value) for kind, value in output.get("data", {}).items()}
    if "image/svg+xml" in data:
        encoded = base64.b64encode(data["image/svg+xml"].encode()).decode()
        return _image("The chart that the cell draws", "svg+xml", encoded)
    if "image/png" in data:
        return _image("What the cell shows", "png", data["image/png"].strip())
    if "text/html" in data:
        lines = (line.strip() for line in data["text/html"].splitlines())
        return f'<div class="result">{"".join(lines)}</div>'
    return _text(data.get("text/plain", ""))


def _image(alternative: str, kind: str, encoded: str) -> str:
    return f'<img class="result" alt="{alternative}" src="data:image/{kind};base64,{encoded}">'


def _text(text: str) -> str:
    plain = html.unescape(_ESCAPES.sub("", text)).rstrip()
    return f"```text\n{plain}\n```" if plain else ""
