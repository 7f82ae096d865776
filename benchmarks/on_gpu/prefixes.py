"""Equal beginnings of sequences: how much faster is a language model's step that computes them once?"""

from typing import Any

import torch
from torch import Tensor, nn

from mercuric import share_prefixes
from mercuric.studies.bench.prefixes import CASES, FAMILIES, QUICK_CASES, Case, language_model, shown
from on_gpu.timing import DENSE, Settings, as_rows, in_turn

IGNORED = -100


def rows(settings: Settings) -> list[dict[str, Any]]:
    """A row a family and case: forward, and forward and backward.

    A batch's plan depends on its tokens, so that no CUDA graph holds it; dense steps run without one as well.
    """
    cases = QUICK_CASES[:1] if settings.quick else CASES
    families = FAMILIES[:1] if settings.quick else FAMILIES
    return [row for family in families for case in cases for row in _rows(settings, family, case)]


def _rows(settings: Settings, family: Any, case: Case) -> list[dict[str, Any]]:
    model = language_model(family, settings.quick).to(settings.device).train()
    sequences = case.sequences().to(settings.device)
    labels = sequences.clone()
    labels[:, : case.prompt] = IGNORED

    def loss() -> Tensor:
        with settings.autocast():
            found: Tensor = model(input_ids=sequences, labels=labels).loss
        return found

    def dense() -> None:
        model.zero_grad()
        torch.autograd.backward(loss())

    def inferring() -> None:
        with torch.no_grad():
            loss()

    timed = {
        kind: in_turn({DENSE: step, "shared": _shared(model, step)}, settings, as_graph=False)
        for kind, step in (("forward", inferring), ("training", dense))
    }
    return as_rows("equal beginnings", f"{family}, {shown(case)}", timed)


def _shared(model: nn.Module, step: Any) -> Any:
    def shared() -> None:
        handle = share_prefixes(model)
        step()
        handle.remove()

    return shared
