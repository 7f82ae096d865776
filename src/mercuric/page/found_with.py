"""How is it said, beside figures of reuse, how similarity was found?"""

from collections.abc import Iterable, Mapping
from typing import Any

from mercuric.accelerator import Accelerator
from mercuric.page import formats
from mercuric.trace.normalisation import SHOWN


def mcache(accelerator: Accelerator) -> str:
    """``1024 entries in sets of 16``."""
    return _mcache(accelerator.entries, accelerator.ways)


def signatures(reuse: Mapping[str, Any]) -> str:
    """``20-bit signatures of a channel's windows``; sizes, patches and whole batches are said as well.

    Args:
        reuse: ``bits``, ``granularity``, ``magnitude`` and ``scope``, as ``accelerator.found_with`` gives.
    """
    spans = {"channel": "a channel's windows", "patch": "windows of all channels"}
    granularity = reuse["granularity"]
    span = spans.get(granularity, f"windows of {granularity} channels")
    size = "" if reuse["magnitude"] is None else f", sizes of {reuse['magnitude']} bits beside"
    shared = ", compared over the batch" if reuse["scope"] == "batch" else ""
    return f"{reuse['bits']}-bit signatures of {span}{size}{shared}"


def found_with(reuse: Mapping[str, Any]) -> str:
    """:func:`signatures`, and what all figures have alike of the MCACHE that they were looked up in."""
    if "entries" not in reuse:
        return f"{signatures(reuse)}" + (f"; sets of {reuse['ways']}" if "ways" in reuse else "")
    if "ways" not in reuse:
        return f"{signatures(reuse)}; {reuse['entries']} entries"
    return f"{signatures(reuse)}; {_mcache(reuse['entries'], reuse['ways'])}"


def mcaches(accelerators: Iterable[Accelerator]) -> str:
    """``1024 entries in sets of 16 (eyeriss-like)``, for each, where they have different ones."""
    names: dict[str, list[str]] = {}
    for one in accelerators:
        names.setdefault(mcache(one), []).append(one.name)
    if len(names) == 1:
        return next(iter(names))
    return formats.listing([f"{cache} ({formats.listing(on)})" for cache, on in names.items()])


def normalised(by: str) -> str:
    """``normalised by each batch's own statistics, ...``; of a network that doesn't, that it doesn't."""
    said = SHOWN.get(by, by)
    return said if by == "none" else f"normalised {said}"


def _mcache(entries: int | None, ways: int) -> str:
    return "an unlimited MCACHE" if entries is None else f"{entries} entries in sets of {ways}"
