"""The accelerators that come with the package are YAML files of it, read as a user's are."""

from importlib.resources import files
from typing import Any

import pytest

from mercuric.accelerator import Accelerator, preset, presets

PAPERS: dict[str, Any] = {
    "dataflow": "row", "rows": 12, "columns": 14, "clock_mhz": 200, "entries": 1024, "ways": 16,
    "versions": 4, "design": "synchronous", "timing": "paper", "pipelined_signatures": True,
    "mac_unit": False, "arrival": "raster", "late_hits": "ready", "dealing": "vectors",
    "baseline_depth": None, "hit_ports": None, "hit_cycles": 0,
    "replicated": "filters", "replicas": None, "filters_in_flight": None,
    "gradient_signatures": "needed", "weight_blocks": 1, "blocks_at_once": "consecutive",
    "insertion_queue": None, "word_bits": 16, "register_file_words": 256, "buffer_kib": 108,
    "dram_words_per_cycle": None, "dram_row_hits": 1, "arrays": 1, "split_by": "filters",
    "link_words_per_cycle": None, "energies": "eyeriss",
}  # fmt: skip
ROWS = {"dealing": "rows"}
COMPARABLE = {"timing": "fair", "dram_words_per_cycle": 4}
OTHERWISE: dict[str, dict[str, Any]] = {
    "eyeriss-168": ROWS,
    "weight-168": {"dataflow": "weight"},
    "input-168": {"dataflow": "input"},
    "output-168": {"dataflow": "output"},
    "weight-168-channel-port": {"dataflow": "weight", "baseline_depth": "channel", "hit_ports": 1},
    "weight-168-whole-free": {"dataflow": "weight", "baseline_depth": "whole", "hit_ports": "unlimited"},
    "input-168-channel-port": {"dataflow": "input", "baseline_depth": "channel", "hit_ports": 1},
    "input-168-whole-free": {"dataflow": "input", "baseline_depth": "whole", "hit_ports": "unlimited"},
    "broadcast-168": {"dataflow": "broadcast"},
    "vector-168": {"dataflow": "vector"},
    "eyeriss-like": {**COMPARABLE, **ROWS},
    "simple-weight-stationary": {**COMPARABLE, "dataflow": "weight"},
    "simple-output-stationary": {**COMPARABLE, "dataflow": "output"},
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_every_field_of_a_preset(name: str) -> None:
    assert preset(name).model_dump() == {"name": name, **PAPERS, **OTHERWISE[name]}


def test_each_is_a_file_of_its_name() -> None:
    folder = files("mercuric.accelerator") / "presets"
    texts = {file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert texts.keys() == OTHERWISE.keys() == {one.name for one in presets()}
    for name, text in texts.items():
        assert Accelerator.from_yaml(text) == preset(name)
