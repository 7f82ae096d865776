"""What do the circuits do on a layer? Their activity, a file a circuit, so that a stopped run goes on."""

from collections.abc import Sequence
from pathlib import Path

from mercuric.accelerator.energy.virtex7 import design_name
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.rtl.activity import Activity, activity
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Stimulus
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.studies.hardware.power.config import PowerConfig
from mercuric.studies.hardware.power.layer import layer, parameters, states
from mercuric.studies.run_folder import alone, claim_folder

BASELINE = (0, 0)
"""Sets and ways of the array without an MCACHE."""


def count_activities(
    config: PowerConfig, folder: Path, resume: bool = False, progress: Progress = silent
) -> dict[tuple[int, int], Activity]:
    """Run the baseline and the array with each MCACHE on the same layer; return what they did.

    Args:
        config: which, and on what.
        folder: gets ``activity-SETSxWAYS.json`` of each.
        resume: go on where a run of the same configuration was stopped.
        progress: told circuit by circuit.

    Raises:
        ValueError: a size is wrong.
        MercuricError: the folder holds a run and ``resume`` is False, or another run; or a circuit is wrong.
    """
    designs = (BASELINE, *config.mcaches)
    for design in designs:
        _layer(config, *design)  # what is wrong is told before anything is written
    return _count(config, designs, folder, resume, progress)


@alone
def _count(
    config: PowerConfig, designs: Sequence[tuple[int, int]], folder: Path, resume: bool, progress: Progress
) -> dict[tuple[int, int], Activity]:
    claim_folder(folder, config, resume)
    for done, (sets, ways) in enumerate(designs):
        progress(done, len(designs), design_name(sets, ways))
        path = folder / f"activity-{sets}x{ways}.json"
        if not path.exists():
            write_text(path, _activity(config, sets, ways).model_dump_json(indent=1))
    progress(len(designs), len(designs))
    return read_activities(config, folder)


def read_activities(config: PowerConfig, folder: Path) -> dict[tuple[int, int], Activity]:
    """What :func:`count_activities` left in a folder."""
    return {
        (sets, ways): Activity(**read_json_object(folder / f"activity-{sets}x{ways}.json"))
        for sets, ways in (BASELINE, *config.mcaches)
    }


def states_of(config: PowerConfig) -> dict[tuple[int, int], dict[str, int]]:
    """HITs, MAUs and MNUs in the layer, by MCACHE."""
    found = {}
    for sets, ways in config.mcaches:
        circuit = parameters(config, sets, ways)
        found[sets, ways] = states(circuit, layer(config, circuit))
    return found


def _activity(config: PowerConfig, sets: int, ways: int) -> Activity:
    return activity(*_layer(config, sets, ways), SynchronousArray if sets else BaselineArray)


def _layer(config: PowerConfig, sets: int, ways: int) -> tuple[Parameters, Stimulus]:
    circuit = parameters(config, max(sets, 1), max(ways, 1))
    return circuit, layer(config, circuit)
