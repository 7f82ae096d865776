"""What does another simulator say of the dense layers?"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from torch import nn

from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import MercuricError
from mercuric.progress import Progress, silent
from mercuric.trace.forward_pass import Inputs

Engine = Literal["native", "zigzag"]


@dataclass(frozen=True)
class Opinion:
    """Another engine's figures of one layer's dense forward product.

    Attributes:
        layer: the layer's name.
        energy: in the unit of the table of energies.
        cycles: clock cycles.
    """

    layer: str
    energy: float
    cycles: float


def check_engine(engine: str) -> None:
    """Find out before anything runs.

    Raises:
        MercuricError: the engine is not installed.
    """
    if engine != "native" and find_spec(engine) is None:
        raise MercuricError(
            f"engine was {engine!r}, which is not installed; run `pip install 'mercuric[engines]'`"
        )


def second_opinion(
    engine: Engine,
    model: nn.Module,
    inputs: Inputs,
    accelerator: Accelerator,
    energies: Energies,
    progress: Progress = silent,
) -> list[Opinion]:
    """Energy and cycles of each layer's dense forward product, by another engine.

    Args:
        engine: which one; ``"native"`` is no second opinion and gives none.
        model: the network; on the ``meta`` device, as ``inputs``, it takes no memory.
        inputs: the batch.
        accelerator: what it runs on.
        energies: costs of accesses.
        progress: called with layers done and layers in all.

    Raises:
        MercuricError: the engine is not installed, or finds no mapping of a layer.
    """
    check_engine(engine)
    if engine == "native":
        return []
    # Imported here: engines are an extra.
    from mercuric.accelerator.engines.dense_layer import read_layers
    from mercuric.accelerator.engines.zigzag import evaluate_layers

    costs = evaluate_layers(read_layers(model, inputs), accelerator, energies=energies, progress=progress)
    return [Opinion(cost.layer, cost.energy, cost.cycles) for cost in costs]
