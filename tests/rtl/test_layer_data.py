"""A whole layer's data are what the small bench's stimulus and the recorded Hitmap say."""

import numpy as np
import pytest
import torch

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.driver_header import PORTS, driver_header
from mercuric.rtl.layer_data import LayerData
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.rounding import Rounded
from mercuric.rtl.stimulus import Stimulus
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.verilog import ports
from mercuric.trace.hitmaps.entry_ids import hitmap_of

SMALL = Parameters(
    pe_rows=3, pe_columns=4, kernel_rows=3, kernel_columns=2, block=5, bits=4, cache_sets=3, ways=2
)


def drawn() -> tuple[Stimulus, LayerData]:
    stimulus = Stimulus.drawn(SMALL, 2, 3, 1)
    filters = np.broadcast_to(stimulus.filters, (2, *stimulus.filters.shape))
    return stimulus, LayerData.signed(Rounded(stimulus.vectors, stimulus.random_filters, filters), SMALL)


def test_a_layer_that_signs_itself() -> None:
    stimulus, data = drawn()
    hitmap, cache_sets = stimulus.hitmap(SMALL)
    assert torch.equal(data.hitmap.states, hitmap.states)
    assert torch.equal(data.hitmap.representatives, hitmap.representatives)
    assert torch.equal(data.cache_sets, cache_sets)
    assert np.array_equal(np.stack(list(data.results(SMALL))), stimulus.outputs(SMALL, hitmap))
    assert data.lengths(SMALL) == [len(block) for block in stimulus.slots(SMALL)]


def test_entries_say_the_hitmap_by_arrival() -> None:
    stimulus, data = drawn()
    order = np.lexsort(
        (stimulus.owners, [list(block).index(v) for block in stimulus.slots(SMALL) for v in block])
    )
    states = data.hitmap.states.numpy()[:, order]
    found, _ = hitmap_of(states, data.entries(SMALL)[:, order], SMALL.mcache)
    expected = torch.from_numpy(order)[found.representatives]
    assert torch.equal(expected, data.hitmap.representatives[:, order])


def test_the_header_says_where_everything_lies() -> None:
    _, data = drawn()
    array = SynchronousArray(SMALL)
    text = driver_header(SMALL, array, data, 1000)
    for line in ("SCOPES = 2;", "VECTORS = 19;", "BITS = 4;", "LENGTH[] = {5, 5, 5, 4};", "SAVED = false;"):
        assert line in text
    assert f"unsigned RESULT = {array.result_layout.size};" in text
    assert f"RESULT_WORD{{{array.result_layout['word'].offset}, 16}};" in text
    missing = [port for port in PORTS if f"  unsigned {port} = 0;" in text]
    assert missing == [port for port in PORTS if port not in ports(array)]
    assert set(ports(array)) <= set(PORTS)


def test_a_saved_hitmap_has_a_buffer_for_each_scope() -> None:
    _, signed = drawn()
    data = LayerData(signed.numbers, signed.hitmap, signed.cache_sets, saved=True)
    text = driver_header(SMALL, AsynchronousArray(SMALL, 2), data, 1000)
    for line in (
        "BUFFERS = 2;",
        "BITS = 0;",
        "ANSWERS = 0;",
        "SAVED = true;",
        "  unsigned signature_cycles = 0;",
    ):
        assert line in text
