"""The simulators themselves read what is written for them, and count what is counted here."""

import csv
import logging
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from exported_networks import dense_products, mixed, reuse_products
from torch import nn

from mercuric.accelerator import preset
from mercuric.accelerator.dataflows.systolic.cycles import baseline_cycles
from mercuric.accelerator.dataflows.systolic.weight_stationary import WEIGHT_STATIONARY
from mercuric.accelerator.exports.accelforge import einsum_name
from mercuric.accelerator.exports.formats import form_of
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.progress import silent
from mercuric.reuse.vectors import VectorShape

Files = dict[str, list[ExportedProduct]]
ARRAY = preset("weight-168")


def by_file(products: list[ExportedProduct]) -> Files:
    found: Files = {}
    for one in products:
        found.setdefault(one.file, []).append(one)
    return found


def our_cycles(one: ExportedProduct) -> int:
    _, M, K, N = one.shape.matrices
    shape = VectorShape(1, M, 1, K, N)
    return baseline_cycles(ARRAY, shape, "forward", "whole", folding=WEIGHT_STATIONARY.folding)


def test_scalesim_counts_the_cycles_that_are_counted_here(tmp_path: Path) -> None:
    pytest.importorskip("scalesim")
    files, form = by_file(reuse_products(*mixed(1))), form_of("scalesim")
    form.write(files, tmp_path, ARRAY)
    assert form.costs is not None
    costs = form.costs(files, tmp_path, ARRAY, silent)
    for one in [one for products in files.values() for one in products]:
        assert costs[one.name].cycles == our_cycles(one), one.name


def test_scalesim_runs_the_files_as_they_are(tmp_path: Path) -> None:
    run = pytest.importorskip("scalesim.scale_sim").scalesim
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Flatten(), nn.Linear(48, 4))
    files = by_file(dense_products(model, torch.randn(1, 2, 4, 4)))
    form_of("scalesim").write(files, tmp_path, ARRAY)
    for name, products in files.items():
        paths = [str(tmp_path / file) for file in ("array.cfg", f"{name}.csv", "layout.csv")]
        results = tmp_path / f"results-{name}"
        results.mkdir()
        with redirect_stdout(StringIO()):
            config, topology, layout = paths
            run(True, False, config, topology, layout, False).run_scale(str(results))
        (report,) = results.rglob("COMPUTE_REPORT.csv")
        with report.open(newline="") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
        found = [float(row["Total Cycles"]) - float(row["Stall Cycles"]) + 1 for row in rows]
        assert found == [our_cycles(one) for one in products]


def test_zigzag_parses_every_product(tmp_path: Path) -> None:
    pytest.importorskip("zigzag")
    from zigzag.parser.workload_factory import WorkloadFactory
    from zigzag.parser.workload_validator import WorkloadValidator
    from zigzag.stages.parser.workload_parser import WorkloadParserStage

    files = by_file(reuse_products(*mixed(2)))
    form_of("zigzag").write(files, tmp_path, ARRAY)
    mapping = WorkloadParserStage.parse_mapping_data(str(tmp_path / "mapping.yaml"))
    for name, products in files.items():
        validator = WorkloadValidator(yaml.safe_load((tmp_path / f"{name}.yaml").read_text()))
        data = validator.normalized_data
        assert validator.validate()
        layers = WorkloadFactory(data, mapping).create().layer_node_list
        assert [layer.total_mac_count for layer in layers] == [one.macs for one in products]
        assert [layer.name for layer in layers] == [one.name for one in products]


def test_zigzag_runs_the_files(tmp_path: Path) -> None:
    pytest.importorskip("zigzag")
    model = nn.Sequential(nn.Conv2d(8, 16, 1), nn.Flatten(), nn.Linear(64, 4))
    files, form = by_file(dense_products(model, torch.randn(1, 8, 2, 2))), form_of("zigzag")
    form.write(files, tmp_path, ARRAY)
    assert form.costs is not None
    logging.getLogger("zigzag").setLevel(logging.CRITICAL)
    costs = form.costs(files, tmp_path, ARRAY, silent)
    for one in [one for products in files.values() for one in products]:
        assert costs[one.name].cycles >= one.macs / ARRAY.pes
        assert costs[one.name].energy is not None and costs[one.name].energy > one.macs


def test_accelforge_counts_the_same_operations(tmp_path: Path) -> None:
    workloads = pytest.importorskip("accelforge.frontend.workload")
    files = by_file(reuse_products(*mixed(2)))
    form_of("accelforge").write(files, tmp_path, ARRAY)
    for name, products in files.items():
        read = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())["workload"]
        workload = workloads.Workload(**read)
        from accelforge.frontend._workload_isl._isl import get_operation_space_size

        sizes = [int(get_operation_space_size(workload, einsum_name(one.name))) for one in products]
        assert np.array_equal(sizes, [one.macs for one in products])
