"""Hitmaps as CSV files: seed-compatible lines, an index, and what can be counted from them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import MercuricError, ReuseConfig, data, zoo
from mercuric.accelerator.count.simulation import Simulation, simulate_batches, simulate_saved
from mercuric.accelerator.hardware import preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.csv_lines import HitmapLine, read_hitmap_csv
from mercuric.trace.hitmaps.folder import HitmapFolder, HitmapFolderWriter
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work


@pytest.fixture(scope="module")
def photos() -> Tensor:
    return data.load("photos", image_size=16).train.batch(torch.arange(5))[0]


def network() -> nn.Module:
    torch.manual_seed(0)
    return zoo.build("custom-cnn", 7, 3, 16)


def written(
    folder: Path, batches: list[Tensor], config: ReuseConfig | None = None, accelerator: str = "eyeriss-168"
) -> Simulation:
    config = config or ReuseConfig.paper()
    with HitmapFolderWriter(folder, HitmapAbout({"model": "custom-cnn"}, config)) as writer:
        result = simulate_batches(network(), batches, accelerator, config, listeners=[writer.add])
        writer.finish(result.layers, result.run)
    return result


def test_a_line_is_a_batch(photos: Tensor, tmp_path: Path) -> None:
    seen: list[LayerCall] = []
    config = ReuseConfig.paper()
    with HitmapFolderWriter(tmp_path, HitmapAbout({}, config)) as writer:
        batches = [photos[:3], photos[3:]]
        result = simulate_batches(network(), batches, listeners=[seen.append, writer.add])
        writer.finish(result.layers, result.run)
    first = [call for call in seen if call.layer == "features.3"]
    lines = (tmp_path / "hitmap-002.csv").read_text().splitlines()
    assert len(lines) == 2
    for line, call, images in zip(lines, first, (3, 2), strict=True):
        cells = [int(cell) for cell in line.split(",")]
        assert call.work.hitmap is not None
        hits = call.work.hitmap.hits.flatten().int().tolist()
        rows = images * 32 * 8 * 8
        assert cells == [images, 32, 8, 8, rows, 20, sum(hits), rows - sum(hits), *hits]


@given(
    hits=st.lists(st.booleans(), min_size=1, max_size=60),
    shape=st.tuples(*[st.integers(1, 999)] * 4),
    bits=st.integers(1, 128),
)
@settings(max_examples=50, deadline=None)
def test_lines_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, hits: list[bool], shape: tuple[int, int, int, int], bits: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "hitmap-001.csv"
    line = HitmapLine(shape, bits, np.array(hits))
    path.write_bytes(line.to_bytes() * 2)
    for back in read_hitmap_csv(path):
        assert (back.input_shape, back.bits, back.hit.tolist()) == (shape, bits, hits)


GOOD = "1,2,3,4,3,20,2,1,0,1,1"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1,2,3,4,3,20,2", "it has 7 columns, but must have 8 and the Hitmap's values"),
        ("", "it has 1 columns, but must have 8"),
        ("1,2,3,4,3,20,2,1,0,1", "the Hitmap has 2 values, but must have as many as rows, 3"),
        ("1,2,3,4,3,20,2,1,0,1,1,0", "the Hitmap has 4 values, but must have as many as rows, 3"),
        ("1,2,3,4,3,20,2,2,0,1,1", "hits was 2 and misses 2, but they must add up to rows, 3"),
        ("1,2,3,4,3,20,1,2,0,1,1", "hits was 1, but 2 of the Hitmap's values are 1"),
        ("1,2,3,4,3,20,2,1,0,1,2", "a value of the Hitmap was '2', but must be 0 or 1"),
        ("1,2,3,4,3,20,2,1,0,1,", "a value of the Hitmap was '', but must be 0 or 1"),
        ("1,2,3,4,3,20,2,1,0,01,1", "a value of the Hitmap was '01', but must be 0 or 1"),
        ("-1,2,3,4,3,20,2,1,0,1,1", "N was '-1', but must be a whole number of at least 1"),
        ("1,2,3,4,-3,20,2,1,0,1,1", "rows was '-3', but must be a whole number of at least 1"),
        ("1,2,3,4,3,0,2,1,0,1,1", "bits was '0', but must be a whole number of at least 1"),
        ("1,2,3,4,3,20,-2,5,0,1,1", "hits was '-2', but must be a whole number of at least 0"),
        (f"1,{10**30},3,4,3,20,2,1,0,1,1", "C was '10000000000000000000', but must be a whole number"),
        ("1,two,3,4,3,20,2,1,0,1,1", "C was 'two', but must be a whole number of at least 1"),
        ("1,2,3,4,3,20,2,1,0,1,\xff", "a value of the Hitmap was"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "hitmap-001.csv"
    path.write_text(f"{GOOD}\n{line}\n{GOOD}\n", encoding="latin-1")
    lines = read_hitmap_csv(path)
    assert next(lines).hit.tolist() == [False, True, True]
    with pytest.raises(MercuricError) as raised:
        next(lines)
    assert f"{path}, line 2: {sentence}" in str(raised.value)


def test_files_without_lines(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"hitmap-001.csv can't be read: No such file"):
        list(read_hitmap_csv(tmp_path / "hitmap-001.csv"))
    (tmp_path / "hitmap-001.csv").touch()
    with pytest.raises(MercuricError, match=r"hitmap-001.csv is empty, but must hold a line a batch"):
        list(read_hitmap_csv(tmp_path / "hitmap-001.csv"))


@pytest.mark.parametrize("config", [ReuseConfig.paper(), ReuseConfig(scope="batch", granularity="patch")])
@pytest.mark.parametrize("batches", [[5], [2, 2, 1]])
@pytest.mark.parametrize("accelerator", ["eyeriss-168", "weight-168"])
def test_a_folder_counts_as_the_run_did(
    photos: Tensor, tmp_path: Path, config: ReuseConfig, batches: list[int], accelerator: str
) -> None:
    result = written(tmp_path / "h", list(photos.split(batches)), config, accelerator)
    again = simulate_saved(tmp_path / "h", accelerator)
    assert again.layers.equals(result.layers)
    assert again.summary() == result.summary()


def test_what_a_folder_cannot_serve(photos: Tensor, tmp_path: Path) -> None:
    written(tmp_path, [photos])
    eyeriss = preset("eyeriss-168")
    for field, value in (("late_hits", "wait"), ("insertion_queue", 4)):
        with pytest.raises(ValueError, match=f"{field} of accelerator .* CSV, which holds no entry ids"):
            simulate_saved(tmp_path, eyeriss.changed(**{field: value}))
    with pytest.raises(ValueError, match=r"arrival of accelerator .* go by the input's order"):
        simulate_saved(tmp_path, eyeriss.changed(arrival="interleaved"))


def test_fully_connected_hits_need_entry_ids(photos: Tensor, tmp_path: Path) -> None:
    written(tmp_path, [photos[:1].expand(3, -1, -1, -1)])
    with pytest.raises(ValueError, match=r"layer 'classifier.1' is fully connected and has HITs"):
        simulate_saved(tmp_path)
    assert simulate_saved(tmp_path, "weight-168").cycles().mercury


def test_layers_without_reuse_have_no_file(photos: Tensor, tmp_path: Path) -> None:
    class Own(nn.Conv2d):
        """A subclass: reuse leaves it alone."""

    torch.manual_seed(0)
    model = nn.Sequential(Own(3, 4, 3), nn.Conv2d(4, 4, 3))
    with HitmapFolderWriter(tmp_path, HitmapAbout({}, ReuseConfig.paper())) as writer:
        result = simulate_batches(model, [photos], listeners=[writer.add])
        writer.finish(result.layers, result.run)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hitmap-002.csv", "layers.csv", "run.json"]
    assert simulate_saved(tmp_path).layers.equals(result.layers)


def test_files_of_another_layer(photos: Tensor, tmp_path: Path) -> None:
    written(tmp_path, [photos])
    (tmp_path / "hitmap-001.csv").replace(tmp_path / "hitmap-002.csv")
    with pytest.raises(MercuricError, match=r"hitmap-001.csv can't be read"):
        simulate_saved(tmp_path)
    (tmp_path / "hitmap-001.csv").write_bytes((tmp_path / "hitmap-003.csv").read_bytes())
    with pytest.raises(
        MercuricError, match=r"hitmap-001.csv, line 1: .* rows of 20 bits, but layers.csv says"
    ):
        simulate_saved(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("hitmap-001.csv", "../hitmap-001.csv", r"layers.csv is broken: file was '../hitmap-001.csv'"),
        ("False", "no", r"layers.csv is broken: needs_input_gradient was 'no'"),
        (",conv,False,20,", ",conv,False,many,", r"layers.csv is broken: bits was 'many'"),
        (",conv,False,20,", ",evil,False,20,", r"layers.csv is broken: kind was 'evil'"),
        (",conv,False,20,3,", ",conv,False,20,0,", r"layers.csv is broken: scopes was '0'"),
        (",conv,False,20,", f",conv,False,20{'0' * 30},", r"layers.csv is broken: bits was '2000"),
        ("layer,", "name,", r"layers.csv is broken: .*layer of the IndexRow is missing"),
    ],
)
def test_a_broken_index(photos: Tensor, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    written(tmp_path, [photos[:1]])
    index = tmp_path / "layers.csv"
    assert old in index.read_text()
    index.write_text(index.read_text().replace(old, new, 1))
    with pytest.raises(MercuricError, match=sentence):
        HitmapFolder(tmp_path)


@pytest.mark.parametrize("kept", [0, 1])
def test_an_index_without_layers(photos: Tensor, tmp_path: Path, kept: int) -> None:
    written(tmp_path, [photos[:1]])
    index = tmp_path / "layers.csv"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:kept]))
    with pytest.raises(MercuricError, match=r"layers.csv is broken: it names no layer"):
        HitmapFolder(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(layers=[None]),
        lambda said: said.update(layers=5),
        lambda said: said["layers"][0].update(kind=5),
        lambda said: said["layers"][0].update(error="evil"),
        lambda said: said["layers"][0].update(layer=None),
        lambda said: said.update(run=None),
        lambda said: said.update(config=None),
        lambda said: said.update(config={"bits": "evil"}),
        lambda said: said.update(more=1),
        lambda said: said.pop("layers"),
    ],
)
def test_a_broken_description(photos: Tensor, tmp_path: Path, change: Callable[[Any], object]) -> None:
    written(tmp_path, [photos[:1]])
    said = json.loads((tmp_path / "run.json").read_text())
    change(said)
    (tmp_path / "run.json").write_text(json.dumps(said))
    with pytest.raises(MercuricError, match=r"run.json was not written by Mercuric, or is damaged"):
        HitmapFolder(tmp_path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "null", "[]", "5", ""])
def test_no_description_at_all(photos: Tensor, tmp_path: Path, text: str) -> None:
    written(tmp_path, [photos[:1]])
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(MercuricError, match=r"run.json was not written by Mercuric, or is damaged"):
        HitmapFolder(tmp_path)


def test_pipes_are_never_waited_for(photos: Tensor, tmp_path: Path) -> None:
    for name in ("layers.csv", "run.json", "hitmap-001.csv"):
        folder = tmp_path / name
        written(folder, [photos[:1]])
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(MercuricError, match=f"{name} is a pipe, but must be"):
            simulate_saved(folder)


def test_a_folder_is_not_written_over(photos: Tensor, tmp_path: Path) -> None:
    written(tmp_path, [photos[:1]])
    with pytest.raises(MercuricError, match="holds Hitmaps already; remove them or name another folder"):
        written(tmp_path, [photos[:1]])
    with pytest.raises(MercuricError, match=r"is no folder of mercuric hitmap"):
        simulate_saved(tmp_path.parent)


def test_a_failing_run_leaves_nothing(photos: Tensor, tmp_path: Path) -> None:
    writer = HitmapFolderWriter(tmp_path / "h", HitmapAbout({}, ReuseConfig.paper()))
    with pytest.raises(RuntimeError, match="midway"), writer:
        simulate_batches(network(), [photos[:1]], listeners=[writer.add])
        raise RuntimeError("midway")
    assert not list((tmp_path / "h").iterdir())


def test_a_call_without_an_input_tensor(tmp_path: Path) -> None:
    hitmap = Hitmap(torch.tensor([[1]], dtype=torch.uint8), torch.tensor([[0]]))
    call = LayerCall("attention", Work(VectorShape(1, 1, 1, 8, 8), hitmap, 20, "attention"))
    with (
        pytest.raises(ValueError, match="layer 'attention' has no input tensor of its own"),
        HitmapFolderWriter(tmp_path, HitmapAbout({}, ReuseConfig())) as writer,
    ):
        writer.add(call)
