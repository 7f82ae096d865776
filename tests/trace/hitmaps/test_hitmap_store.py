"""Hitmaps in a Parquet file come back as they were observed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric import MercuricError, ReuseConfig, data, zoo
from mercuric.accelerator import Accelerator, preset
from mercuric.accelerator.count.simulation import simulate, simulate_batches, simulate_saved
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.hitmaps import store as hitmap_store
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.packing import (
    pack_flags,
    pack_ids,
    pack_states,
    unpack_flags,
    unpack_ids,
    unpack_states,
)
from mercuric.trace.hitmaps.store import HitmapWriter, SavedHitmaps
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work

CONFIGS = [
    ReuseConfig.paper(),
    ReuseConfig(entries=None, bits=70, granularity="patch"),
    ReuseConfig(entries=8, ways=2, bits=6, scope="batch", magnitude=None),
]


@pytest.fixture(scope="module")
def photos() -> Tensor:
    return data.load("photos", image_size=16).train.batch(torch.arange(5))[0]


def on_array_of(config: ReuseConfig) -> Accelerator:
    return preset("eyeriss-168").changed(entries=config.entries, ways=config.ways)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return zoo.build("custom-cnn", 7, 3, 16)


def assert_equal(one: LayerCall, other: LayerCall) -> None:
    bare = [replace(call, work=Work(call.work.shape), zero=None) for call in (one, other)]
    assert replace(bare[0], input_shape=None, observation=None) == bare[1]
    assert (one.work.bits, one.work.kind) == (other.work.bits, other.work.kind)
    assert (one.work.hitmap is None) == (other.work.hitmap is None)
    pairs = [(one.zero, other.zero), (one.work.cache_sets, other.work.cache_sets)]
    if one.work.hitmap is not None and other.work.hitmap is not None:
        pairs += [
            (one.work.hitmap.states, other.work.hitmap.states),
            (one.work.hitmap.representatives, other.work.hitmap.representatives),
        ]
    for left, right in pairs:
        assert (left is None) == (right is None)
        assert left is None or right is None or (left.dtype == right.dtype and torch.equal(left, right))


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("row_vectors", [1, 200, 1 << 20])
def test_observed_calls_come_back(
    photos: Tensor, config: ReuseConfig, row_vectors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hitmap_store, "_ROW_VECTORS", row_vectors)
    monkeypatch.setattr(hitmap_store, "_GROUP_BYTES", 300)
    path, seen = tmp_path / "run.parquet", list[LayerCall]()
    with HitmapWriter(path, HitmapAbout({}, config)) as writer:
        result = simulate_batches(
            network(),
            photos.split(2),
            on_array_of(config),
            config,
            listeners=[seen.append, writer.add],
        )
        writer.finish(result.layers, result.run)
    back = list(SavedHitmaps(path).calls())
    assert len(back) == len(seen) == 3 * 5
    for one, other in zip(seen, back, strict=True):
        assert_equal(one, other)
    assert pq.ParquetFile(path).num_row_groups > 3


@pytest.mark.parametrize("config", CONFIGS)
def test_saved_hitmaps_count_as_the_run_did(photos: Tensor, config: ReuseConfig, tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    with HitmapWriter(path, HitmapAbout({}, config)) as writer:
        result = simulate_batches(
            network(), [photos[:3], photos[3:]], on_array_of(config), config, listeners=[writer.add]
        )
        writer.finish(result.layers, result.run)
    again = simulate_saved(path, on_array_of(config))
    assert again.layers.equals(result.layers)
    assert again.summary() == result.summary()
    assert again.accelerator == result.accelerator
    forward = simulate_saved(path, on_array_of(config), training=False)
    assert forward.cycles() == result.counter.products().forward
    with pytest.raises(ValueError, match="entries of accelerator 'other' was 32, but must be"):
        simulate_saved(path, preset("eyeriss-168").changed(name="other", entries=32))


def test_layers_without_reuse_come_back(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    dense = LayerCall("0", Work(VectorShape(3, 4, 3, 3, 8), kind="conv"), False)
    with HitmapWriter(path, HitmapAbout({}, ReuseConfig())) as writer:
        writer.add(dense)
    (back,) = SavedHitmaps(path).calls()
    assert back == dense


def test_older_files_know_no_rows_of_the_output(photos: Tensor, tmp_path: Path) -> None:
    path, older, config = tmp_path / "run.parquet", tmp_path / "older.parquet", CONFIGS[0]
    with HitmapWriter(path, HitmapAbout({}, config)) as writer:
        result = simulate_batches(network(), [photos], on_array_of(config), config, listeners=[writer.add])
        writer.finish(result.layers, result.run)
    table, about = pq.read_table(path).drop_columns("output_rows"), pq.ParquetFile(path).metadata.metadata
    pq.write_table(table.replace_schema_metadata({b"mercuric": about[b"mercuric"]}), older)
    assert simulate_saved(path, on_array_of(config)).summary() == result.summary()
    vectors = on_array_of(config).changed(dealing="vectors")
    assert simulate_saved(older, vectors).layers.equals(
        simulate_batches(network(), [photos], vectors, config).layers
    )
    said = "output_rows of a layer's vectors was None, .* save the Hitmaps anew, or choose dealing=vectors"
    with pytest.raises(ValueError, match=said):
        simulate_saved(older, on_array_of(config))


def test_gradient_vectors_come_back(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    hitmap = Hitmap(torch.tensor([[1, 0, 1]], dtype=torch.uint8), torch.tensor([[0, 0, 2]]))
    work = Work(VectorShape(1, 3, 3, 3, 8), hitmap, 0, "conv", torch.tensor([[5, 5, 63]]))
    call = LayerCall("conv", work, product="input_gradient")
    with HitmapWriter(path, HitmapAbout({}, ReuseConfig())) as writer:
        writer.add(call)
    (back,) = SavedHitmaps(path).calls()
    assert_equal(call, back)


@given(
    states=st.lists(st.integers(0, 2), max_size=40), lines=st.sampled_from([4, 256, 257, 65536, 65537, 10**6])
)
@settings(max_examples=50, deadline=None)
def test_packing_is_undone(states: list[int], lines: int) -> None:
    array = torch.tensor([states], dtype=torch.uint8).numpy()
    flags, ids, shape = array == 1, (array.astype("int64") * 7919) % lines, (1, len(states))
    assert (unpack_states(pack_states(array), shape) == array).all()
    assert (unpack_flags(pack_flags(flags), shape) == flags).all()
    assert (unpack_ids(pack_ids(ids, lines), shape, lines) == ids).all()
    assert len(pack_states(array)) == -(-len(states) // 4)
    for unpack in (unpack_states, unpack_flags):
        with pytest.raises(ValueError, match="bytes, but must be"):
            unpack(b"\0" * 99, shape)
    with pytest.raises(ValueError, match="entries was 99 bytes, but must be"):
        unpack_ids(b"\0" * 99, (1, 5), lines)


@pytest.fixture
def saved(photos: Tensor, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "run.parquet"
    about = HitmapAbout({"model": "custom-cnn"}, ReuseConfig.paper())
    with HitmapWriter(path, about) as writer:
        writer.finish(simulate_batches(network(), [photos[:1]], listeners=[writer.add]).layers)
    yield path


def test_the_metadata_tells_where_they_come_from(saved: Path) -> None:
    about = SavedHitmaps(saved).about
    assert about.run == {"model": "custom-cnn"}
    assert about.config == ReuseConfig.paper()
    assert [layer["layer"] for layer in about.layers] == [
        "features.0", "features.3", "features.6", "classifier.1", "classifier.3"
    ]  # fmt: skip
    assert all(0 <= layer["error"] < 10 for layer in about.layers)


def test_hitmaps_of_another_run_are_refused(saved: Path) -> None:
    about = SavedHitmaps(saved).about
    about.require(saved, ReuseConfig.paper(), {"model": "custom-cnn"})
    with pytest.raises(MercuricError, match="another run: model was custom-cnn, but must be vgg13"):
        about.require(saved, run={"model": "vgg13"})
    other = ReuseConfig.paper().model_copy(update={"bits": 12})
    with pytest.raises(MercuricError, match="another run: bits was 20, but must be 12"):
        about.require(saved, config=other)


def rewritten(path: Path, change: object, metadata: bytes | None = None) -> Path:
    """The file with its rows changed by ``change`` (a function of the list of rows)."""
    file = pq.ParquetFile(path)
    rows = file.read().to_pylist()
    change(rows)  # type: ignore[operator]
    with pq.ParquetWriter(path, file.schema_arrow) as writer:
        writer.write_table(pa.Table.from_pylist(rows, file.schema_arrow))
        writer.add_key_value_metadata({"mercuric": metadata or file.metadata.metadata[b"mercuric"]})
    return path


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows.pop(1), "call 1 is missing"),
        (lambda rows: rows[0].update(states=b"\xff" * len(rows[0]["states"])), "in call 0, entry id was"),
        (lambda rows: rows[0].update(entries=rows[0]["entries"][:-1]), "in call 0, entries was 1535 bytes"),
        (lambda rows: rows[0].update(scopes_here=2), "in call 0, layer 'features.0' has not all of its 3"),
    ],
)
def test_damaged_rows_are_refused(saved: Path, change: object, sentence: str) -> None:
    with pytest.raises(MercuricError, match=rf"run.parquet is damaged: {sentence}"):
        simulate_saved(rewritten(saved, change))


def test_what_is_no_file_of_hitmaps(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"there are no Hitmaps at .*none.parquet"):
        simulate_saved(tmp_path / "none.parquet")
    content = saved.read_bytes()
    for name, part in (("cut", content[: len(content) // 2]), ("text", b"no parquet"), ("empty", b"")):
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(part)
        with pytest.raises(MercuricError, match=rf"{name}.parquet can't be read as a Parquet file"):
            simulate_saved(path)
    foreign = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"call": [1]}), foreign)
    with pytest.raises(MercuricError, match="holds no Hitmaps of Mercuric: it is another Parquet file"):
        simulate_saved(foreign)


def test_a_flipped_bit_is_found(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[600] ^= 1
    saved.write_bytes(content)
    with pytest.raises(MercuricError, match=r"run.parquet is damaged"):
        simulate_saved(saved)


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (b"{", "was not written by Mercuric, or is damaged"),
        (b"[]", "was not written by Mercuric, or is damaged"),
        (b'{"format": "other"}', "was not written by Mercuric: its format is 'other'"),
        (b'{"format": "mercuric hitmaps", "version": 2}', "is of version 2 of the format, but must be of 1"),
        (
            b'{"format": "mercuric hitmaps", "version": 1}',
            "is damaged: .*layers of the HitmapMetadata is missing",
        ),
    ],
)
def test_foreign_metadata_is_refused(saved: Path, metadata: bytes, sentence: str) -> None:
    with pytest.raises(MercuricError, match=sentence):
        SavedHitmaps(rewritten(saved, lambda _: None, metadata))


def test_a_failing_run_leaves_what_was_there(photos: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    path.write_bytes(b"before")
    with (
        pytest.raises(RuntimeError, match="midway"),
        HitmapWriter(path, HitmapAbout({}, ReuseConfig.paper())) as writer,
    ):
        simulate_batches(network(), [photos[:1]], listeners=[writer.add])
        raise RuntimeError("midway")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_cache_must_be_the_configurations(photos: Tensor, tmp_path: Path) -> None:
    other = ReuseConfig(entries=8, ways=2)
    with (
        pytest.raises(ValueError, match="but must be what MCache"),
        HitmapWriter(tmp_path / "run.parquet", HitmapAbout({}, other)) as writer,
    ):
        simulate_batches(network(), [photos[:1]], config=ReuseConfig.paper(), listeners=[writer.add])


def test_one_batch_is_what_simulate_counts(photos: Tensor) -> None:
    one, streamed = simulate(network(), photos), simulate_batches(network(), [photos])
    assert one.layers.equals(streamed.layers)
