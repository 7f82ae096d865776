"""In which forms can a network compute, each with one setting to trade error for time?"""

from collections.abc import Sequence
from dataclasses import dataclass

from mercuric.reuse import Alike, Directions, ReuseConfig
from mercuric.studies.bench.layer_times import reuse_config
from mercuric.studies.bench.principal import rank_name

DENSE, PAPER = "dense", "paper's form"
REUSE, DIRECTIONS, SHARED = "reuse alone", "directions alone", "directions + shared residual"
BY_ERROR, BOUNDED, FAST = "directions by error", "directions + bounded residual", "fast()"
FITTED = "directions fitted to the output"
GROUPS = (DENSE, PAPER, REUSE, DIRECTIONS, SHARED, BY_ERROR, BOUNDED, FAST, FITTED)

BITS = (8, 12, 16, 20, 24)
RANKS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
ERRORS = (0.2, 0.1, 0.05)
OUTPUT_ERRORS = (0.1, 0.05, 0.04, 0.02)
RESIDUAL_BITS = 6


@dataclass(frozen=True)
class FrontForm:
    """One point of the front.

    Attributes:
        group: which of :data:`GROUPS`; the points of a group differ in one setting.
        setting: that one, as ``12 bits``; empty where there is none.
        config: None for dense.
        chosen: whether the layers that are slower than dense compute densely.
        output_error: None, or the error of the network's output that sets all ranks.
    """

    group: str
    setting: str = ""
    config: ReuseConfig | None = None
    chosen: bool = False
    output_error: float | None = None

    @property
    def name(self) -> str:
        """Group and setting."""
        return f"{self.group}, {self.setting}" if self.setting else self.group


def front_forms(
    bits: Sequence[int] = BITS,
    ranks: Sequence[int | float] = RANKS,
    errors: Sequence[float] = ERRORS,
    output_errors: Sequence[float] = OUTPUT_ERRORS,
    paper: bool = True,
) -> list[FrontForm]:
    """Dense, the paper's form, reuse alone, directions alone, and their combinations.

    Raises:
        ValueError: bits, a rank or an error that is out of range.
    """
    forms = [FrontForm(DENSE)]
    if paper:
        # Adaptation is of training; without it every layer stays as the paper has it at first.
        forms.append(FrontForm(PAPER, "", Alike.paper(adaptation=None)))
    forms += [FrontForm(REUSE, f"{count} bits", reuse_config(count)) for count in bits]
    for rank in ranks:
        forms.append(FrontForm(DIRECTIONS, rank_name(rank), Directions(rank=rank)))
    for rank in ranks:
        config = Directions(rank=rank, residual_bits=RESIDUAL_BITS)
        forms.append(FrontForm(SHARED, rank_name(rank), config))
    for error in errors:
        text = f"at most {error:g}"
        forms.append(FrontForm(BY_ERROR, text, Directions(rank=None, error=error)))
    for error in errors:
        config = Directions(rank=None, error=error, residual_bits=RESIDUAL_BITS, max_error=error)
        forms.append(FrontForm(BOUNDED, f"at most {error:g}", config))
    forms += [FrontForm(FAST, rank_name(rank), Directions(rank=rank), chosen=True) for rank in ranks]
    for error in output_errors:
        setting = f"at most {error:g}"
        forms.append(FrontForm(FITTED, setting, Directions(rank=0.25), chosen=True, output_error=error))
    return forms
