"""Which products of a network are exported, and what do both sides say they cost?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mercuric.accelerator import Accelerator, Simulation
from mercuric.accelerator.count.countable import countable_hitmaps
from mercuric.accelerator.count.simulation import simulate_calls
from mercuric.accelerator.engines.dense_layer import layer_calls
from mercuric.accelerator.engines.second_opinion import check_engine
from mercuric.accelerator.exports.form import Files, Form, ToolCost
from mercuric.accelerator.exports.formats import FORMS
from mercuric.accelerator.exports.product import PARTS, PASSES, ExportedProduct, TrainingProducts
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, named, silent
from mercuric.reuse import Alike
from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.network import of_zoo
from mercuric.subjects.subject import Subject, load_subject
from mercuric.trace.calls import Calls, KnownCalls, RunFacts
from mercuric.trace.coverage import Coverage
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.hitmaps.saved import saved_calls
from mercuric.trace.layer_call import dense_call
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.workload import NetworkWork, read_network


@dataclass(frozen=True)
class Exporting:
    """How products are exported, wherever they come from.

    Attributes:
        form: of which simulator.
        accelerator: the array that its files describe, and that is simulated here.
        similarity: how similarity is found; the paper's form by default.
        training: export the gradients as well.
        engine: run the simulator.
    """

    form: Form
    accelerator: Accelerator
    similarity: Alike | None = None
    training: bool = True
    engine: bool = False

    def check(self) -> None:
        """Find out before anything runs.

        Raises:
            ValueError: the simulator can't be run from here.
            MercuricError: it isn't installed.
        """
        if not self.engine:
            return
        if self.form.costs is None:
            known = ", ".join(name for name, form in FORMS.items() if form.costs is not None)
            raise ArgumentError(
                f"engine was given, but {self.form.name} can't be run from here, only {known} can"
            )
        check_engine(self.form.package)


@dataclass
class Exported:
    """What was exported.

    Attributes:
        described: where it comes from, ready for JSON.
        products: of the step.
        simulation: what they cost here.
        costs: what the simulator says each costs once, by name; empty where it did not run.
    """

    described: dict[str, Any]
    products: list[ExportedProduct]
    simulation: Simulation
    costs: dict[str, ToolCost] = field(default_factory=dict)

    @property
    def files(self) -> Files:
        """The products by file."""
        products = sorted(
            self.products, key=lambda one: (PARTS.index(one.part), [*PASSES].index(one.product))
        )
        names = dict.fromkeys(one.file for one in products)
        return {name: [one for one in products if one.file == name] for name in names}


class Source(Protocol):
    """Where products come from."""

    def export(self, how: Exporting, progress: Progress) -> Exported:
        """Find them."""


@dataclass(frozen=True)
class Network:
    """A network on one batch.

    Attributes:
        config: what is loaded; all of its examples are one batch.
        reuse: whether Hitmaps are recorded, and exported what they leave.
    """

    config: ExamplesConfig
    reuse: bool = False

    def export(self, how: Exporting, progress: Progress) -> Exported:
        """See :class:`Source`.

        Raises:
            ValueError: the network's shapes depend on the values that it reads.
        """
        images = self.config.images
        subject = load_subject(self.config, images, images)
        similarity = simulated_config(how.similarity, how.accelerator)
        layers = layer_calls(subject.network, subject.inputs)
        found = TrainingProducts(layers, how.training, self.reuse)
        calls: Calls
        if self.reuse:
            batches = subject.batches(named(progress, "images"))
            reloads = how.training and how.accelerator.gradient_signatures == "reload"
            calls = NetworkCalls(subject.network, batches, similarity, how.training, reloads=reloads)
        else:
            calls = _dense_calls(subject, similarity)
        if not of_zoo(self.config.model):
            _require_fixed_shapes(subject)
        result = simulate_calls(calls, how.accelerator, how.training, (found.add,))
        return Exported(subject.described, found.products, result)


@dataclass(frozen=True)
class Hitmaps:
    """Saved Hitmaps: no network runs, and all products are matrix products, for no file says windows.

    Attributes:
        path: a Parquet file, or a folder of CSV files.
        model: where given, the network that they must be of.
    """

    path: Path
    model: str | None = None

    def export(self, how: Exporting, _progress: Progress) -> Exported:
        """See :class:`Source`."""
        saved = countable_hitmaps(self.path, how.accelerator)
        similarity = None if how.similarity is None else simulated_config(how.similarity, how.accelerator)
        saved.about.require(self.path, similarity, None if self.model is None else {"model": self.model})
        found = TrainingProducts(training=how.training, reuse=True)
        result = simulate_calls(saved_calls(saved), how.accelerator, how.training, (found.add,))
        return Exported({**saved.about.run, "hitmaps": str(self.path)}, found.products, result)


def export(source: Source, how: Exporting, folder: Path, progress: Progress = silent) -> Exported:
    """Write the simulator's files, and run it if asked.

    Args:
        source: where products come from.
        how: what is done with them.
        folder: which is there and empty.
        progress: of images, and of the simulator's products.

    Raises:
        ValueError: a value that is out of range, or an array that the simulator doesn't know.
        MercuricError: files that are missing, damaged or something else, or a simulator that isn't installed.
    """
    how.check()
    exported = source.export(how, progress)
    how.form.write(exported.files, folder, how.accelerator)
    if how.engine and how.form.costs is not None:
        told = named(progress, "products", how.form.tool)
        exported.costs = how.form.costs(exported.files, folder, how.accelerator, told)
    return exported


def _dense_calls(subject: Subject, similarity: Alike) -> KnownCalls:
    work = read_network(subject.network, subject.inputs)
    coverage = Coverage()
    coverage.add(work, work.workloads)
    coverage.warn()
    order = tuple(dict.fromkeys(one.layer for one in work.workloads))
    facts = RunFacts(order, coverage=coverage.to_dict())
    return KnownCalls(similarity, map(dense_call, work.workloads), facts)


def _require_fixed_shapes(subject: Subject) -> None:
    try:
        other = read_network(subject.network, _zeros(subject.inputs))
    except Exception:  # what zeros can't run says nothing of shapes
        return
    if _shapes(other) != _shapes(read_network(subject.network, subject.inputs)):
        raise ArgumentError(
            f"model was {subject.config.model!r}, whose products' shapes depend on the values read, but must "
            "be the same for all: a workload is written once"
        )


def _shapes(work: NetworkWork) -> list[Any]:
    return [(one.layer, one.shape) for one in work.workloads]


def _zeros(inputs: Inputs) -> Inputs:
    if isinstance(inputs, Tensor):
        return torch.zeros_like(inputs)
    return tuple(_each_zero(inputs))


def _each_zero(inputs: Any) -> Iterator[Any]:
    for one in inputs:
        yield torch.zeros_like(one) if isinstance(one, Tensor) else one
