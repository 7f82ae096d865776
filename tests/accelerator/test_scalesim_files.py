"""SCALE-Sim's own files are read as SCALE-Sim reads them."""

from pathlib import Path

import pytest

from mercuric import MercuricError
from mercuric.accelerator.engines.scalesim_files import read_scalesim_config, read_topology
from mercuric.reuse.vectors import VectorShape

CONFIG = """\
[general]
run_name = eyeriss

[architecture_presets]
ArrayHeight:    12
ArrayWidth:     14
IfmapSramSzkB:    36
FilterSramSzkB:   36
OfmapSramSzkB:    36
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Dataflow : ws
Bandwidth : 10
MemoryBanks: 1

[run_presets]
InterfaceBandwidth: CALC
"""
TOPOLOGY = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
Conv1, 224, 224, 11, 11, 3, 96, 4,
\tConv2 , 31,31,5,5,96,256,1,
Point, 13, 13, 1, 1, 256, 384, 1, 2:4,

DP_conv, 9, 7, 3, 3, 8, 1, 2,#dw
FC, 6, 6, 6, 6, 256, 4096, 1
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(("said", "dataflow"), [("ws", "weight"), ("is", "input"), ("os", "output")])
def test_the_array_of_a_configuration(tmp_path: Path, said: str, dataflow: str) -> None:
    text = CONFIG.replace("Dataflow : ws", f"Dataflow : {said}")
    accelerator = read_scalesim_config(written(tmp_path / "eyeriss.cfg", text))
    assert (accelerator.name, accelerator.dataflow) == ("eyeriss", dataflow)
    assert (accelerator.rows, accelerator.columns) == (12, 14)
    assert (accelerator.entries, accelerator.ways) == (1024, 16)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("ArrayHeight:    12", "ArrayHeight: 0", "line 5: ArrayHeight was '0', but must be a whole number"),
        ("ArrayWidth:     14", "ArrayWidth: -3", "line 6: ArrayWidth was '-3', but must be a whole number"),
        ("ArrayWidth:     14", "ArrayWidth: wide", "line 6: ArrayWidth was 'wide', but must be"),
        ("ArrayWidth:     14\n", "", "line 4: ArrayWidth is missing in [architecture_presets]"),
        ("IfmapSramSzkB:    36", "IfmapSramSzkB: 0", "line 7: IfmapSramSzkB was '0', but must be"),
        ("OfmapOffset:    20000000", "OfmapOffset: -1", "line 12: OfmapOffset was '-1', but must be"),
        ("Dataflow : ws", "Dataflow : rs", "line 13: Dataflow was 'rs', but must be one of ws, is, os"),
        ("CALC", "AUTO", "line 18: InterfaceBandwidth was 'AUTO', but must be one of CALC, USER"),
        ("[run_presets]\nInterfaceBandwidth: CALC", "", ": InterfaceBandwidth is missing in [run_presets]"),
        ("run_name = eyeriss", "", "line 1: run_name is missing in [general]"),
        ("[general]", "", "is no configuration of SCALE-Sim: File contains no section headers"),
        ("CALC", "CALC\n[sparsity]\nSparsitySupport: true", "line 20: SparsitySupport was 'true', but"),
        ("Bandwidth : 10\nMemoryBanks: 1\n\n[run_presets]\nInterfaceBandwidth: CALC",
         "[run_presets]\nInterfaceBandwidth: USER", "line 14: Bandwidth is missing in [run_presets]"),
    ],
)  # fmt: skip
def test_a_wrong_configuration(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in CONFIG
    path = written(tmp_path / "array.cfg", CONFIG.replace(old, new))
    with pytest.raises(MercuricError) as raised:
        read_scalesim_config(path)
    assert str(raised.value).startswith(str(path))
    assert sentence in str(raised.value)


def test_convolutions_split_into_windows_of_one_channel(tmp_path: Path) -> None:
    layers = read_topology(written(tmp_path / "net.csv", TOPOLOGY))
    assert [(layer.name, layer.line, layer.kind) for layer in layers] == [
        ("Conv1", 2, "conv"),
        ("Conv2", 3, "conv"),
        ("Point", 4, "conv"),
        ("DP_conv", 6, "conv"),
        ("FC", 7, "conv"),
    ]
    assert [layer.channels for layer in layers] == [3, 96, 256, 8, 256]
    assert [layer.shape for layer in layers] == [
        VectorShape(3, 55 * 55, 11, 11, 96, depth=3),
        VectorShape(96, 27 * 27, 5, 5, 256, depth=96),
        VectorShape(1, 13 * 13, 1, 256, 384),
        VectorShape(8, 4 * 3, 3, 3, 1),
        VectorShape(256, 1, 6, 6, 4096, depth=256),
    ]


@pytest.mark.parametrize("header", ["Layer, M, N, K,", "Layer,M,N,K", "Layer name, M, N, K, Sparsity,"])
def test_matrix_products(tmp_path: Path, header: str) -> None:
    (layer,) = read_topology(written(tmp_path / "gemm.csv", f"{header}\nQKT,1024,512,64\n"))
    assert layer.shape == VectorShape(1, 1024, 1, 64, 512)
    assert layer.kind == "linear"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Conv1, 224", "Conv1, 0", "line 2: IFMAP Height of layer 'Conv1' was '0', but must be a whole"),
        ("31,31,5,5,96,256", "31,31,5,5,-96,256", "line 3: Channels of layer 'Conv2' was '-96', but"),
        ("31,31,5,5,96,256,1,", "31,31,5,5,96,256,1.5,", "line 3: Strides of layer 'Conv2' was '1.5', but"),
        (
            "31,31,5,5,96,256,1,",
            "31,31,5,5,96,256,",
            "line 3: layer 'Conv2' must have 7 numbers (IFMAP Height",
        ),
        (
            "31,31,5,5",
            "31,3,5,5",
            "line 3: Filter Width of layer 'Conv2' was 5, but must",
        ),
        ("31,31,5,5", "4,31,5,5", "line 3: Filter Height of layer 'Conv2' was 5, but must be at most IFMAP"),
        ("2:4,", "two,", "line 4: layer 'Point' has 'two' behind its 7 numbers"),
        ("FC, 6", ", 6", "line 7: the layer has no name"),
        ("Layer name, IFMAP Height", "Layer name, Height", "line 1: the header was 'Layer name, Height"),
    ],
)
def test_a_wrong_topology(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in TOPOLOGY
    path = written(tmp_path / "net.csv", TOPOLOGY.replace(old, new))
    with pytest.raises(MercuricError) as raised:
        read_topology(path)
    assert f"{path}, {sentence}" in str(raised.value)


def test_files_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"the topology .*none.csv can't be read"):
        read_topology(tmp_path / "none.csv")
    with pytest.raises(MercuricError, match=r"the configuration .*none.cfg can't be read"):
        read_scalesim_config(tmp_path / "none.cfg")
    with pytest.raises(MercuricError, match=r"net.csv holds no layer"):
        read_topology(written(tmp_path / "net.csv", "Layer, M, N, K,\n"))
    with pytest.raises(MercuricError, match=r"net.csv, line 1: the header was ''"):
        read_topology(written(tmp_path / "net.csv", ""))


def test_scalesim_reads_the_same_sizes(tmp_path: Path) -> None:
    pytest.importorskip("scalesim")
    from scalesim.topology_utils import topologies

    # Its own reader needs the last comma.
    path = written(tmp_path / "net.csv", TOPOLOGY.replace("4096, 1\n", "4096, 1,\n"))
    theirs = topologies()
    theirs.load_arrays(str(path))
    theirs.topo_calc_hyperparams()
    ours = read_topology(path)
    macs = [theirs.get_layer_mac_ops(number) for number in range(theirs.get_num_layers())]
    assert sum(layer.shape.macs for layer in ours) == sum(macs)
    assert [layer.shape.macs for layer in ours[:3]] == macs[:3]
