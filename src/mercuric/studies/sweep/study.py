"""What does each choice of hardware cost? Every combination of an accelerator's fields, on the same data."""

import errno
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.accelerator import Accelerator, CycleCounter, as_accelerator
from mercuric.accelerator.count.arrival import arrived
from mercuric.accelerator.count.countable import waited_for
from mercuric.accelerator.count.simulation import Simulation, Simulator
from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.energies import Energies, as_energies
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.errors import ArgumentError, MalformedError
from mercuric.files.dataset import PARTS, write_part
from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike
from mercuric.studies.machine import machine
from mercuric.studies.resolved import resolved_data, resolved_hardware, resolved_networks, resolved_weights
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.sweep.config import Field, SweepConfig
from mercuric.studies.sweep.no_hits import without_hits
from mercuric.studies.workers import HERE, Workers, finished
from mercuric.subjects.config import shown_name
from mercuric.subjects.network import of_zoo, open_network, require_read, size_of
from mercuric.subjects.providers.provider import Opened
from mercuric.subjects.subject import load_data, load_subject
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.normalisation import Normalisation

RESULTS = "sweep.parquet"
TEXTS = ("normalisation",)
"""Columns that may have no value, and are texts."""
_DEPENDS: dict[str, tuple[Callable[[Accelerator], bool], str]] = {
    "versions": (lambda one: one.design == "asynchronous", "design is synchronous, which has one version"),
    "split_by": (lambda one: one.arrays > 1, "arrays is 1, which splits nothing"),
    "link_words_per_cycle": (lambda one: one.arrays > 1, "arrays is 1, which sends nothing to another"),
    **dict.fromkeys(
        ("buffer_kib", "word_bits", "dram_row_hits"),
        (lambda one: one.waits, "dram_words_per_cycle is null, and nothing waits for words"),
    ),
    "ways": (lambda one: one.entries is not None, "an unlimited MCACHE (entries=null) has no sets"),
}
"""What makes cycles depend on a field, whatever the dataflow, and why they don't where it isn't so."""


@dataclass(frozen=True)
class Part:
    """What one run of a network serves: the combinations that see the same Hitmaps.

    Attributes:
        model: the network.
        chosen: the fields of each combination.
        accelerators: what they describe.
        resolved: what the names of the sweep stand for.
    """

    model: str
    chosen: tuple[dict[str, Field], ...]
    accelerators: tuple[Accelerator, ...]
    resolved: Mapping[str, Any]

    @cached_property
    def file(self) -> str:
        """The name of its results, which no other part has."""
        hardware = [resolved_hardware(one) for one in self.accelerators]
        described = json.dumps([self.model, self.chosen, hardware, self.resolved], sort_keys=True)
        return f"{shown_name(self.model)}-{sha256(described.encode()).hexdigest()[:12]}.parquet"


