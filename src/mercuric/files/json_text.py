"""How do figures and tables go into JSON?"""

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def json_text(value: Any) -> str:
    """JSON as every reader takes it: NaN and infinity, which the standard has not, are null."""
    return json.dumps(finite(value), indent=2, allow_nan=False)


def finite(value: Any) -> Any:
    """``value`` with None in place of numbers that are NaN or infinite, however deep they lie."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """A dictionary a row, ready for JSON: what is missing is None, numbers have at most ten decimals."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows
