"""What energy and latency does ZigZag give the same layers on the same array?

The dense layers alone: ZigZag knows no MCACHE, no Hitmap, no signatures (``docs/engines.md``).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import yaml

from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.engines.zigzag_description import (
    Unrolling,
    hardware_description,
    spatial_mapping,
    workload_description,
)
from mercuric.accelerator.hardware import Accelerator, as_accelerator
from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.json_text import json_text
from mercuric.progress import Progress, silent

Objective = Literal["energy", "latency", "EDP"]


@dataclass(frozen=True)
class ZigZagCost:
    """What ZigZag's best mapping of a layer costs.

    Attributes:
        layer: the layer's name.
        macs: multiply-accumulates.
        energy: of operations and memories, in the unit of the accelerator's energies.
        operand_energy: the memories' share of it by operand (``"I"``, ``"W"``, ``"O"``), PE first.
        cycles: until the last output has left, waits for memories included.
        array_cycles: of the array alone.
    """

    layer: str
    macs: int
    energy: float
    operand_energy: dict[str, tuple[float, ...]]
    cycles: float
    array_cycles: float


def evaluate_layers(
    layers: Sequence[DenseLayer],
    accelerator: str | Path | Accelerator,
    *,
    energies: Energies | None = None,
    objective: Objective = "energy",
    lpf_limit: int = 6,
    progress: Progress = silent,
) -> list[ZigZagCost]:
    """Energy and latency of each layer's dense forward product, by ZigZag's search for loop orders.

    Layers of one shape are searched once. Prints nothing and leaves no file behind.

    Args:
        layers: as ``read_layers`` gives them.
        accelerator: a preset's name, a YAML file or a description; its dataflow fixes what lies beside what
            on the array, and its memories and energies are ZigZag's.
        energies: costs of accesses; those that the accelerator names by default.
        objective: what the best loop order has least of (``"EDP"``: energy times latency).
        lpf_limit: loops that a layer is cut into at most before their orders are tried: fewer are faster, and
            the best order found may need more energy.
        progress: called after each search with searches done and searches in all.

    Raises:
        MercuricError: ZigZag is not installed, or finds no mapping of a layer.
        ValueError: an unknown objective or accelerator, an ``lpf_limit`` below 1, energies of other words,
            or an array with fewer rows than a window.
    """
    if objective not in get_args(Objective):
        raise ArgumentError(f"objective was {objective!r}, but must be one of {get_args(Objective)}")
    if lpf_limit < 1:
        raise ArgumentError(f"lpf_limit was {lpf_limit}, but must be at least 1")
    accelerator = as_accelerator(accelerator)
    table = fitting(accelerator, energies)
    distinct = {layer.shape: layer for layer in layers}
    hardware = hardware_description(accelerator, table)
    mappings = {shape: spatial_mapping(layer, accelerator) for shape, layer in distinct.items()}
    costs = {}
    for done, (shape, layer) in enumerate(distinct.items(), start=1):
        costs[shape] = _search(layer, hardware, mappings[shape], accelerator, objective, lpf_limit)
        progress(done, len(distinct))
    return [replace(costs[layer.shape], layer=layer.name) for layer in layers]


def evaluate_nodes(
    nodes: Sequence[dict[str, Any]],
    accelerator: Path,
    mapping: Path,
    progress: Progress = silent,
    objective: Objective = "energy",
    lpf_limit: int = 6,
) -> list[ZigZagCost]:
    """What :func:`evaluate_layers` gives, of a workload and files in ZigZag's own words.

    Nodes that differ in name and number alone are searched once.

    Args:
        nodes: the workload.
        accelerator, mapping: YAML files.
        progress, objective, lpf_limit: as there.

    Raises:
        MercuricError: ZigZag is not installed, or finds no mapping of a node.
    """
    paths = {"accelerator": str(accelerator), "mapping": str(mapping)}
    keys = [json_text({**node, "id": 0, "name": "", "operand_source": {}}) for node in nodes]
    distinct = dict(zip(keys, nodes, strict=True))
    costs = {}
    for done, (key, node) in enumerate(distinct.items(), start=1):
        alone = {**node, "id": 0, "operand_source": {"I": 0, "W": 0}}
        with _quiet():
            costs[key] = _cost(_best(node["name"], alone, paths, objective, lpf_limit), alone)
        progress(done, len(distinct))
    return [replace(costs[key], layer=node["name"]) for key, node in zip(keys, nodes, strict=True)]


def mapping_entries(names: Sequence[str], mapping: dict[str, Unrolling]) -> list[dict[str, Any]]:
    """A spatial mapping in ZigZag's words, once for each name of a layer or operator."""
    unrolled = {side: [f"{loop}, {size}" for loop, size in loops] for side, loops in mapping.items()}
    operands = {"O": "O", "W": "I2", "I": "I1"}
    return [{"name": name, "spatial_mapping": unrolled, "memory_operand_links": operands} for name in names]


