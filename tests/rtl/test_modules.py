"""Components that a circuit has many times are emitted once."""

import re
from collections import Counter

import pytest

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from amaranth.back import rtlil

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.modules import component, merged
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.testbench import Array

FIVE_SETS = Parameters(
    pe_rows=4, pe_columns=5, kernel_rows=4, kernel_columns=2, block=3, bits=4, cache_sets=3, ways=2
)
INSTANCE = re.compile(r"^  cell \\(\S+)", re.MULTILINE)
MODULE = re.compile(r"^module \\(\S+)\n(.*?)^end$", re.MULTILINE | re.DOTALL)


def instances(text: str) -> Counter[str]:
    """How many of each component there are, from the top down."""
    bodies, found = dict(MODULE.findall(text)), Counter[str]()

    def count(module: str) -> None:
        found[component(module)] += 1
        for instance in INSTANCE.findall(bodies[module]):
            count(instance)

    count("array")
    return found


@pytest.mark.parametrize("ports", [None, 1])
@pytest.mark.parametrize("kind", [SynchronousArray, BaselineArray, AsynchronousArray])
def test_every_component_is_one_module(kind: type[Array], ports: int | None) -> None:
    """But for the first PE of a set and the last one, which no PE is above and below."""
    one = Parameters(**{**vars(FIVE_SETS), "ports": ports, "hitmap_ports": ports, "queue_ports": ports})
    emitted = rtlil.convert(kind(one), name="array", emit_src=False)
    text = merged(emitted)
    modules = Counter(component(module) for module, _ in MODULE.findall(text))
    assert modules.pop("pe") == 3
    assert modules.pop("terms") <= 3
    assert set(modules.values()) == {1}
    assert instances(text) == instances(emitted)
    assert instances(text)["pe"] == 20
    assert instances(text)["pe_set"] == 5


def test_modules_that_differ_are_numbered() -> None:
    text = """\
attribute \\top 1
module \\top
  cell \\top.part_0 \\part_0
    connect \\port$12$0 \\port$12$0
  end
  cell \\top.part_1 \\part_1
    connect \\port$13$0 \\port$13$0
  end
  cell \\top.part_2 \\part_2
    connect \\a \\port$13$0
  end
end
"""
    parts = "".join(f"""
module \\top.part_{number}
  wire input 0 {port}
end
""" for number, port in enumerate(("\\port$12$0", "\\port$13$0", "\\a")))  # fmt: skip
    assert (
        merged(text + parts)
        == """\
attribute \\top 1
module \\top
  cell \\top.part_2 \\part_0
    connect \\port$0 \\port$0
  end
  cell \\top.part_2 \\part_1
    connect \\port$0 \\port$1
  end
  cell \\top.part \\part_2
    connect \\a \\port$1
  end
end

module \\top.part_2
  wire input 0 \\port$0
end

module \\top.part
  wire input 0 \\a
end
"""
    )
