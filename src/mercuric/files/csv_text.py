"""How do rows go into CSV?"""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """A header of all names, in the order in which rows bring them, and a line a row."""
    listed = list(rows)
    columns = list(dict.fromkeys(name for row in listed for name in row))
    text = StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(listed)
    return text.getvalue()
