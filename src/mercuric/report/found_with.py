"""How is it said, beside figures of reuse, how similarity was found?"""

from collections.abc import Mapping
from typing import Any

from mercuric.accelerator import Accelerator


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
    """:func:`signatures`, and the MCACHE that they were looked up in, where all figures have the same."""
    if "entries" not in reuse or "ways" not in reuse:
        return signatures(reuse)
    return f"{signatures(reuse)}; {_mcache(reuse['entries'], reuse['ways'])}"


def _mcache(entries: int | None, ways: int) -> str:
    return "an unlimited MCACHE" if entries is None else f"{entries} entries in sets of {ways}"