def _search(
    layer: DenseLayer,
    hardware: dict[str, Any],
    mapping: dict[str, Unrolling],
    accelerator: Accelerator,
    objective: Objective,
    lpf_limit: int,
) -> ZigZagCost:
    with TemporaryDirectory() as folder, _quiet():
        files = {"accelerator": hardware, "mapping": mapping_entries(("default", "Conv"), mapping)}
        for name, content in files.items():
            text = yaml.safe_dump(content, sort_keys=False)  # ZigZag reads memories from the PE outwards
            Path(folder, f"{name}.yaml").write_text(text, encoding="utf-8")
        paths = {name: str(Path(folder, f"{name}.yaml")) for name in files}
        node = workload_description(layer, accelerator.word_bits)
        return _cost(_best(layer.name, node, paths, objective, lpf_limit), {**node, "name": layer.name})


def _cost(best: Any, node: dict[str, Any]) -> ZigZagCost:
    return ZigZagCost(
        layer=node["name"],
        macs=prod(node["loop_sizes"]),
        energy=float(best.energy_total),
        operand_energy={str(operand): tuple(cost) for operand, cost in best.mem_energy_breakdown.items()},
        cycles=float(best.latency_total2),
        array_cycles=float(best.ideal_temporal_cycle),
    )


def _best(
    name: str, node: dict[str, Any], paths: dict[str, str], objective: Objective, lpf_limit: int
) -> Any:
    """ZigZag's own stages, without those of ``zigzag.api`` that write figures and pickles."""
    engine = _module("stages.main").MainStage(
        _stages(objective),
        workload=[node],
        **paths,
        loma_lpf_limit=lpf_limit,
        loma_show_progress_bar=False,
        access_same_data_considered_as_no_access=False,
        temporal_mapping_type=_module("mapping.temporal_mapping").TemporalMappingType.UNEVEN,
    )
    try:
        ((best, _),) = engine.run()
    except _module("opt.loma.engine").NoValidLoopOrderingFoundException as error:
        raise MercuricError(
            f"ZigZag found no mapping of layer {name!r} onto the accelerator: an operand does not fit "
            "into a memory"
        ) from error
    return best


def _stages(objective: Objective) -> list[Any]:
    least = {"energy": "MinimalEnergyStage", "latency": "MinimalLatencyStage", "EDP": "MinimalEDPStage"}
    return [
        _module("stages.parser.workload_parser").WorkloadParserStage,
        _module("stages.parser.accelerator_parser").AcceleratorParserStage,
        _module("stages.workload_iterator").WorkloadStage,
        _module("stages.mapping.spatial_mapping_generation").SpatialMappingGeneratorStage,
        getattr(_module("stages.results.reduce_stages"), least[objective]),
        _module("stages.mapping.temporal_mapping_generator_stage").TemporalMappingGeneratorStage,
        _module("stages.evaluation.cost_model_evaluation").CostModelStage,
    ]


def _module(name: str) -> Any:
    try:
        return import_module(f"zigzag.{name}")
    except ImportError as error:
        raise MercuricError(
            "ZigZag is not installed; `pip install 'mercuric[engines]'` installs it"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings that ZigZag logs about each mapping."""
    logger = logging.getLogger("zigzag")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
