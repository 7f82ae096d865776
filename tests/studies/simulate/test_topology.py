"""Topologies of SCALE-Sim with assumed and with measured HITs."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric import MercuricError, ReuseConfig, data, zoo
from mercuric.accelerator import Accelerator, preset
from mercuric.accelerator.count.simulation import Simulation, simulate_batches
from mercuric.accelerator.engines.scalesim_files import TopologyLayer, read_topology
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import HitState
from mercuric.studies.simulate.topology import simulate_topology, spread_hits
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.folder import HitmapFolderWriter
from mercuric.trace.hitmaps.store import HitmapWriter

PAPER = ReuseConfig.paper()
CUSTOM_CNN = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
first, 18, 18, 3, 3, 3, 32, 1,
second, 10, 10, 3, 3, 32, 64, 1,
third, 6, 6, 3, 3, 64, 128, 1,
fourth, 1, 1, 1, 1, 2048, 256, 1,
fifth, 1, 1, 1, 1, 256, 7, 1,
"""


@pytest.fixture
def layers(tmp_path: Path) -> list[TopologyLayer]:
    """custom-cnn at 16 pixels, its padding in the inputs' sizes."""
    path = tmp_path / "custom-cnn.csv"
    path.write_text(CUSTOM_CNN)
    return read_topology(path)


@given(
    vectors=st.integers(1, 200),
    rate=st.floats(0, 1),
    entries=st.one_of(st.none(), st.integers(1, 40)),
    scopes=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_spread_hits_have_the_rate(vectors: int, rate: float, entries: int | None, scopes: int) -> None:
    hitmap = spread_hits(VectorShape(scopes, vectors, 3, 3, 8), rate, entries)
    hits = hitmap.hits.sum(1)
    assert bool((hits <= vectors * rate + 1e-6).all())
    assert bool((hits >= vectors * rate - 2).all())
    assert bool((hitmap.states[:, 0] == HitState.MAU.value).all())
    mau = (hitmap.states == HitState.MAU.value).sum(1)
    misses = vectors - int(hits[0])
    assert mau.tolist() == [min(misses, vectors if entries is None else entries)] * scopes
    own = torch.arange(vectors).expand(scopes, -1)
    used = hitmap.states.gather(1, hitmap.representatives)
    assert torch.equal(hitmap.representatives == own, ~hitmap.hits)
    assert bool((used[hitmap.hits] == HitState.MAU.value).all())


def test_a_rate_is_a_share(layers: list[TopologyLayer]) -> None:
    half = simulate_topology(layers, preset("weight-168"), PAPER, hit_rate=0.5)
    assert half.layers["HIT"].sum() == sum(
        layer.shape.scopes * (layer.shape.vectors // 2) for layer in layers
    )
    none = simulate_topology(layers, preset("weight-168"), PAPER)
    assert none.layers["HIT"].sum() == 0
    assert half.cycles().mercury < none.cycles().mercury
    assert half.cycles().baseline == none.cycles().baseline
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"hit_rate was .*, but must be from 0 to 1"):
            simulate_topology(layers, preset("weight-168"), PAPER, hit_rate=wrong)


def saved(path: Path, images: list[int]) -> Simulation:
    torch.manual_seed(0)
    model = zoo.build("custom-cnn", 7, 3, 16)
    photos = data.load("photos", image_size=16).train.batch(torch.arange(sum(images)))[0]
    about = HitmapAbout({}, PAPER)
    writer = HitmapWriter(path, about) if path.suffix else HitmapFolderWriter(path, about)
    with writer:
        result = simulate_batches(
            model, photos.split(images), "weight-168", PAPER, training=False, listeners=[writer.add]
        )
        writer.finish(result.layers, result.run)
    return result


@pytest.mark.parametrize("name", ["run.parquet", "csv"])
@pytest.mark.parametrize("images", [[1], [1, 1]])
def test_measured_hits_count_as_in_the_network(
    layers: list[TopologyLayer], tmp_path: Path, name: str, images: list[int]
) -> None:
    network = saved(tmp_path / name, images)
    result = simulate_topology(layers, preset("weight-168"), PAPER, hitmaps=tmp_path / name)
    assert result.layers["layer"].tolist() == ["first", "second", "third", "fourth", "fifth"]
    assert result.cycles("paper") == network.cycles("paper")
    assert result.cycles("fair") == network.cycles("fair")
    assert result.layers["HIT"].tolist() == network.layers["HIT"].tolist()


@pytest.mark.parametrize("name", ["run.parquet", "csv"])
def test_hitmaps_of_other_layers(layers: list[TopologyLayer], tmp_path: Path, name: str) -> None:
    saved(tmp_path / name, [1])
    weight = preset("weight-168")
    with pytest.raises(MercuricError, match="holds Hitmaps of 5 layers, but the topology has 4"):
        simulate_topology(layers[:4], weight, PAPER, hitmaps=tmp_path / name)
    swapped = [layers[1], layers[0], *layers[2:]]
    with pytest.raises(MercuricError, match=r"'second' \(line 3 of the topology\)"):
        simulate_topology(swapped, weight, PAPER, hitmaps=tmp_path / name)
    (first, *rest), other = layers, VectorShape(1, 256, 3, 3, 32)
    wrong = [replace(first, shape=other, channels=1), *rest]
    with pytest.raises(MercuricError, match=r"'first' \(line 2 of the topology\)"):
        simulate_topology(wrong, weight, PAPER, hitmaps=tmp_path / name)
    with pytest.raises(ValueError, match=r"hit_rate was 0.5, but with hitmaps it must not be given"):
        simulate_topology(layers, weight, PAPER, hit_rate=0.5, hitmaps=tmp_path / name)


def test_channels_of_a_csv_line(layers: list[TopologyLayer], tmp_path: Path) -> None:
    saved(tmp_path / "csv", [1])
    wrong = [*layers[:3], replace(layers[3], channels=512), layers[4]]
    with pytest.raises(MercuricError, match=r"hitmap-004.csv, line 1: C was 2048, but layer 'fourth' .* 512"):
        simulate_topology(wrong, preset("weight-168"), PAPER, hitmaps=tmp_path / "csv")


@pytest.mark.parametrize("dataflow", ["weight", "input", "output"])
def test_the_dense_side_is_scalesims(tmp_path: Path, dataflow: str) -> None:
    pytest.importorskip("scalesim")
    from mercuric.accelerator.engines.scalesim import gemm_cycles

    text = f"{CUSTOM_CNN}DP_depthwise, 9, 7, 3, 3, 8, 2, 2,\n"
    path = tmp_path / "net.csv"
    path.write_text(text)
    array = Accelerator(
        name="small", dataflow=dataflow, rows=12, columns=14, clock_mhz=1, entries=None, ways=1
    )  # type: ignore[arg-type]
    engine = gemm_cycles(array)
    for layer in read_topology(path):
        shape = layer.shape
        groups = shape.scopes // shape.depth
        theirs = groups * engine(shape.vectors, shape.length * shape.depth, shape.filters)
        ours = simulate_topology([layer], array, PAPER)
        assert ours.cycles("fair").baseline == theirs


@pytest.mark.parametrize(("rows", "scopes"), [(10**8, 1), (2**24, 17)])
def test_layers_that_would_not_fit_into_memory_are_named(rows: int, scopes: int) -> None:
    layer = TopologyLayer("QKT", VectorShape(scopes, rows, 1, 1, 64), "conv", scopes, 2)
    with pytest.raises(MercuricError, match=r"layer 'QKT' \(line 2 of the topology\) has .* vectors"):
        simulate_topology([layer], preset("weight-168"), ReuseConfig.paper(), 0.5)
