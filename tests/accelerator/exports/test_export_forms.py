"""Each simulator's files, read by its own rules, have the multiply-accumulates of a training step."""

import re
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any

import pytest
import yaml
from exported_networks import mixed, reuse_products

from mercuric.accelerator import preset
from mercuric.accelerator.engines.scalesim_files import read_topology
from mercuric.accelerator.exports.form import Form
from mercuric.accelerator.exports.formats import FORMS, form_of
from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.errors import ArgumentError

ARRAY = preset("weight-168")
Files = dict[str, list[ExportedProduct]]


@pytest.fixture(scope="module", params=[1, 2], ids=["one image", "two images"])
def files(request: pytest.FixtureRequest) -> Files:
    found: Files = {}
    for one in reuse_products(*mixed(request.param)):
        found.setdefault(one.file, []).append(one)
    return found


def topology_rows(path: Path) -> Iterator[int]:
    for row in read_topology(path):
        yield row.shape.macs


def nodes(path: Path) -> Iterator[int]:
    for node in yaml.safe_load(path.read_text()):
        yield prod(node["loop_sizes"])


def einsums(path: Path) -> Iterator[int]:
    workload = yaml.safe_load(path.read_text())["workload"]
    tensors: list[str] = []
    for einsum in workload["einsums"]:
        assert re.fullmatch("[a-z][a-z0-9_]*", einsum["name"], re.IGNORECASE)
        bounds = {}
        for one in einsum["iteration_space_shape"]:
            variable, size = re.fullmatch(r"0 <= ([a-z]\d+) < (\d+)", one).groups()  # type: ignore[union-attr]
            bounds[variable] = int(size)
        used = set()
        for access in einsum["tensor_accesses"]:
            assert all(rank[0].isupper() for rank in access["projection"])
            used |= set(re.findall(r"[a-z]\d+", " ".join(access["projection"].values())))
            tensors.append(access["name"])
        assert used == set(bounds)
        yield prod(bounds.values())
    assert len(set(tensors)) == len(tensors)


def problem(path: Path) -> Iterator[int]:
    """By the grammar of Timeloop's front end, version 4: ``problem.py``."""
    read: dict[str, Any] = yaml.safe_load(path.read_text())["problem"]
    shape, instance = read["shape"], read["instance"]
    assert read["version"] == 0.4
    assert set(shape) == {"name", "dimensions", "coefficients", "data_spaces"}
    coefficients = {one["name"] for one in shape["coefficients"]}
    assert set(instance) == {*shape["dimensions"], *coefficients}
    assert all(type(size) is int and size > 0 for size in instance.values())
    used = set()
    for space in shape["data_spaces"]:
        assert set(space) <= {"name", "projection", "read_write"}
        for rank in space["projection"]:
            for term in rank:
                assert term[0] in shape["dimensions"] and set(term[1:]) <= coefficients
                used.add(term[0])
    assert used == set(shape["dimensions"])
    assert [space["name"] for space in shape["data_spaces"] if space.get("read_write")] == ["Outputs"]
    yield prod(instance[name] for name in shape["dimensions"])


def lines(path: Path) -> Iterator[int]:
    """By what ``stonne -h`` says."""
    for line in path.read_text().splitlines():
        if not line.startswith("$STONNE"):
            continue
        operation = line.split()[1]
        sizes = {key: int(size) for key, size in re.findall(r"-([A-Za-z]+)=(\d+)(?= )", line)}
        if operation == "-DenseGEMM":
            yield sizes["M"] * sizes["N"] * sizes["K"]
            continue
        assert operation == "-CONV" and sizes["N"] == 1
        out = [
            (sizes[side] - sizes[taps] + sizes["strides"]) // sizes["strides"]
            for side, taps in (("X", "R"), ("Y", "S"))
        ]
        yield prod(out) * sizes["R"] * sizes["S"] * (sizes["C"] // sizes["G"]) * sizes["K"]


READERS: dict[str, Callable[[Path], Iterator[int]]] = {
    "scalesim": topology_rows, "zigzag": nodes, "accelforge": einsums, "timeloop": problem, "stonne": lines,
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_files_have_every_multiply_accumulate(name: str, files: Files, tmp_path: Path) -> None:
    form: Form = form_of(name)
    form.write(files, tmp_path, ARRAY)
    for products in files.values():
        paths = list(dict.fromkeys(tmp_path / form.path(one) for one in products))
        found = [macs for path in paths for macs in READERS[name](path)]
        expected = [one.macs for one in products]
        assert [macs * form.repeats(one) for macs, one in zip(found, products, strict=True)] == expected


def test_convolutions_stay_convolutions_where_a_form_has_them(files: Files, tmp_path: Path) -> None:
    form_of("scalesim").write(files, tmp_path, ARRAY)
    stem = read_topology(tmp_path / "dense-forward.csv")[0].shape
    kernel = (3, 5) if files["dense-forward"][0].shape.images == 1 else (1, 3 * 3 * 5)
    assert (stem.rows, stem.elements) == kernel
    form_of("zigzag").write(files, tmp_path, ARRAY)
    node = yaml.safe_load((tmp_path / "dense-forward.yaml").read_text())[0]
    assert node["dimension_relations"] == ["iy=2*oy+1*fy", "ix=2*ox+1*fx"]


def test_row_stationary_arrays_get_windows_that_they_hold(files: Files, tmp_path: Path) -> None:
    form_of("zigzag").write(files, tmp_path, preset("eyeriss-like").changed(rows=4))
    for name, products in files.items():
        read = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
        assert [prod(node["loop_sizes"]) for node in read] == [one.macs for one in products]
        assert all(dict(zip(node["loop_dims"], node["loop_sizes"], strict=True))["FY"] <= 4 for node in read)


def test_an_unknown_simulator_or_array(files: Files, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="to was 'gem5', but must be one of scalesim, zigzag, accelforge"):
        form_of("gem5")
    with pytest.raises(ArgumentError, match="dataflow of accelerator 'eyeriss-168' was 'row'"):
        form_of("scalesim").write(files, tmp_path, preset("eyeriss-168"))
