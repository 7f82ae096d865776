from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mercuric.accelerator import chip_area, preset
from mercuric.accelerator.count.simulation import simulate_batches
from mercuric.accelerator.dataflows.row_stationary.dealing import most_results, results_held
from mercuric.accelerator.energy.energies import LEVELS
from mercuric.errors import MercuricError
from mercuric.reuse import ReuseConfig
from mercuric.studies.evaluate import study as module
from mercuric.studies.evaluate.config import COMPARABLE, EvaluationConfig
from mercuric.studies.evaluate.study import Evaluation, evaluate, write_evaluation
from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.subject import load_subject
from mercuric.trace.layer_call import LayerCall

SMALL: dict[str, Any] = {"model": "custom-cnn", "image_size": 16}


@pytest.fixture(scope="module")
def evaluated() -> Evaluation:
    return evaluate(EvaluationConfig(**SMALL, batches=(1, 3)))


def test_every_layer_is_there_for_every_accelerator_batch_timing_and_design(evaluated: Evaluation) -> None:
    layers = evaluated.layers
    sides = layers.groupby(["accelerator", "batch", "timing", "design"], sort=False)["layer"].agg(list)
    assert len(sides) == 3 * 2 * 2 * 2
    assert all(names == sides.iloc[0] for names in sides)
    assert sides.iloc[0][0] == "features.0"
    energies = layers[[f"energy_{level}" for level in LEVELS]].sum(axis=1)
    assert energies.to_numpy() == pytest.approx(layers["energy"].to_numpy())
    assert (layers["latency"] >= layers[["cycles", "dram_cycles"]].max(axis=1)).all()


def test_the_designs_differ_where_reuse_is_possible(evaluated: Evaluation) -> None:
    layers = evaluated.layers.set_index(["accelerator", "batch", "timing", "layer", "design"])
    hits = layers.xs("features.0", level="layer").xs("mercury", level="design")
    assert (hits["count_mcache_data"] > 0).all()
    dense = layers.xs("baseline", level="design")
    assert (dense["count_mcache_data"] == 0).all()
    assert (hits["count_mac"] < dense.xs("features.0", level="layer")["count_mac"]).all()


def test_shapes_alone_give_the_same_dense_figures(evaluated: Evaluation) -> None:
    config = EvaluationConfig(**SMALL, batches=(1, 3), dense=True)
    dense = evaluate(config).layers
    both = evaluated.layers[evaluated.layers["design"] == "baseline"].reset_index(drop=True)
    pd.testing.assert_frame_equal(dense, both)


def test_a_dense_batch_may_be_larger_than_data_and_memory() -> None:
    config = EvaluationConfig(**SMALL, accelerators=("eyeriss-like",), batches=(20_000,), dense=True)
    totals = evaluate(config).totals()
    assert totals["design"].tolist() == ["baseline"]
    assert totals["count_mac"].iloc[0] > 10**10


def test_inference_counts_one_product_of_three(evaluated: Evaluation) -> None:
    config = EvaluationConfig(**SMALL, batches=(1, 3), inference=True, dense=True)
    forward, training = (one.totals()["count_mac"].sum() for one in (evaluate(config), evaluated))
    assert 2 * forward < training < 6 * forward


def test_each_accelerator_has_its_own_cache_and_an_unlimited_one_has_no_area(tmp_path: Path) -> None:
    files = []
    for name, entries in (("few", 16), ("all", None), ("also-few", 16)):
        one = preset("eyeriss-like").changed(name=name, entries=entries, ways=4)
        (tmp_path / f"{name}.yaml").write_text(one.to_yaml())
        files.append(str(tmp_path / f"{name}.yaml"))
    together = evaluate(EvaluationConfig(**SMALL, accelerators=tuple(files)))
    assert [one.entries for one in together.accelerators] == [16, None, 16]
    assert list(together.areas) == ["few", "also-few"]
    computed = together.totals().query("design == 'mercury'").set_index("accelerator")["count_mac"]
    assert computed["few"] == computed["also-few"] > computed["all"]
    alone = evaluate(EvaluationConfig(**SMALL, accelerators=(files[0],)))
    few = together.layers[together.layers["accelerator"] == "few"].reset_index(drop=True)
    assert alone.layers.equals(few)
    assert "entries" not in together.summary()["reuse"]
    with pytest.raises(ValueError, match="entries of the reuse configuration was 16, but must be left out"):
        evaluate(EvaluationConfig(**SMALL, accelerators=tuple(files)), ReuseConfig.paper(entries=16, ways=4))


