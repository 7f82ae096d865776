"""Which code does a page show, and what is to happen to it?

The rule, for README, CONTRIBUTING and every page of ``docs/``:

* A fenced ``python`` block runs, in the page's own empty folder, after those above it, whose names it has. A
  comment ``<!-- before ... -->`` above it has lines that run first.
* Each line that begins with ``mercuric``, in a ``bash`` block or an indented one, must parse: the command is
  there, and so are its options, with values that it takes. Under ``<!-- runs -->`` each line runs as well.
* Lines of other programs in a ``bash`` block name a target of the Makefile, a file, or pip.
* Under ``<!-- fails -->`` a command exits with 2, under ``<!-- raises -->`` a Python block raises, and says
  what the ``text`` block that follows begins with.
* ``<!-- file: NAME -->``: the block is written into the folder under that name (a Python block runs too).
* ``<!-- tested by PATH -->``: the block, or with ``<!-- all tested by PATH -->`` each that follows, is run by
  that test.
* Blocks in other languages are read by nobody.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(
    r"^<!-- (?P<note>.*?) ?-->$|^```(?P<language>\w*)\n(?P<code>.*?)^```$|^(?P<indented>(?:    [^\n]*\n)+)",
    re.DOTALL | re.MULTILINE,
)


@dataclass
class Block:
    """Code, and what its page says of it.

    Attributes:
        language: of a fence; ``"indented"`` without one.
        code: the lines.
        before: lines of Python that run first.
        notes: the other comments above it.
        said: the text block that follows.
    """

    language: str
    code: str
    before: str = ""
    notes: list[str] = field(default_factory=list)
    said: str = ""

    def note(self, begin: str) -> str | None:
        """What stands in the comment that begins so."""
        found = [note.removeprefix(begin).strip(": ") for note in self.notes if note.startswith(begin)]
        return found[0] if found else None

    @property
    def commands(self) -> Iterator[list[str]]:
        """The words of each line of a shell."""
        for line in self.code.replace("\\\n", " ").splitlines():
            if self.language == "bash" or line.startswith("    mercuric "):
                words = shlex.split(line, comments=True)
                if words:
                    yield words


def blocks(text: str) -> list[Block]:
    """All blocks of a page, in order."""
    found: list[Block] = []
    before, notes, everywhere, last = "", [], "", 0
    for match in _BLOCK.finditer(text):
        if text[last : match.start()].strip():
            notes = []
        last = match.end()
        note = match["note"]
        if note is not None:
            if note.startswith("before\n"):
                before = note.removeprefix("before\n")
            elif note.startswith("all tested by"):
                everywhere = note.removeprefix("all ")
            else:
                notes.append(note)
            continue
        if match["language"] == "text" and found and not notes:
            found[-1].said = match["code"].strip()
            continue
        language = match["language"] if match["indented"] is None else "indented"
        more = [everywhere] if everywhere else []
        found.append(Block(language, match["code"] or match["indented"], before, [*notes, *more]))
        before, notes = "", []
    return found
