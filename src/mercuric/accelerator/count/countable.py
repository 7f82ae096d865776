"""Can this accelerator's cycles be counted from Hitmaps that were saved?"""

from pathlib import Path
from typing import TYPE_CHECKING

from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.operands import Operands, operands
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.mcache_owner import accelerators_own
from mercuric.errors import ArgumentError
from mercuric.trace.hitmaps.saved import open_hitmaps
from mercuric.trace.layer_call import LayerCall

if TYPE_CHECKING:
    from mercuric.trace.hitmaps.folder import HitmapFolder
    from mercuric.trace.hitmaps.store import SavedHitmaps

_HIT_OR_MISS = {"late_hits": "ready", "insertion_queue": None}
"""What needs more of a Hitmap than HIT or miss, unless it has this value."""


def countable_hitmaps(path: Path, accelerator: Accelerator) -> "HitmapFolder | SavedHitmaps":
    """The Hitmaps at ``path``, which must tell all that the accelerator's cycles depend on.

    Raises:
        ValueError: an accelerator that asks for more than was saved, or has another MCACHE.
        MercuricError: there are no Hitmaps here.
    """
    require_saved(path, accelerator)
    saved = open_hitmaps(path)
    for field in accelerators_own(accelerator):
        own, found = getattr(accelerator, field), getattr(saved.about.config, field)
        if own != found:
            raise ArgumentError(
                f"{field} of accelerator {accelerator.name!r} was {own}, but must be {found}: the Hitmaps in "
                f"{path} were found with so many"
            )
    return saved


def require_saved(path: Path, accelerator: Accelerator) -> None:
    """Refuse an accelerator whose cycles depend on what the Hitmaps at ``path`` don't tell.

    Raises:
        ValueError: names the field.
    """
    needed = {"arrival": "raster", **(_HIT_OR_MISS if path.is_dir() else {})}
    for name, plain in needed.items():
        value = getattr(accelerator, name)
        if value != plain:
            why = "go by the input's order" if name == "arrival" else "are CSV, which holds no entry ids"
            raise ArgumentError(
                f"{name} of accelerator {accelerator.name!r} was {value!r}, but must be {plain!r}: the "
                f"Hitmaps in {path} {why}"
            )


def require_countable(call: LayerCall, accelerator: Accelerator) -> None:
    """Refuse a fully connected layer whose PEs would send results of which nobody knows to whom (III-C3).

    Raises:
        ValueError: names the layer.
    """
    hitmap, dataflow = call.work.hitmap, dataflow_of(accelerator)
    reads = dataflow.reads_representatives(accelerator, call.work.kind)
    if hitmap is not None and reads and bool((hitmap.representatives < 0).any()):
        raise ArgumentError(
            f"layer {call.layer!r} is fully connected and has HITs, but CSV files hold no entry ids, which "
            f"accelerator {accelerator.name!r} needs there; save the Hitmaps as Parquet"
        )


def waited_for(call: LayerCall, accelerator: Accelerator) -> Operands | None:
    """What a call reads and writes, where the accelerator can wait for it.

    Raises:
        ValueError: it can, and nobody knows the call's words.
    """
    return layer_tensors(call) if accelerator.waits else None


def layer_tensors(call: LayerCall) -> Operands:
    """What a call reads and writes.

    Raises:
        ValueError: nobody knows.
    """
    if call.product == "input_gradient":
        raise ArgumentError(
            f"layer {call.layer!r} has gradient vectors of its own, and nobody knows how many words they "
            "are, but energy and waiting for DRAM or link go by them: let gradients be 'forward-hits', or "
            "leave energy out and set dram_words_per_cycle and link_words_per_cycle to none"
        )
    if call.workload is None:
        raise ArgumentError(
            f"layer {call.layer!r} does not say how many words it reads, but energy and waiting for DRAM or "
            "link go by them: save its Hitmaps anew, or leave energy out and set dram_words_per_cycle and "
            "link_words_per_cycle to none"
        )
    return operands(call.work.shape, call.workload.inputs, call.workload.fresh)