def test_products_dealt_take_the_area_of_what_ran(tmp_path: Path) -> None:
    dealt = [
        preset("eyeriss-like").changed(name=design, dealing="products", design=design)
        for design in ("synchronous", "asynchronous")
    ]
    for one in dealt:
        (tmp_path / f"{one.name}.yaml").write_text(one.to_yaml())
    files = tuple(str(tmp_path / f"{one.name}.yaml") for one in dealt)
    areas = evaluate(EvaluationConfig(**SMALL, accelerators=files)).areas
    subject = load_subject(SubjectConfig(**SMALL), 1)
    for accelerator in dealt:
        calls: list[LayerCall] = []
        simulate_batches(subject.network, [subject.images], accelerator, listeners=[calls.append])
        vectors = max(call.work.shape.vectors for call in calls)
        held = [results_held(accelerator, call.work.shape, call.work.kind) for call in calls]
        assert 1 < max(held) < most_results(accelerator)
        assert areas[accelerator.name] == chip_area(accelerator, vectors, 20, results=max(held))
        assert sum(areas[accelerator.name].values()) < sum(chip_area(accelerator, vectors, 20).values())


def test_files_hold_what_was_evaluated(evaluated: Evaluation, tmp_path: Path) -> None:
    write_evaluation(evaluated, tmp_path)
    assert EvaluationConfig.read(tmp_path / "config.yaml") == evaluated.config
    assert ReuseConfig.read(tmp_path / "reuse.yaml") == evaluated.reuse
    read = pd.read_csv(tmp_path / "layers.csv")
    assert read["energy"].to_numpy() == pytest.approx(evaluated.layers["energy"].to_numpy())
    assert (tmp_path / "evaluation.json").stat().st_size > 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"accelerators": ("tpu",)}, "accelerator was 'tpu', but must be one of 'broadcast-168'"),
        ({"accelerators": ()}, "accelerators was empty, but must be one or more, each once"),
        ({"accelerators": COMPARABLE[:1] * 2}, "accelerators was eyeriss-like, eyeriss-like"),
        ({"batches": (0,)}, "batch was 0, but must be at least 1"),
        ({"batches": (1, 1)}, "batches was 1, 1, but must be one or more, each once"),
        ({"batches": (10**6,)}, "batch was 1000000, but must be from 1 to the 10500 of photos"),
        ({"energies": "horowitz-32"}, "word_bits of energies 'horowitz-32' was 32"),
        ({"energies": "cacti"}, "energies was 'cacti', but must be one of 'eyeriss'"),
        ({"model": "custom-rnn"}, "model was 'custom-rnn', but must be one of alexnet"),
    ],
)
def test_what_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        evaluate(EvaluationConfig(**{**SMALL, **wrong}))


def test_energies_of_different_units_do_not_compare(tmp_path: Path) -> None:
    other = preset("eyeriss-like").changed(name="other", energies="horowitz-16")
    (tmp_path / "other.yaml").write_text(other.to_yaml())
    config = EvaluationConfig(**SMALL, accelerators=("eyeriss-like", str(tmp_path / "other.yaml")))
    with pytest.raises(ValueError, match="are in MAC and pJ, but must be in one unit"):
        evaluate(config)


def test_a_missing_engine_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercuric.accelerator.engines.second_opinion.find_spec", lambda _: None)
    monkeypatch.setattr(module, "load_subject", lambda *_: pytest.fail("it ran"))
    with pytest.raises(MercuricError, match="engine was 'zigzag', which is not installed"):
        evaluate(EvaluationConfig(**SMALL, engine="zigzag"))
