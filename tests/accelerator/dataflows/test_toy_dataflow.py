"""A dataflow that this file alone knows is counted, priced and reported as those of the package are."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from typer.testing import Result

import mercuric
from mercuric.accelerator import Accelerator, Cycles, Dataflow, layer_cost, preset, register_dataflow
from mercuric.accelerator.count.layer_cycles import training_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.energy.operands import Words
from mercuric.accelerator.engines.dense_layer import DenseLayer
from mercuric.accelerator.engines.scalesim import gemm_cycles
from mercuric.accelerator.engines.zigzag import evaluate_layers
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import split
from mercuric.trace.work import Product, Work

Run = Callable[..., Result]
SHAPE = VectorShape(scopes=2, vectors=6, rows=3, elements=3, filters=4)
STATES = torch.tensor([[1, 0, 0, 1, 0, 2], [1, 1, 1, 1, 1, 0]], dtype=torch.uint8)
WORK = Work(SHAPE, Hitmap(STATES, torch.zeros(2, 6, dtype=torch.int64)), bits=5)


class Toy:
    """All PEs multiply in every cycle, a HIT is free, and every operand comes from the buffer."""

    name = "toy"
    idle_options: Mapping[str, str] = {"insertion_queue": "a toy has no queues"}
    assumptions = ("on toy arrays nothing waits",)

    def fixed_options(self, _: Accelerator) -> Mapping[str, str]:
        return {"mac_unit": "dataflow is 'toy': its PEs have one in any case"}

    def cycles(
        self, accelerator: Accelerator, work: Work, products: Sequence[Product]
    ) -> dict[Product, dict[Timing, Cycles]]:
        if work.kind == "attention":
            raise ArgumentError("kind of the work was 'attention', which toy arrays can't compute")
        shape, macs = work.shape, work.shape.macs
        vectors = shape.scopes * shape.vectors
        misses = vectors if work.hitmap is None else vectors - int(work.hitmap.hits.sum())
        dense, reused = -(-macs // accelerator.pes), -(-macs * misses // vectors // accelerator.pes)
        signatures = -(-vectors * shape.length * work.bits // accelerator.pes)
        return {
            product: dict.fromkeys(TIMINGS, Cycles(dense, reused, signatures if product == "forward" else 0))
            for product in products
        }

    def traffic(self, _: Accelerator, computed: DotProducts) -> ArrayTraffic:
        macs = int(computed.vectors.sum()) * computed.shape.length * computed.shape.filters
        return ArrayTraffic(macs, 0, 0, Words(macs, macs, macs), sums=1, passes=1)

    def arrival(self, _accelerator: Accelerator, _shape: VectorShape, _kind: Kind) -> None:
        return None

    def results(
        self, _accelerator: Accelerator, _shape: VectorShape | None = None, _kind: Kind = "conv"
    ) -> int:
        return 1

    mcaches = results

    def reads_representatives(self, _accelerator: Accelerator, _kind: Kind) -> bool:
        return False


@pytest.fixture
def toy() -> Iterator[Accelerator]:
    register_dataflow(Toy())
    yield preset("eyeriss-168").changed(name="toy-168", dataflow="toy")
    del DATAFLOWS["toy"]


def test_it_is_unknown_until_it_is_registered(toy: Accelerator, tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text(toy.to_yaml())
    assert Accelerator.read(path) == toy
    registered = DATAFLOWS.pop("toy")
    for make in (lambda: Accelerator.read(path), lambda: preset("eyeriss-168").changed(dataflow="toy")):
        with pytest.raises(ValueError, match="dataflow was 'toy', but must be one of 'row', 'weight'"):
            make()
    with pytest.raises(ValueError, match="dataflow of accelerator 'toy-168' was 'toy', but must be one of"):
        layer_cost(toy, WORK)
    DATAFLOWS["toy"] = registered


def test_its_cycles_and_energy_by_hand(toy: Accelerator) -> None:
    """432 MACs on 36 PEs; a third of the vectors hits, and signatures are 540 MACs more."""
    toy = toy.changed(rows=12, columns=3)
    cycles = training_cycles(toy, WORK)["fair"]
    assert cycles.forward == Cycles(12, 8, 15)
    assert cycles.weight_gradient == cycles.input_gradient == Cycles(12, 8)
    cost = layer_cost(toy, WORK, training=False)["fair"]
    assert (cost.baseline.cycles, cost.mercury.cycles) == (12, 23)
    assert cost.baseline.accesses.mac == cost.baseline.energy["mac"] == 432
    assert cost.baseline.accesses.register_file == cost.baseline.accesses.pe_to_pe == 0
    assert cost.mercury.accesses.mac == 8 * 36 + 4 * 4 + 12 * 9 * 5


def test_a_network_is_simulated(toy: Accelerator) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 5))
    result = mercuric.simulate(model, torch.randn(2, 3, 8, 8), accelerator=toy, training=False)
    macs = 2 * 8 * 3 * 9 * 36 + 2 * 8 * 36 * 5
    assert macs / 168 <= result.cycles().baseline < macs / 168 + 2
    assert result.layers["layer"].tolist() == ["0", "2"]


def test_an_evaluation_makes_a_page_of_it(
    toy: Accelerator, mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("toy.yaml").write_text(toy.to_yaml())
    done = mercuric(
        "evaluate", "custom-cnn", "--accelerator", "toy.yaml,weight-168", "--image-size", 16, "--json"
    )
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout)["results"]
    assert {one["accelerator"] for one in results} == {"toy-168", "weight-168"}
    page = Path("runs/evaluate-custom-cnn-photos/report.html").read_text()
    assert "toy-168" in page
    assert "no part of the latency: on toy arrays nothing waits." in page


def test_what_it_can_not_do_is_refused(toy: Accelerator) -> None:
    with pytest.raises(ValueError, match="mac_unit of accelerator 'toy-168' was True, but must be False"):
        toy.changed(mac_unit=True)
    with pytest.raises(ValueError, match="'attention', which toy arrays can't compute"):
        training_cycles(toy, Work(SHAPE, kind="attention"))
    layer = DenseLayer("one", 1, 1, 3, 4, (1, 1), (2, 2), (1, 1), (1, 1), (2, 2), (0, 0))
    with pytest.raises(ValueError, match=r"was 'toy', but must be one of 'row', .* for ZigZag"):
        evaluate_layers([layer], toy)
    with pytest.raises(ValueError, match=r"was 'toy', but must be one of 'weight', .* for SCALE-Sim"):
        gemm_cycles(toy)


def test_a_sweep_knows_what_changes_none_of_its_cycles(toy: Accelerator, tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(toy.to_yaml())
    config = SweepConfig(
        models=("custom-cnn",), vary={"insertion_queue": (1, 2)}, accelerator=str(tmp_path / "toy.yaml")
    )
    with pytest.raises(ValueError, match="must be left out of this sweep: a toy has no queues"):
        split(config, {})


@pytest.mark.parametrize("member", [name for name in vars(Dataflow) if not name.startswith("_")])
def test_a_dataflow_that_lacks_something_is_refused(member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Toy, member)
    lacking: Any = Toy()
    with pytest.raises(ValueError, match=f"dataflow '[tT]oy' has no {member}, but must have name, .*cycles"):
        register_dataflow(lacking)
    assert "toy" not in DATAFLOWS


def test_two_dataflows_have_two_names(toy: Accelerator) -> None:
    with pytest.raises(ValueError, match="name of a dataflow was 'toy', but must be one that no other has"):
        register_dataflow(Toy())
    register_dataflow(DATAFLOWS["toy"])
    assert toy.changed(rows=3).rows == 3
