"""What does a study of similarity look at?"""

from typing import Annotated

from pydantic import Field

from mercuric.subjects.config import ImageNetworkName, SubjectConfig


class SimilarityConfig(SubjectConfig):
    """A similarity study.

    Attributes:
        images: training images in the batch; 16, or 2 above 64 pixels, where none is given.
        seed: what projections and dropout are drawn from, too.
        bits: signature length of Figs. 1, 9 and 15 (paper III-D: 20).
    """

    model: ImageNetworkName
    images: int | None = None
    bits: Annotated[int, Field(strict=True, ge=1, le=64)] = 20