@alone
def sweep(
    config: SweepConfig,
    folder: Path,
    workers: Workers = HERE,
    resume: bool = False,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Simulate every combination on every network; write ``sweep.parquet`` and return what it holds.

    Args:
        config: what varies.
        folder: gets ``config.yaml``, a file a part in the dataset ``parts/``, and the results.
        workers: who runs the networks, each one's own.
        resume: parts that are there already are read, not simulated again.
        progress: told after each part.

    Returns:
        A row a network, combination and layer: ``model``, ``normalisation`` (by which statistics it
        normalised), the varied fields, the columns of ``Simulation.layers``, and MERCURY's cycles without
        hits and signatures, ``cycles_no_hits`` and ``fair_no_hits``.

    Raises:
        ValueError: a wrong setting, found before anything runs.
        MercuricError: the folder holds another run, files are missing, or workers fail.
        OSError: the folder can't be written.
    """
    resolved = resolve(config)
    parts = split(config, resolved)
    claim_folder(folder, config, resume, resolved=resolved)
    there = folder / PARTS
    missing = [part for part in parts if not (there / part.file).exists()]
    total = len(parts)
    progress(total - len(missing), total, missing[0].model if missing else "")
    work = partial(simulate_part, config, folder=there)
    for done, part in enumerate(finished(work, missing, workers, folder), start=1):
        progress(total - len(missing) + done, total, part.model)
    results = pd.concat([read_part(there / part.file) for part in parts], ignore_index=True)
    described = {
        "config": config.model_dump(mode="json"),
        "reuse": config.found_with(),
        "normalisation": normalisations(results),
        "machine": machine(),
    }
    write_text(folder / "sweep.json", json_text(described))
    write_part(results, folder / RESULTS, TEXTS)
    return results


def read_part(path: Path) -> pd.DataFrame:
    """Results of a part, or of the whole sweep.

    Raises:
        FileNotFoundError: there are none.
        MalformedError: they are broken.
    """
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:  # pyarrow's, which doesn't say what is missing
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    except ValueError as error:  # pyarrow's, where it is no Parquet file
        raise MalformedError(
            f"{path} is broken ({error}); remove it, and --resume simulates it again"
        ) from None


def normalisations(results: pd.DataFrame) -> dict[str, Normalisation]:
    """By which statistics each network normalised."""
    return dict(results.drop_duplicates("model").set_index("model")["normalisation"])


def resolve(config: SweepConfig) -> dict[str, Any]:
    """What the names of the sweep stand for: hardware, reuse, weights and data.

    Raises:
        ValueError: an unknown accelerator or data set.
        MercuricError: data are missing or damaged.
    """
    data_sets: dict[str, Any] = {}
    networks: dict[str, Opened] = {}
    for subject in map(config.subject_of, config.models):
        opened = networks[subject.model] = open_network(subject)
        size = size_of(subject, opened)
        key = f"{subject.data} at {size} px" if size else subject.data
        loaded = load_data(subject, opened)
        data_sets[key] = data_sets.get(key) or resolved_data(loaded)["data"]
        if not of_zoo(subject.model):
            require_read(subject, loaded, opened)
    reuse = Alike.paper(bits=config.bits).model_dump(mode="json", exclude={"entries", "ways"})
    hardware = resolved_hardware(as_accelerator(config.accelerator))
    names = {**resolved_weights(config.weights), "data": data_sets, **resolved_networks(networks)}
    return {"reuse": reuse, **hardware, **names}


def split(config: SweepConfig, resolved: Mapping[str, Any]) -> list[Part]:
    """The parts of a sweep: one a network, MCACHE and cut of vectors, whose Hitmaps serve all other fields.

    Args:
        config: what varies.
        resolved: what its names stand for.

    Raises:
        ValueError: an accelerator that can't be built, or a field that varies and changes nothing.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    accelerators, combinations = config.accelerators(), config.combinations()
    _require_effect(config, accelerators)
    for index, one in enumerate(accelerators):
        # Interleaved signatures arrive in an order that the array's size decides.
        array = (one.rows, one.columns, one.dataflow) if one.arrival == "interleaved" else ()
        groups.setdefault((one.entries, one.ways, one.weight_blocks, array), []).append(index)
    return [
        Part(model, tuple(combinations[i] for i in group), tuple(accelerators[i] for i in group), resolved)
        for model in config.models
        for group in groups.values()
    ]


def _require_effect(config: SweepConfig, accelerators: Sequence[Accelerator]) -> None:
    """Refuse a field that varies where no combination's cycles depend on it."""
    for name, values in config.vary.items():
        reasons = [_idle(name, accelerator) for accelerator in accelerators]
        if len(values) > 1 and all(reasons):
            raise ArgumentError(f"field was {name!r}, but must be left out of this sweep: {reasons[0]}")


def _idle(field: str, accelerator: Accelerator) -> str | None:
    """Why no cycle of the accelerator depends on a field; None where some do."""
    depends, why = _DEPENDS.get(field, (None, None))
    if depends is not None and not depends(accelerator):
        return why
    return dataflow_of(accelerator).idle_options.get(field)


def simulate_part(config: SweepConfig, part: Part, folder: Path) -> Part:
    """Run the part's network once, count every accelerator, and write the layers into ``folder``."""
    subject = load_subject(config.subject_of(part.model), config.images, config.batch)
    cache = part.accelerators[0]
    reuse = simulated_config(Alike.paper(bits=config.bits), cache)
    training = not config.inference
    simulators = [Simulator(one, training, _table(one, config)) for one in part.accelerators]
    counters = [CycleCounter(accelerator, training) for accelerator in part.accelerators]

    def count(call: LayerCall) -> None:
        call, nothing = arrived(call, cache), without_hits(call)  # alike for all accelerators of a part
        for simulator, counter in zip(simulators, counters, strict=True):
            simulator.count(call)
            tensors = waited_for(call, counter.accelerator)
            counter.count(
                call.layer, nothing.work, call.needs_input_gradient, call.product, call.reloaded, tensors
            )

    reloads = any(one.gradient_signatures == "reload" for one in part.accelerators)
    batches = subject.batches(gradients=config.gradients)
    calls = NetworkCalls(subject.network, batches, reuse, training, reloads=reloads)
    facts = calls.tell(count)
    tables = [
        _described(
            _layers(simulator.simulation(reuse, facts)).merge(_no_hits(counter)),
            part.model,
            facts.normalisation,
            chosen,
        )
        for simulator, counter, chosen in zip(simulators, counters, part.chosen, strict=True)
    ]
    write_part(pd.concat(tables, ignore_index=True), folder / part.file, TEXTS)
    return part


def _table(accelerator: Accelerator, config: SweepConfig) -> Energies | None:
    return as_energies(accelerator.energies) if config.energy else None


def _layers(simulation: Simulation) -> pd.DataFrame:
    """Its layers, with the chip's mm2 where energy was counted; empty where it has no known area."""
    if simulation.energy is None:
        return simulation.layers
    area = simulation.chip.area()
    return simulation.layers.assign(area_mm2=None if area is None else sum(area.values()))


def _no_hits(counter: CycleCounter) -> pd.DataFrame:
    names = {f"{prefix}_mercury": f"{prefix}_no_hits" for prefix in COLUMN_PREFIXES.values()}
    return counter.layers()[["layer", *names]].rename(columns=names)


def _described(
    layers: pd.DataFrame, model: str, normalisation: Normalisation | None, chosen: Mapping[str, Field]
) -> pd.DataFrame:
    """The layers with what they were simulated on before them; unlimited entries are left empty."""
    fields = {name: [value] * len(layers) for name, value in chosen.items()}
    run = {"model": [model] * len(layers), **fields, "normalisation": [normalisation] * len(layers)}
    return pd.concat([pd.DataFrame(run), layers], axis=1)


def combination_totals(results: pd.DataFrame, fields: list[str]) -> pd.DataFrame:
    """A row a network and combination: hits over vectors, and each timing's cycles and speed-up.

    Columns: ``model``, ``fields``, ``hit_rate``, and for the prefixes ``paper`` and ``fair``
    ``_baseline``, ``_product``, ``_signature``, ``_stall`` (cycles), ``_wait`` and ``_baseline_wait`` (the
    cycles that MERCURY and the baseline wait for DRAM or link, where a combination does), ``_speedup``,
    ``_adapted``, the speed-up once layers that lose have turned off (paper III-D), and ``_no_hits``, the same
    without hits and signatures: what is above 1 there is not reuse's. Where energy was counted, also
    ``_energy``, MERCURY's over the baseline's, ``_energy_delay``, times delay, and ``area``, the chip's mm2.
    """
    keys = ["model", *fields]
    results = results.assign(
        **{
            f"{prefix}_{kept}": results[[f"{prefix}_baseline", f"{prefix}_{side}"]].min(axis=1)
            for prefix in COLUMN_PREFIXES.values()
            for kept, side in (("kept", "mercury"), ("kept_no_hits", "no_hits"))
        }
    )
    groups = results.groupby(keys, sort=False, dropna=False)
    sums = groups[[column for column in results if column not in (*keys, "layer", "kind")]].sum(
        numeric_only=True
    )
    totals = pd.DataFrame({"hit_rate": sums["HIT"] / sums["vectors"]})
    for timing, prefix in COLUMN_PREFIXES.items():
        whole, signature, stall = (sums[f"{prefix}_{part}"] for part in ("mercury", "signature", "stall"))
        totals[f"{timing}_baseline"] = sums[f"{prefix}_baseline"]
        wait, dense_wait = (
            sums[[name for name in (f"{prefix}_{side}dram", f"{prefix}_{side}link") if name in sums]].sum(
                axis=1
            )
            for side in ("", "baseline_")
        )
        if any(str(name).endswith(("_dram", "_link")) for name in sums):
            totals[f"{timing}_wait"], totals[f"{timing}_baseline_wait"] = wait, dense_wait
        totals[f"{timing}_product"] = whole - signature - stall - wait
        totals[f"{timing}_signature"], totals[f"{timing}_stall"] = signature, stall
        totals[f"{timing}_speedup"] = sums[f"{prefix}_baseline"] / whole
        totals[f"{timing}_adapted"] = sums[f"{prefix}_baseline"] / sums[f"{prefix}_kept"]
        totals[f"{timing}_no_hits"] = sums[f"{prefix}_baseline"] / sums[f"{prefix}_kept_no_hits"]
        if "area_mm2" in results:
            spent = sums[f"energy_{timing}_mercury"] / sums[f"energy_{timing}_baseline"]
            totals[f"{timing}_energy"] = spent
            totals[f"{timing}_energy_delay"] = spent / totals[f"{timing}_speedup"]
            totals["area"] = groups["area_mm2"].max()
    return totals.reset_index()
