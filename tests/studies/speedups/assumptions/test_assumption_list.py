"""Does the list of assumptions say only what accelerators and sums know, and is every combination counted?"""

from typing import Any

import pytest

from mercuric.accelerator import Accelerator, as_accelerator, preset
from mercuric.errors import ArgumentError
from mercuric.studies.speedups.assumptions.arrays import Refused, arrays
from mercuric.studies.speedups.assumptions.assumption import (
    DATAFLOWS,
    Assumption,
    Assumptions,
    LeftOut,
    combinations,
)
from mercuric.studies.speedups.assumptions.combined import meaningless
from mercuric.studies.speedups.assumptions.declared import DECLARED

VALUES = {"synchronous": {}, "asynchronous": {"design": "asynchronous"}}
DEALING = {"vectors": {"dealing": "vectors"}, "products": {"dealing": "products"}}
QUEUES = {"none": {}, "of 4": {"insertion_queue": 4}}


def assumption(name: str = "design", values: Any = VALUES, **others: Any) -> Assumption:
    return Assumption(name=name, level="array", values=values, sentence="", section="", **others)


def small() -> Assumptions:
    """Two that every dataflow has or row stationary alone; queues mean nothing where products are dealt."""
    return Assumptions(
        (
            assumption(),
            assumption("dealing", DEALING, dataflows=("row",)),
            assumption("queues", QUEUES, dataflows=("row",)),
        )
    )


def test_what_stands_first_is_this_packages_own() -> None:
    built, _ = arrays(DECLARED, as_accelerator("eyeriss-168"))
    presets = {"row": "eyeriss-168", "weight": "weight-168", "input": "input-168"}
    for dataflow in DATAFLOWS:
        own = next(one for one in built[dataflow] if one.chosen.items() <= DECLARED.own.items())
        known = preset(presets[dataflow])
        assert own.accelerator.changed(name=known.name) == known


def test_every_value_is_of_an_array_that_can_be_built() -> None:
    built, _ = arrays(DECLARED, as_accelerator("eyeriss-168"))
    for one in DECLARED.on("array"):
        for dataflow in one.dataflows:
            assert {array.chosen[one.name] for array in built[dataflow]} == set(one.values)
            for value, fields in one.values.items():
                for array in built[dataflow]:
                    if array.chosen[one.name] == value:
                        assert {name: getattr(array.accelerator, name) for name in fields} == fields


def test_sentences_are_given_and_no_name_is_a_column_of_the_tables() -> None:
    for one in DECLARED.all:
        assert one.sentence.endswith(".") and one.section
        assert one.name not in {*DATAFLOWS, "mean", "distance", "model"}


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ArgumentError, match="field of assumption 'design' was 'desgin', but must be one of"):
        assumption(values={"a": {}, "b": {"desgin": "asynchronous"}})
    with pytest.raises(ArgumentError, match="field of assumption 'x' was 'design', but must be one of prod"):
        Assumption(name="x", level="sum", values=VALUES, sentence="", section="")
    assert "name" in Accelerator.model_fields
    with pytest.raises(ArgumentError, match="field of assumption 'design' was 'name'"):
        assumption(values={"a": {"name": "a"}, "b": {}})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"values": {"only": {}}}, "values of assumption 'design' was only, but must be two or more"),
        ({"dataflows": ("output",)}, "dataflow of assumption 'design' was 'output', but must be one of row"),
    ],
)
def test_other_wrong_assumptions(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        assumption(**wrong)


def test_wrong_lists() -> None:
    with pytest.raises(ArgumentError, match="assumption"):
        Assumptions((assumption(), assumption()))
    with pytest.raises(ArgumentError, match="left_out was design none, but must be a value of an assumption"):
        Assumptions((assumption(),), left_out=(LeftOut({"design": "none"}, "why"),))


def test_what_no_accelerator_can_be_is_named() -> None:
    known = small()
    built, refused = arrays(known, as_accelerator("eyeriss-168"))
    assert (len(built["row"]), len(built["weight"]), len(refused)) == (6, 2, 2)
    assert all(one.dataflow == "row" and "insertion_queue" in one.why for one in refused)
    left_out = meaningless(known, refused)
    assert left_out["combinations"].tolist() == [2]
    assert known.number == 8


def test_what_the_list_leaves_out_is_named_once() -> None:
    why = LeftOut({"dealing": "products", "design": "asynchronous"}, "it is enough")
    known = Assumptions(small().all, left_out=(why,))
    built, refused = arrays(known, as_accelerator("eyeriss-168"))
    assert len(built["row"]) == 5 and len(refused) == 1
    left_out = meaningless(known, [*refused, Refused("row", {"design": "synchronous"}, "another")])
    assert left_out["combinations"].tolist() == [2, 1, 4]
    assert left_out["why"][0] == "dealing products, design asynchronous: it is enough"


def test_the_last_varies_fastest() -> None:
    assert [list(one.values()) for one in combinations(small().of("row"))][:3] == [
        ["synchronous", "vectors", "none"],
        ["synchronous", "vectors", "of 4"],
        ["synchronous", "products", "none"],
    ]
