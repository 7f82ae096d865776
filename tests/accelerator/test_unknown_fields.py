"""What no check has seen is refused by name, and never counted as something else."""

from typing import Any

import pytest

from mercuric.accelerator import layer_cost, preset
from mercuric.accelerator.count.layer_cycles import product_cycles, training_cycles
from mercuric.accelerator.energy.accesses import baseline_accesses
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Work

SHAPE = VectorShape(scopes=2, vectors=5, rows=3, elements=3, filters=4, output_rows=5)


def unchecked(**fields: Any) -> Accelerator:
    return Accelerator.model_construct(**{**preset("eyeriss-168").model_dump(), "name": "mine", **fields})


def test_an_unknown_dataflow() -> None:
    array = unchecked(dataflow="diagonal")
    said = (
        "dataflow of accelerator 'mine' was 'diagonal', but must be one of 'row', 'weight', 'input', 'output'"
    )
    for count in (
        lambda: product_cycles(array, Work(SHAPE)),
        lambda: training_cycles(array, Work(SHAPE)),
        lambda: layer_cost(array, Work(SHAPE)),
        lambda: baseline_accesses(array, Work(SHAPE), operands(SHAPE), "forward", "fair"),
    ):
        with pytest.raises(ValueError, match=said):
            count()


@pytest.mark.parametrize(
    "field", ["dataflow", "design", "timing", "late_hits", "dealing", "replicated", "arrival"]
)
def test_a_copy_is_checked_as_a_new_one_is(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} was 'other', but must be"):
        preset("eyeriss-168").model_copy(update={field: "other"})
    with pytest.raises(ValueError, match="Accelerator has no key 'cores'"):
        preset("eyeriss-168").model_copy(update={"cores": 2})
