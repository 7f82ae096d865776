"""Which claims are tried, and how far?"""

from typing import Annotated

from pydantic import Field

from mercuric.config import Config
from mercuric.subjects.config import DataName


class ReproduceConfig(Config):
    """What is reproduced.

    Attributes:
        claims: by name.
        quick: smaller runs.
        data: images in place of those that the runs name.
    """

    claims: Annotated[tuple[str, ...], Field(min_length=1)]
    quick: bool = False
    data: DataName | None = None
