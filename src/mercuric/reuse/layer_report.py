"""What did a layer do, as a row of figures?"""

import pandas as pd

from mercuric.reuse.directions.part import PrincipalPart
from mercuric.reuse.judge.fastest import clearly_faster
from mercuric.reuse.layer import Counts, LayerReuse


def similarity_rates(report: pd.DataFrame) -> dict[str, float]:
    """Shares of all input vectors over the rows of a report.

    Returns:
        ``hit_rate``: HITs; ``zero_rate``: vectors of zeros alone, HIT or not; ``similar_rate``: HITs
        of other vectors.
    """
    sums = {name: int(report[name].sum()) for name in ("vectors", "HIT", "zero", "zero_hits")}
    vectors = max(1, sums["vectors"])
    return {
        "hit_rate": sums["HIT"] / vectors,
        "zero_rate": sums["zero"] / vectors,
        "similar_rate": (sums["HIT"] - sums["zero_hits"]) / vectors,
    }


def layers_in_directions(report: pd.DataFrame) -> int:
    """How many layers of a report compute in principal directions."""
    return int((report["computes"] == "directions").sum())


def report_row(state: LayerReuse) -> dict[str, object]:
    """One layer's row of :meth:`ReuseHandle.report <mercuric.ReuseHandle.report>`."""
    row = {
        "layer": state.name,
        "kind": state.kind,
        "vectors": state.counts.vectors,
        "bits": state.bits,
        **_columns(state.counts),
        "error": float("nan") if state.error is None else state.error,
        "on": state.on,
    }
    if state.principal is not None:
        row["error"] = float("nan") if state.principal.error is None else state.principal.error
        row["rank"] = state.principal.rank
        row["computes"] = _computes(state, state.principal)
    if state.config.keep == "faster":
        cost = state.milliseconds
        row["dense_ms"] = float("nan") if cost is None else cost.baseline
        row["reuse_ms"] = float("nan") if cost is None else cost.signatures_and_products
    if state.config.backward == "signature":
        gradients = {"vectors": state.gradient_counts.vectors, **_columns(state.gradient_counts)}
        row.update({f"gradient_{column}": value for column, value in gradients.items()})
    return row


def _computes(state: LayerReuse, part: PrincipalPart) -> str:
    """In what form the layer computes, and why where that is dense."""
    if state.dense_because is not None:
        return f"dense: {state.dense_because}"
    if part.settled:
        limit = part.config.error
        return "dense: no rank pays" if limit is None else f"dense: no rank within error {limit:g} pays"
    if not state.on:
        slower = state.milliseconds is not None and not clearly_faster(state.milliseconds)
        return "dense: not clearly faster" if slower else "dense: switched off"
    if part.strayed:
        return "dense: its weight lies outside of its directions"
    if part.directions is not None:
        return "directions"
    if not part.ready:
        return "dense: no training pass yet"
    return "dense: until the next optimizer step" if part.wanted else "dense: not measured yet"


def _columns(counts: Counts) -> dict[str, int]:
    return {
        "HIT": counts.hit,
        "MAU": counts.mau,
        "MNU": counts.mnu,
        "zero": counts.zero,
        "zero_hits": counts.zero_hits,
    }
