"""The dense closed forms equal SCALE-Sim's compute cycles."""

import sys
from pathlib import Path
from typing import get_args

import pytest
import torch
from oracle.systolic_folding import SystolicStationary

from mercuric import zoo
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.engines import scalesim
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.errors import MercuricError
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Work
from mercuric.trace.workload import read_workloads

SYSTOLIC: tuple[SystolicStationary, ...] = get_args(SystolicStationary)
Gemm = tuple[int, int, int]

SMALL = [
    ((3, 2), (1, 1, 1)),
    ((4, 5), (7, 9, 11)),
    ((1, 1), (2, 3, 4)),
    ((2, 7), (15, 4, 8)),
    ((5, 3), (6, 11, 2)),
]
"""Arrays, and products that fill some of their folds partly."""


@pytest.fixture
def installed() -> None:
    pytest.importorskip("scalesim", reason="SCALE-Sim is not installed: pip install 'mercuric[engines]'")


@pytest.fixture(scope="module")
def resnet50() -> list[Gemm]:
    """The distinct products of its 53 convolutions and its classifier on one 224 x 224 image."""
    workloads = read_workloads(zoo.build("resnet50", 1000, 3, 224), torch.zeros(1, 3, 224, 224), "patch")
    assert len(workloads) == 54
    shapes = [workload.shape for workload in workloads]
    gemms = dict.fromkeys((shape.vectors, shape.length, shape.filters) for shape in shapes)
    assert len(gemms) == 21
    return list(gemms)


def array(dataflow: SystolicStationary, rows: int, columns: int) -> Accelerator:
    return preset(f"{dataflow}-168").changed(rows=rows, columns=columns)


def counted(accelerator: Accelerator, gemm: Gemm) -> int:
    work = Work(VectorShape(1, gemm[0], 1, gemm[1], gemm[2]))
    return DATAFLOWS[accelerator.dataflow].cycles(accelerator, work, ["forward"])["forward"]["fair"].baseline


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("dataflow", SYSTOLIC)
def test_all_products_of_resnet50_on_12_x_14_pes(resnet50: list[Gemm], dataflow: SystolicStationary) -> None:
    """In strips of whole folds."""
    accelerator = array(dataflow, 12, 14)
    cycles = {gemm: scalesim.run_gemm(accelerator, *gemm).cycles for gemm in resnet50}
    assert cycles == {gemm: counted(accelerator, gemm) for gemm in resnet50}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("dataflow", SYSTOLIC)
def test_all_products_of_resnet50_on_128_x_128_pes(
    resnet50: list[Gemm], dataflow: SystolicStationary
) -> None:
    """Uncut, as SCALE-Sim runs a layer."""
    accelerator = array(dataflow, 128, 128)
    cycles = {gemm: scalesim.run_gemm(accelerator, *gemm, folds_at_once=None).cycles for gemm in resnet50}
    assert cycles == {gemm: counted(accelerator, gemm) for gemm in resnet50}


@pytest.mark.usefixtures("installed")
@pytest.mark.filterwarnings("ignore:Conversion of an array with ndim > 0:DeprecationWarning")
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@pytest.mark.parametrize(("size", "gemm"), SMALL)
def test_cycles_are_what_scalesim_reports(
    dataflow: SystolicStationary, size: tuple[int, int], gemm: Gemm
) -> None:
    """The whole simulator, memories and all, numbers its last compute cycle."""
    accelerator = array(dataflow, *size)
    simulator = scalesim._simulator(accelerator, scalesim.scalesim_dataflow(accelerator), *gemm)
    simulator.run()
    _, last_cycle, stalls, percent, mapped, _ = simulator.get_compute_report_items()
    run = scalesim.run_gemm(accelerator, *gemm)
    assert (percent, mapped) == pytest.approx(
        (100 * run.utilisation * run.cycles / last_cycle, 100 * run.mapping)
    )
    assert (run.cycles, 0) == (last_cycle + 1, stalls)
    assert run.cycles == counted(accelerator, gemm) == scalesim.gemm_cycles(accelerator)(*gemm)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@pytest.mark.parametrize("folds_at_once", [1, 3, 64])
def test_strips_add_up_to_the_whole(dataflow: SystolicStationary, folds_at_once: int) -> None:
    accelerator, gemm = array(dataflow, 3, 4), (29, 7, 23)
    cut = scalesim.run_gemm(accelerator, *gemm, folds_at_once=folds_at_once)
    whole = scalesim.run_gemm(accelerator, *gemm, folds_at_once=None)
    assert (cut.cycles, cut.folds) == (whole.cycles, whole.folds)
    assert cut.mapping == pytest.approx(whole.mapping)
    assert cut.utilisation == whole.utilisation


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("dataflow", SYSTOLIC)
def test_a_product_that_fills_the_array_maps_all_of_it(dataflow: SystolicStationary) -> None:
    run = scalesim.run_gemm(array(dataflow, 4, 4), 4, 4, 4)
    assert (run.folds, run.mapping) == (1, 1.0)
    assert run.utilisation == 4 / run.cycles


@pytest.mark.usefixtures("installed")
def test_nothing_is_printed_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scalesim.run_gemm(preset("weight-168"), 20, 20, 20)
    assert (list(tmp_path.iterdir()), tuple(capfd.readouterr())) == ([], ("", ""))


def test_scalesim_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scalesim", None)
    for module in [name for name in sys.modules if name.startswith("scalesim.")]:
        monkeypatch.delitem(sys.modules, module)
    for refused in (
        lambda: scalesim.run_gemm(preset("weight-168"), 1, 1, 1),
        lambda: scalesim.gemm_cycles(preset("weight-168")),
    ):
        with pytest.raises(MercuricError, match=r"pip install 'mercuric\[engines\]'"):
            refused()


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="K was 0, but must be at least 1"):
        scalesim.run_gemm(preset("weight-168"), 1, 0, 1)
    with pytest.raises(ValueError, match="folds_at_once was 0"):
        scalesim.run_gemm(preset("weight-168"), 1, 1, 1, folds_at_once=0)
    with pytest.raises(
        ValueError, match="dataflow of accelerator 'eyeriss-168' was 'row', but must be one of"
    ):
        scalesim.gemm_cycles(preset("eyeriss-168"))
