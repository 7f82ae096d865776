"""What is in the folder of a similarity study?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from mercuric.errors import MercuricError
from mercuric.files.reading import read_json


class Rates(BaseModel):
    """Shares of all vectors of one product."""

    model_config = ConfigDict(frozen=True)
    hit_rate: float
    zero_rate: float
    similar_rate: float


class StudySummary(BaseModel):
    """The whole of ``study.json``, as it is written and as it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    model: str
    form: str | None = None
    data: str
    weights: str
    normalisation: str = "batch"
    coverage: dict[str, Any] = {}
    images: int
    image_size: int
    bits: int
    reuse: dict[str, Any] = {}
    similarity: dict[str, Rates]
    files: dict[str, str]
    machine: dict[str, Any] = {}

    def plain(self) -> dict[str, Any]:
        """What was said of the study, ready for JSON."""
        return self.model_dump(exclude_unset=True)

    @property
    def subject(self) -> str:
        """The line over every picture."""
        number = "1 image" if self.images == 1 else f"{self.images} images"
        return f"{self.model}, {self.weights}; {number} of {self.data}, {self.image_size} px"


@dataclass(frozen=True)
class Study:
    """A study, read and checked.

    Attributes:
        folder: where it lies.
        summary: ``study.json``.
        tables: its tables by name: ``layers``, ``unique``, ``maps``, ``cycles``, ``channels``, ``bits``.
    """

    folder: Path
    summary: StudySummary
    tables: dict[str, pd.DataFrame]


def read_study(folder: Path) -> Study:
    """Read the folder that a similarity study wrote.

    Raises:
        MercuricError: a file is missing or broken; names it.
    """
    path = folder / "study.json"
    try:
        summary = StudySummary.model_validate(read_json(path))
    except FileNotFoundError:
        raise MercuricError(f"{path} is missing: {folder} is not the folder of a similarity study") from None
    except ValidationError as error:
        raise MercuricError(f"{path} is broken: {' '.join(str(error).split())[:200]}") from None
    tables = {name: _table(folder / Path(file).name) for name, file in summary.files.items()}
    return Study(folder, summary, tables)


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path, keep_default_na=False, na_values={"epsilon": [""]}, dtype={"layer": str, "states": str}
        )
    except FileNotFoundError:
        raise MercuricError(f"{path} is missing: {path.parent} is not a whole study") from None
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise MercuricError(f"{path} is broken: {' '.join(str(error).split())}") from error
