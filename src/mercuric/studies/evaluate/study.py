"""What do a network's layers cost in energy, time and area on several accelerators?"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from torch import nn

from mercuric.accelerator import Accelerator, as_accelerator, read_workloads
from mercuric.accelerator.count.energy_counter import LayerCosts
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.area import AREA_45NM, chip_area
from mercuric.accelerator.energy.energies import LEVELS, Energies, as_energies
from mercuric.accelerator.energy.layer_cost import Cost, fitting
from mercuric.accelerator.energy.roofline import bound, buffer_cycles
from mercuric.accelerator.energy.virtex7 import DESIGNS as PUBLISHED
from mercuric.accelerator.energy.virtex7 import RESOURCES
from mercuric.accelerator.engines.second_opinion import check_engine, second_opinion
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.progress import Progress, named, silent
from mercuric.reuse import Alike
from mercuric.studies.evaluate.config import EvaluationConfig
from mercuric.studies.evaluate.layers import dense_costs, reuse_costs
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import alone
from mercuric.subjects.subject import Subject, load_subject
from mercuric.trace.coverage import coverage_beside
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.layer_call import DENSE
from mercuric.trace.normalisation import normalisation_of
from mercuric.trace.workload import Workload

DESIGNS = ("baseline", "mercury")


@dataclass(frozen=True)
class Evaluation:
    """The costs of a network.

    Attributes:
        config: what was evaluated.
        reuse: how MERCURY found similarity, each accelerator in its own MCACHE.
        accelerators: what it was evaluated on.
        energies: the table of each, in the same unit.
        layers: a row for each accelerator, batch, timing, layer and design (``baseline`` or ``mercury``):
            ``energy`` and ``energy_LEVEL`` in the tables' unit, ``cycles``, ``buffer_cycles``,
            ``dram_cycles`` and ``latency`` in clock cycles, ``bound`` (``compute``, ``buffer``, ``DRAM``, or
            of several arrays ``link``: which takes most of them), ``macs`` of the dense products,
            ``count_LEVEL`` in operations, words or bits as ``Accesses`` says.
        areas: mm2 of each part of each accelerator, its memories as large as these layers need; of one that
            has no finite area, nothing.
        engine: a row for each accelerator, batch and layer: what another engine says of its dense forward
            product; empty where none was asked.
        described: network, data, weights and machine, ready for JSON.
    """

    config: EvaluationConfig
    reuse: Alike
    accelerators: tuple[Accelerator, ...]
    energies: tuple[Energies, ...]
    layers: pd.DataFrame
    areas: dict[str, dict[str, float]]
    engine: pd.DataFrame
    described: dict[str, Any]

    @property
    def unit(self) -> str:
        """Unit of every energy."""
        return self.energies[0].unit

    @property
    def designs(self) -> tuple[str, ...]:
        """Designs with figures of their own."""
        return DESIGNS[:1] if self.config.dense else DESIGNS

    def found_with(self) -> dict[str, Any]:
        """How similarity was found, ready for JSON: without the MCACHE, which each accelerator has."""
        return self.reuse.model_dump(mode="json", exclude={"entries", "ways"})

    def totals(self, timing: Timing | None = None) -> pd.DataFrame:
        """A row for each accelerator, batch and design, over all layers; ``timing`` is the leading one."""
        rows = self.layers[self.layers["timing"] == (timing or self.config.timing)]
        keys = ["accelerator", "batch", "design"]
        return rows.groupby(keys, sort=False).sum(numeric_only=True).reset_index()

    def summary(self) -> dict[str, Any]:
        """Everything but the single layers, ready for JSON."""
        results = [{"timing": timing, **row} for timing in TIMINGS for row in records(self.totals(timing))]
        return {
            **self.described,
            "timing": self.config.timing,
            "unit": self.unit,
            "accelerators": [one.model_dump(mode="json") for one in self.accelerators],
            "energies": [one.model_dump(mode="json") for one in self.energies],
            "word_costs": [
                asdict(table.on(one)) for one, table in zip(self.accelerators, self.energies, strict=True)
            ],
            "reuse": None if self.config.dense else self.found_with(),
            "results": results,
            "area_mm2": self.areas,
            "fpga": {
                "resources": {
                    one.name: {name: one.resources[key] for key, name in RESOURCES.items()}
                    for one in PUBLISHED
                },
                "watts": {one.name: one.total_watts for one in PUBLISHED},
            },
            "engine": records(self.engine),
        }


def evaluate(
    config: EvaluationConfig,
    reuse: Alike | None = None,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Count every layer on every accelerator, batch by batch.

    Args:
        config: network, data and accelerators.
        reuse: how similarity is found; :meth:`Alike.paper` by default. The MCACHE is each
            accelerator's. The gradient of what was computed is counted: the saved Hitmap serves all three
            products.
        progress: told before each batch.
        tell: told in a sentence what is fetched.

    Raises:
        ValueError: a wrong setting, an accelerator that is too small for the network, or a configuration of
            another MCACHE than an accelerator has.
        MercuricError: files are missing or damaged, or the engine is not installed.
    """
    accelerators, energies = _hardware(config)
    found_with = [simulated_config(reuse, accelerator) for accelerator in accelerators]
    reuse = found_with[0]
    check_engine(config.engine)
    most = 1 if config.dense else max(config.batches)
    subject = load_subject(config, most, tell=tell, counted="batch")
    rows: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    ran: list[Workload] = []
    for done, batch in enumerate(config.batches):
        progress(done, len(config.batches), f"batch of {batch}")
        shapes = subject.shapes(batch)
        workloads = read_workloads(*shapes, reuse.granularity, reuse.scope)
        ran += workloads
        if config.dense:
            costs = dense_costs(workloads, accelerators, energies, training=not config.inference)
        else:
            images, training = subject.first(batch), not config.inference
            costs = _by_cache(
                subject.network, images, workloads, found_with, accelerators, energies, training
            )
        for accelerator, table, layers in zip(accelerators, energies, costs, strict=True):
            rows += _rows(accelerator, batch, workloads, layers, config)
            search = f"{config.engine}, {accelerator.name}, batch of {batch}"
            opinions = second_opinion(config.engine, *shapes, accelerator, table, named(progress, search))
            answers += [
                {"accelerator": accelerator.name, "batch": batch, **asdict(opinion)} for opinion in opinions
            ]
    progress(len(config.batches), len(config.batches), "done")
    described = _described(config, subject)
    described["coverage"] = coverage_beside(*subject.shapes(subject.least), layers=())
    return Evaluation(
        config, reuse, accelerators, energies, pd.DataFrame(rows),
        _areas(accelerators, ran, reuse.bits), pd.DataFrame(answers), described,
    )  # fmt: skip


