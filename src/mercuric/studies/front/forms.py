"""In which forms can a network compute, each with one setting to trade error for time?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, Directions, ReuseConfig
from mercuric.studies.bench.layer_times import reuse_config
from mercuric.studies.bench.principal import rank_name
from mercuric.studies.front.peers.bfloat16 import Bfloat16
from mercuric.studies.front.peers.int8 import Int8
from mercuric.studies.front.peers.low_rank import ResponseReconstruction, WeightSvd
from mercuric.studies.front.peers.peer import Peer
from mercuric.studies.front.peers.pruning import Importance, Pruned

DENSE, PAPER = "dense", "paper's form"
REUSE, DIRECTIONS, SHARED = "reuse alone", "directions alone", "directions + shared residual"
BY_ERROR, BOUNDED, FAST = "directions by error", "directions + bounded residual", "fast()"
FITTED = "directions fitted to the output"
BFLOAT16, INT8 = "bfloat16", "int8"
PRUNED: Mapping[Importance, str] = {
    "magnitude": "Torch-Pruning by magnitude", "Taylor": "Torch-Pruning by Taylor",
}  # fmt: skip
SVD, RESPONSES = "SVD of weights", "Zhang and others 2016"
FITTED_BFLOAT16, FITTED_INT8 = "directions fitted + bfloat16", "directions fitted + int8"
GROUPS = (DENSE, PAPER, REUSE, DIRECTIONS, SHARED, BY_ERROR, BOUNDED, FAST, FITTED)
PEERS = (BFLOAT16, INT8, *PRUNED.values(), SVD, RESPONSES, FITTED_BFLOAT16, FITTED_INT8)
"""What others do, and fitted directions together with it."""

BITS = (8, 12, 16, 20, 24)
RANKS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
ERRORS = (0.2, 0.1, 0.05)
OUTPUT_ERRORS = (0.1, 0.05, 0.04, 0.02)
RESIDUAL_BITS = 6
ENDS = (0, 1, 2)
RATIOS = (0.1, 0.3, 0.5)
SHARES = (1 / 2, 1 / 3, 1 / 4)


@dataclass(frozen=True)
class FrontForm:
    """One point of the front.

    Attributes:
        group: which of :data:`GROUPS` or :data:`PEERS`; the points of a group differ in one setting.
        setting: that one, as ``12 bits``; empty where there is none.
        config: None for dense.
        chosen: whether the layers that are slower than dense compute densely.
        output_error: None, or the error of the network's output that sets all ranks.
        peer: what makes it, where that is none of this library's configurations.
        base: name of the form whose network the peer takes, as plain layers; dense's by default.
    """

    group: str
    setting: str = ""
    config: ReuseConfig | None = None
    chosen: bool = False
    output_error: float | None = None
    peer: Peer | None = None
    base: str = DENSE

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


def peer_forms(
    ends: Sequence[int] = ENDS,
    ratios: Sequence[float] = RATIOS,
    shares: Sequence[float] = SHARES,
    output_errors: Sequence[float] = OUTPUT_ERRORS,
) -> list[FrontForm]:
    """What others do to a trained network, without training it again.

    Args:
        ends: layers at either end that int8 leaves in float32.
        ratios: shares of the channels that Torch-Pruning takes out.
        shares: of the multiplications that low rank leaves.
        output_errors: of the fitted directions that are put into bfloat16 and int8.
    """
    forms = [FrontForm(BFLOAT16, peer=Bfloat16())]
    for kept in ends:
        setting = f"but {kept} at either end" if kept else "every layer"
        forms.append(FrontForm(INT8, setting, peer=Int8(kept)))
    for importance, group in PRUNED.items():
        for ratio in ratios:
            forms.append(FrontForm(group, f"{ratio:.0%} out", peer=Pruned(ratio, importance)))
    for share in shares:
        forms.append(FrontForm(SVD, f"{share:.0%} left", peer=WeightSvd(share)))
    for share in shares:
        forms.append(FrontForm(RESPONSES, f"{share:.0%} left", peer=ResponseReconstruction(share)))
    for group, peer in ((FITTED_BFLOAT16, Bfloat16()), (FITTED_INT8, Int8())):
        for error in output_errors:
            setting = f"at most {error:g}"
            forms.append(FrontForm(group, setting, peer=peer, base=f"{FITTED}, {setting}"))
    return forms


def chosen_forms(forms: Sequence[FrontForm], groups: Sequence[str] | None) -> list[FrontForm]:
    """Dense, the forms of the groups, and those that they are made of.

    Raises:
        ValueError: a group that there is not.
    """
    if groups is None:
        return list(forms)
    known = dict.fromkeys(form.group for form in forms)
    for group in groups:
        if group not in known:
            raise ArgumentError(f"forms was {group!r}, but must be some of {'; '.join(known)}")
    asked = [form for form in forms if form.group in (DENSE, *groups)]
    bases = {form.base for form in asked}
    return [form for form in forms if form in asked or form.name in bases]
