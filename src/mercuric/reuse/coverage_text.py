"""What does a person read of the layers that reuse, and of those that don't?"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from mercuric.reuse.coverage import Coverage
from mercuric.reuse.layer import LayerReuse

LOW = 0.5
"""Share of the multiply-accumulates under which a warning says how little is covered."""
_OWN = "products of its own, in no layer that can reuse"


def never_ran(layers: Mapping[str, LayerReuse]) -> list[str]:
    """The layers that were never called, where any was; their weights may be read past them."""
    ran = [name for name, state in layers.items() if state.ran]
    return [name for name in layers if name not in ran] if ran else []


def dense_layers(layers: Mapping[str, LayerReuse], coverage: Coverage) -> dict[str, str]:
    """Name to why it computes densely, of all that was found to."""
    settled = {name: state.dense_because for name, state in layers.items() if state.dense_because is not None}
    return {**settled, **coverage.dense, **{name: coverage.dense.get(name, _OWN) for name in coverage.others}}


def share_covered(layers: Mapping[str, LayerReuse], coverage: Coverage) -> float | None:
    """Share of the multiply-accumulates of the model's first forward pass that reuse layers have, or None."""
    total = coverage.reused.total() + coverage.others.total()
    reused = sum(macs for name, macs in coverage.reused.items() if layers[name].dense_because is None)
    return reused / total if total else None


def coverage_text(layers: Mapping[str, LayerReuse], coverage: Coverage) -> str:
    """Layers that reuse, that are off, that never ran and that are dense, a line each kind and reason."""
    share = share_covered(layers, coverage)
    covered = "known after a forward pass" if share is None else f"{share:.0%}"
    lines = [f"reuse in {_layers(len(layers))}; multiply-accumulates covered: {covered}"]
    if off := [name for name, state in layers.items() if not state.on]:
        lines.append(f"switched off: {_listed(off)}")
    if unused := never_ran(layers):
        lines.append(f"never ran, their weights may be read past them: {_listed(unused)}")
    for why, names in _by_reason(dense_layers(layers, coverage)).items():
        lines.append(f"dense{_share(names, layers, coverage)}: {_listed(names)}: {why}")
    return "\n  ".join(lines)


def warning_text(layers: Mapping[str, LayerReuse], coverage: Coverage) -> str | None:
    """One sentence where layers never ran, or little is covered; None otherwise."""
    said = []
    if unused := never_ran(layers):
        said.append(
            f"{len(unused)} of {_layers(len(layers), 'reuse ')} never ran, because the forward pass doesn't "
            f"call them (their weights may be read past them): {_listed(unused)}"
        )
    share = share_covered(layers, coverage)
    if share is not None and share < LOW:
        largest = [name for name, _ in coverage.others.most_common()]
        dense = f", and {_listed(largest)} compute the rest densely" if largest else ""
        said.append(f"reuse covers {share:.0%} of the model's multiply-accumulates{dense}")
    return "; ".join([*said, "print(handle) says why"]) if said else None


def _share(names: Iterable[str], layers: Mapping[str, LayerReuse], coverage: Coverage) -> str:
    total = coverage.reused.total() + coverage.others.total()
    macs = sum(coverage.others[name] + coverage.reused[name] * (name in layers) for name in names)
    return f" ({macs / total:.0%})" if total else ""


def _by_reason(dense: Mapping[str, str]) -> dict[str, list[str]]:
    grouped = defaultdict(list)
    for name, why in dense.items():
        grouped[why].append(name)
    return grouped


def _listed(names: Collection[str], most: int = 4) -> str:
    shown = [name or "the model itself" for name in list(names)[:most]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _layers(number: int, kind: str = "") -> str:
    return f"{number} {kind}layer{'' if number == 1 else 's'}"