def _by_cache(
    network: nn.Module,
    images: Inputs,
    workloads: Sequence[Workload],
    found_with: Sequence[Alike],
    accelerators: Sequence[Accelerator],
    energies: Sequence[Energies],
    training: bool,
) -> list[LayerCosts]:
    """The costs on each accelerator: the batch runs once for all that have the same MCACHE."""
    counted: dict[int, LayerCosts] = {}
    for one in dict.fromkeys(config.cache for config in found_with):
        same = [place for place, config in enumerate(found_with) if config.cache == one]
        costs = reuse_costs(
            network, images, workloads, found_with[same[0]], [accelerators[place] for place in same],
            [energies[place] for place in same], training=training,
        )  # fmt: skip
        counted |= dict(zip(same, costs, strict=True))
    return [counted[place] for place in range(len(accelerators))]


@alone
def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write ``config.yaml``, ``reuse.yaml``, ``layers.csv`` and ``evaluation.json`` into ``folder``.

    Raises:
        OSError: the folder can't be written.
    """
    write_text(folder / "config.yaml", evaluation.config.to_yaml())
    if not evaluation.config.dense:
        write_text(folder / "reuse.yaml", yaml.safe_dump(evaluation.found_with(), sort_keys=False))
    write_text(folder / "layers.csv", evaluation.layers.to_csv(index=False))
    write_text(folder / "evaluation.json", json_text(evaluation.summary()) + "\n")


def _hardware(config: EvaluationConfig) -> tuple[tuple[Accelerator, ...], tuple[Energies, ...]]:
    accelerators = tuple(map(as_accelerator, config.accelerators))
    names = [accelerator.name for accelerator in accelerators]
    if len(set(names)) < len(names):
        raise ArgumentError(f"accelerators are called {', '.join(names)}, but must have different names")
    given = None if config.energies is None else as_energies(config.energies)
    energies = tuple(fitting(accelerator, given) for accelerator in accelerators)
    units = {table.unit for table in energies}
    if len(units) > 1:
        raise ArgumentError(
            f"energies of the accelerators are in {' and '.join(sorted(units))}, but must be in one unit: "
            "name one table for all of them"
        )
    return accelerators, energies


def _rows(
    accelerator: Accelerator,
    batch: int,
    workloads: Sequence[Workload],
    layers: LayerCosts,
    config: EvaluationConfig,
) -> list[dict[str, Any]]:
    kinds = {one.layer: one.kind if one.operation is None else DENSE for one in workloads}
    designs = DESIGNS[:1] if config.dense else DESIGNS
    return [
        {
            "accelerator": accelerator.name,
            "batch": batch,
            "timing": timing,
            "layer": layer,
            "kind": kinds[layer],
            "design": design,
            **_figures(accelerator, getattr(layers[layer][timing], design), layers[layer][timing].baseline),
        }
        for timing in TIMINGS
        for layer in kinds
        for design in designs
    ]


def _figures(accelerator: Accelerator, cost: Cost, dense: Cost) -> dict[str, float | str]:
    return {
        "energy": cost.total,
        **{f"energy_{level}": cost.energy[level] for level in LEVELS},
        "cycles": cost.cycles,
        "buffer_cycles": buffer_cycles(accelerator, cost.accesses, dense.accesses),
        "dram_cycles": cost.dram_cycles,
        "latency": cost.latency,
        "bound": bound(accelerator, cost, dense),
        "macs": dense.accesses.mac,
        **{f"count_{level}": getattr(cost.accesses, level) for level in LEVELS},
    }


def _areas(
    accelerators: Sequence[Accelerator], ran: Sequence[Workload], bits: int
) -> dict[str, dict[str, float]]:
    vectors = max(workload.shape.vectors for workload in ran)
    return {
        one.name: chip_area(
            one,
            vectors,
            bits,
            results=max(dataflow_of(one).results(one, each.shape, each.kind) for each in ran),
            mcaches=max(dataflow_of(one).mcaches(one, each.shape, each.kind) for each in ran),
        )
        for one in accelerators
        if one.entries is not None and one.word_bits == AREA_45NM.word_bits
    }


def _described(config: EvaluationConfig, subject: Subject) -> dict[str, Any]:
    training = not config.inference
    return {
        "model": config.model,
        **subject.form,
        "data": config.data,
        **subject.size,
        "weights": config.shown_weights,
        "normalisation": "none" if config.dense else normalisation_of(subject.network, training),
        "products": "forward, dO, dW" if training else "forward",
        "machine": machine(),
    }
