"""How does a table go into JSON?"""

import json
from typing import Any

import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A dictionary a row, ready for JSON: what is missing is None, numbers have at most ten decimals."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows
