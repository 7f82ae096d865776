"""How are a network's Hitmaps counted, saved and read again?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mercuric.accelerator import Accelerator, Energies, Simulation, preset
from mercuric.accelerator.count.countable import countable_hitmaps
from mercuric.accelerator.count.similarity_tally import SimilarityTally
from mercuric.accelerator.count.simulation import simulate_batches, simulate_calls
from mercuric.accelerator.mcache_owner import in_runs_mcache, simulated_config
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike
from mercuric.subjects.subject import Subject
from mercuric.trace.calls import Listen
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.folder import HitmapFolderWriter
from mercuric.trace.hitmaps.saved import saved_calls
from mercuric.trace.hitmaps.store import HitmapWriter
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.supervised import Gradients, require_backward


def simulate_network(
    subject: Subject,
    accelerator: Accelerator,
    reuse: Alike | None = None,
    training: bool = True,
    save: Path | None = None,
    listeners: Sequence[Listen] = (),
    progress: Progress = silent,
    energies: Energies | None = None,
    gradients: Gradients = "forward-hits",
) -> Simulation:
    """Count the cycles of all examples, batch after batch.

    Args:
        subject: what runs.
        accelerator: what is simulated, with its MCACHE.
        reuse: how similarity is found; :meth:`Alike.paper` by default.
        training: count both backward products as well.
        save: a Parquet file for the Hitmaps.
        listeners: each called with every layer's call.
        progress: told before each batch.
        energies: by which energy is counted as well; None: they aren't.
        gradients: whose Hitmap dO goes by.

    Raises:
        ValueError: there is no dO to have gradient vectors of its own, or as
            ``mercuric.accelerator.simulate_batches``.
        OSError: ``save`` can't be written.
    """
    require_backward(gradients, training)
    batches = subject.batches(progress, gradients)
    if save is None:
        return simulate_batches(
            subject.network, batches, accelerator, reuse, training, listeners, energies=energies
        )
    config = simulated_config(reuse, accelerator)
    with HitmapWriter(save, HitmapAbout(subject.described, config)) as writer:
        every = (writer.add, *listeners)
        result = simulate_batches(
            subject.network, batches, accelerator, reuse, training, every, energies=energies
        )
        writer.finish(result.layers, result.run)
    return result


def simulate_hitmaps(
    path: Path,
    accelerator: Accelerator,
    training: bool = True,
    model: str | None = None,
    reuse: Alike | None = None,
    listeners: Sequence[Listen] = (),
    energies: Energies | None = None,
) -> tuple[Simulation, dict[str, Any]]:
    """Count the cycles of saved Hitmaps, and say where they come from.

    Args:
        path: a Parquet file, or a folder of CSV files.
        accelerator: what is simulated; its MCACHE must be that of the Hitmaps.
        training: count both backward products as well.
        model: where given, the network that they must be of.
        reuse: where given, the configuration that they must have been found with.
        listeners: each called with every layer's call.
        energies: by which energy is counted as well; None: they aren't.

    Raises:
        ValueError: the accelerator asks for more than was saved.
        MercuricError: a file is missing, damaged or something else, or of another network.
    """
    saved = countable_hitmaps(path, accelerator)
    config = None if reuse is None else simulated_config(reuse, accelerator)
    saved.about.require(path, config, None if model is None else {"model": model})
    result = simulate_calls(saved_calls(saved), accelerator, training, listeners, energies)
    return result, {**saved.about.run, "hitmaps": str(path)}


def write_hitmap_folder(
    subject: Subject, folder: Path, reuse: Alike | None = None, progress: Progress = silent
) -> int:
    """Write every layer's Hitmap of a training step as a CSV file; returns how many there are.

    Raises:
        MercuricError: the folder holds Hitmaps already.
        OSError: it can't be written.
    """
    accelerator, tally = preset("eyeriss-168"), SimilarityTally()
    if reuse is not None:
        accelerator = in_runs_mcache(accelerator, reuse.cache)
    config = simulated_config(reuse, accelerator)
    with HitmapFolderWriter(folder, HitmapAbout(subject.described, config)) as writer:
        facts = NetworkCalls(subject.network, subject.batches(progress), config).tell(tally.add, writer.add)
        layers = tally.layers(facts)
        writer.finish(layers, facts.run)
    return int(layers["on"].sum())
