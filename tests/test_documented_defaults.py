"""Are the defaults that the documentation lists those of the code?"""

import json
import re
from pathlib import Path

import pytest

from mercuric import AdaptationConfig, Alike, Directions
from mercuric.config import Config

DOCS = Path(__file__).parents[1] / "docs"
HEAD = "| setting | default | meaning |"


def listed(page: str, place: int) -> dict[str, str]:
    """Name to default, as a table of settings of the page has them."""
    table = (DOCS / page).read_text().split(HEAD)[place].split("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("page", "place", "kind"),
    [("reuse.md", 1, Alike), ("reuse.md", 2, Directions), ("adaptation.md", 1, AdaptationConfig)],
)
def test_tables_of_settings(page: str, place: int, kind: type[Config]) -> None:
    defaults = {}
    for name, field in kind.model_fields.items():
        value = field.get_default(call_default_factory=True)
        written = "its defaults" if isinstance(value, Config) else json.dumps(value)
        defaults[name] = written
    assert {name: value.strip("`") for name, value in listed(page, place).items()} == defaults


def test_no_table_of_settings_is_left_out() -> None:
    with_tables = {page.name for page in DOCS.glob("*.md") if HEAD in page.read_text()}
    assert with_tables == {"reuse.md", "adaptation.md"}
