"""SCALE-Sim's own files are read as SCALE-Sim reads them."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric import MercuricError
from mercuric.accelerator.engines.scalesim_files import read_scalesim_config, read_topology
from mercuric.reuse.vectors import VectorShape
from mercuric.studies.simulate.scalesim_cycles import LayerGemms
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work

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
        VectorShape(3, 55 * 55, 11, 11, 96, depth=3, output_rows=55),
        VectorShape(96, 27 * 27, 5, 5, 256, depth=96, output_rows=27),
        VectorShape(1, 13 * 13, 1, 256, 384, output_rows=13),
        VectorShape(8, 4 * 3, 3, 3, 1, output_rows=4),
        VectorShape(256, 1, 6, 6, 4096, depth=256, output_rows=1),
    ]


@pytest.mark.parametrize(
    "header", ["a, b, c, d,", "Layer, M, N, K,", "Layer,M,N,K", "Layer name, M, N, K, Sparsity,"]
)
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
        ("256, 384, 1,", "256, 384, 1e3,", "line 4: Strides of layer 'Point' was '1e3', but must be"),
        ("256, 384, 1,", "256, 384, nan,", "line 4: Strides of layer 'Point' was 'nan', but must be"),
        ("2:4,", "4:2,", "line 4: layer 'Point' has '4:2' behind its 7 numbers"),
        ("2:4,", "0,", "line 4: Stride width of layer 'Point' was '0', but must be a whole number from 1"),
        (
            "256, 384, 1,",
            f"256, {10**9}, 1,",
            "line 4: Num Filter of layer 'Point' was '1000000000', but must",
        ),
        ("256, 384, 1,", f"256, {10**30}, 1,", "line 4: Num Filter of layer 'Point' was '1000"),
        (
            "13, 13, 1, 1, 256, 384",
            f"{10**7}, {10**7}, 1, 1, 256, 384",
            "line 4: layer 'Point' has 9.83e+18 mul",
        ),
        ("Layer name, ", "c1, 34, 34, 3, 3, 3, 8, 1,", "line 1: the header was 'c1, 34, 34, 3"),
        (", ", "\t", "line 1: the header was 'Layer name\\tIFMAP"),
        ("IFMAP Height", "IFMAP Height Intraline Factor", "line 1: the header is a layout's"),
        ("Layer name, IFMAP Height, IFMAP Width, Filter Height", "Layer, M, K, N", "line 1: the header was"),
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


CONV_HEADERS = [
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,",
    "Layer, IFMAP Width, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,",
    "Layer name,Ifmap height,ifmap width,filter height,filter width,channels,num filters,strides,batch size,",
    "Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides, Sparsity,",
    "Name, Height, Width, R, S, C, K, Stride,",
]
"""As SCALE-Sim's own topologies are headed, and one that nobody knows."""


@st.composite
def conv_rows(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["Conv1", "fc", "DP_conv", "conv_DP2", "a b"]))
    filters = [draw(st.integers(1, 7)) for _ in range(2)]
    sizes = [filter_size + draw(st.integers(0, 9)) for filter_size in filters]
    rest = [draw(st.integers(1, most)) for most in (6, 8, 4)]
    ratio = draw(st.sampled_from(["", " 2:4,", "1:1,"]))
    comment = draw(st.sampled_from(["", " ", "#dw", "a comment"]))
    cells = draw(st.sampled_from([",", ", ", " ,\t"])).join(map(str, [name, *sizes, *filters, *rest]))
    return f"{cells},{ratio}{comment}"


@st.composite
def gemm_rows(draw: st.DrawFn) -> str:
    sizes = [draw(st.integers(1, 60)) for _ in range(3)]
    ratio = draw(st.sampled_from(["", "2:4,"]))
    return f"product,{','.join(map(str, sizes))},{ratio}"


def gemms_of_scalesim(path: Path, is_gemm: bool) -> Counter[tuple[int, int, int]]:
    """Rows, length and filters of the products that SCALE-Sim's own reader finds."""
    from scalesim.topology_utils import topologies

    theirs = topologies()
    theirs.load_arrays(str(path), mnk_inputs=is_gemm)
    theirs.topo_calc_hyperparams()
    dims = [theirs.calc_spatio_temporal_params("os", number) for number in range(theirs.get_num_layers())]
    return Counter((rows, length, filters) for rows, filters, length in dims)


@given(data=st.data(), blank=st.booleans())
@settings(max_examples=80, deadline=None)
def test_scalesim_s_own_reader_finds_the_same_products(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, blank: bool
) -> None:
    pytest.importorskip("scalesim")
    is_gemm = data.draw(st.booleans())
    header = "Layer, M, N, K," if is_gemm else data.draw(st.sampled_from(CONV_HEADERS))
    rows = data.draw(st.lists(gemm_rows() if is_gemm else conv_rows(), min_size=1, max_size=5))
    lines = [header, *[""] * blank, *rows]
    path = written(tmp_path_factory.mktemp("topology") / "net.csv", "\n".join(lines) + "\n")
    ours = LayerGemms()
    for layer in read_topology(path):
        ours.add(LayerCall(layer.name, Work(layer.shape, kind=layer.kind)))
    assert ours.dense == gemms_of_scalesim(path, is_gemm)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Strides,", "2,1,"),
        ("Stride height, Stride width,", "2, 1,"),
        ("Stride height, Stride width,", "2,1,1,1,"),
        ("Stride height, Stride width, Sparsity,", "2,1,2:4,"),
        ("Stride height, Stride width", "2,1"),
    ],
)
def test_strides_of_height_and_width(tmp_path: Path, header: str, row: str) -> None:
    columns = "Layer name,IFMAP height,IFMAP width,Filter height,Filter width,Channels,Num filter"
    text = f"{columns},{header}\nc,9,9,3,3,2,4,{row}\n"
    (layer,) = read_topology(written(tmp_path / "net.csv", text))
    assert layer.shape == VectorShape(2, 4 * 7, 3, 3, 4, depth=2, output_rows=4)


def test_what_scalesim_writes_is_read(tmp_path: Path) -> None:
    pytest.importorskip("scalesim")
    from scalesim.topology_utils import topologies

    theirs = topologies()
    theirs.load_arrays(str(written(tmp_path / "net.csv", TOPOLOGY.replace("4096, 1\n", "4096, 1,\n"))))
    theirs.write_topo_file(str(tmp_path), "again.csv")
    assert (
        sum(layer.shape.macs for layer in read_topology(tmp_path / "again.csv")) == theirs.get_all_mac_ops()
    )


@pytest.mark.parametrize("value", [10**9, 10**30])
def test_an_array_without_measure(tmp_path: Path, value: int) -> None:
    path = written(tmp_path / "array.cfg", CONFIG.replace("ArrayWidth:     14", f"ArrayWidth: {value}"))
    with pytest.raises(MercuricError, match="line 6: ArrayWidth was '1000"):
        read_scalesim_config(path)
