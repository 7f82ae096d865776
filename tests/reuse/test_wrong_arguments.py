"""Is each wrong call answered with one sentence that names the argument?"""

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mercuric
from mercuric import (
    CycleCost,
    ReuseConfig,
    ReuseConv2d,
    ReuseHandle,
    ReuseLinear,
    fit_directions_,
    fit_ranks_,
    plain_state_dict,
    restore_,
    reuse_,
    reuse_attention,
)
from mercuric.reuse import Cost

CONFIG = ReuseConfig()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))


def images() -> Tensor:
    return torch.randn(2, 3, 8, 8)


def refused(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(sentence)) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["default", "paper", "fast"])
def test_presets_by_name(name: str) -> None:
    expected = CONFIG if name == "default" else getattr(ReuseConfig, name)()
    assert reuse_(network(), name).config == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "was"),
    [
        ("papr", "'papr'"),
        ({"bits": 20}, "a dict, but must be a ReuseConfig (ReuseConfig(**settings))"),
        (ReuseConfig, "the class ReuseConfig, but must be a ReuseConfig, not its class (ReuseConfig()),"),
        (nn.Linear, "the class Linear"),
        (20, "20"),
        (["paper"], "a list"),
        (ReuseConfig.paper, "a method"),
        (mercuric.AdaptationConfig(), "an AdaptationConfig"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda config: reuse_(network(), config),
        lambda config: ReuseConv2d(3, 3, 3, reuse=config),
        lambda config: ReuseLinear(3, 3, reuse=config),
        lambda config: mercuric.simulate(network(), images(), config=config),
    ],
)
def test_configurations(call: Callable[[Any], Any], config: object, was: str) -> None:
    refused(lambda: call(config), f"config was {was}")


@pytest.mark.parametrize(
    ("model", "was"),
    [
        ([nn.Linear(3, 3)], "a list, but must be a torch.nn.Module; put the layers into an nn.Sequential"),
        (network().state_dict(), "an OrderedDict, but must be a torch.nn.Module; load a state dict into"),
        (None, "None, but must be a torch.nn.Module"),
        (nn.Linear, "the class Linear, but must be"),
        ("resnet18", "'resnet18', but must be"),
        (torch.sin, "a builtin_function_or_method, but must be"),
    ],
)
def test_models(model: Any, was: str) -> None:
    refused(lambda: reuse_(model), f"model was {was}")
    refused(lambda: restore_(model), f"model was {was}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_models_in_other_forms() -> None:
    refused(lambda: reuse_(torch.jit.script(network())), "model was compiled to TorchScript, but must be")
    program = torch.export.export(network(), (images(),))
    refused(lambda: reuse_(program), "model was an ExportedProgram, but must be")  # type: ignore[arg-type]
    refused(lambda: reuse_(program.module()), "model has no convolution, linear or attention layer")
    graph, plain = torch.fx.symbolic_trace(network()), network()
    handle = reuse_(graph, ReuseConfig(bits=4))
    assert not torch.allclose(graph(images()), plain(images()))
    assert handle.report()["vectors"].gt(0).all()


def test_swapped_arguments() -> None:
    for config in (CONFIG, "paper"):
        with pytest.raises(ValueError, match=r"^model was .* and config a Sequential, but the model"):
            reuse_(config, network())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cost", "was"),
    [
        ("ms", "'ms'"),
        (1.0, "1.0"),
        (CycleCost, "the class CycleCost"),
        (["milliseconds"], "a list"),
        (True, "True"),
        (nn.ReLU(), "a ReLU"),
    ],
)
def test_costs(cost: Any, was: str) -> None:
    refused(lambda: reuse_(network(), cost=cost), f'cost was {was}, but must be "milliseconds", a cost model')


@pytest.fixture
def handle() -> ReuseHandle:
    return reuse_(network())


@pytest.mark.parametrize(
    ("loss", "was"),
    [
        (torch.ones(3), "a tensor of 3 elements of torch.float32"),
        (torch.ones(0), "a tensor of 0 elements"),
        (torch.ones(1, dtype=torch.complex64), "a tensor of 1 elements of torch.complex64"),
        (None, "None"),
        ("0.3", "'0.3'"),
        (True, "True"),
        (1j, "1j"),
        ([1.0], "a list"),
        (np.ones(3), "a ndarray"),
    ],
)
def test_losses(handle: ReuseHandle, loss: Any, was: str) -> None:
    refused(lambda: handle.step(loss), f"loss was {was}")


def test_a_loss_with_a_gradient_is_taken_without_a_word() -> None:
    model = network()
    handle = reuse_(model, ReuseConfig(bits=20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in (model(images()).sum(), model(images()).sum()[None], 1, np.float32(1), np.array(1.0)):
            handle.step(loss)  # type: ignore[arg-type]


def test_names_of_layers(handle: ReuseHandle) -> None:
    for method in (handle.switch_on, handle.switch_off):
        for wrong, was in ((["0"], "a list"), (0, "0"), (None, "None"), (network(), "a Sequential")):
            refused(lambda m=method, w=wrong: m(w), f"layer was {was}, but must be a name; give several one")
        refused(lambda m=method: m("0", "9"), "layer was '9', but must be one of the reuse layers: 0, 3")
    refused(lambda: handle.switched("9", True).__enter__(), "layer was '9', but must be one of")
    assert all(state.on for state in handle.layers.values())


def test_numbers_of_the_handle(handle: ReuseHandle) -> None:
    layer = nn.Linear(3, 3)
    for every in ("x", 0, -1, 1.5, True):
        refused(
            lambda e=every: handle.time_layers({"0": layer}, every=e), f"every was {every!r}, but must be"
        )
    refused(lambda: handle.time_layers({"9": layer}), "layer was '9', but must be one of")
    refused(lambda: handle.time_layers([layer]), "modules was a list, but must be")  # type: ignore[arg-type]
    refused(lambda: handle.time_layers({"0": 3}), "the module of layer '0' was 3")  # type: ignore[dict-item]
    refused(lambda: handle.switch_off_losing("3"), "products was '3', but must be")  # type: ignore[arg-type]
    refused(lambda: handle.observe(3), "observer was 3, but must be a function")  # type: ignore[arg-type]


def test_costs_of_layers_to_keep(handle: ReuseHandle) -> None:
    refused(lambda: handle.keep_faster(None), "costs was None, but must be names of layers with their costs")  # type: ignore[arg-type]
    given = {"0": Cost(1.0, 2.0), "3": 3}
    refused(lambda: handle.keep_faster(given), "the cost of layer '3' was 3, but must be a Cost or None")  # type: ignore[arg-type]
    assert handle.layers["0"].milliseconds is None


def test_attention_without_a_state() -> None:
    rows = torch.rand(1, 2, 3)
    refused(lambda: reuse_attention(rows, rows, rows, None), "state was None, but must be the state of a")  # type: ignore[arg-type]


def test_states_of_something_else(handle: ReuseHandle) -> None:
    saved = network().state_dict()
    refused(
        lambda: handle.load_state_dict(saved),
        "the state of the handle was a mapping with '0.weight', '0.bias', '3.weight', but must be what its",
    )
    refused(
        lambda: handle.load_state_dict({}), "the state of the handle was a mapping with nothing, but must be"
    )
    for wrong in (None, [1], "state"):
        refused(
            lambda given=wrong: handle.load_state_dict(given),  # type: ignore[misc]
            f"the state of the handle was a {type(wrong).__name__}, but must be a mapping",
        )


def test_models_of_plain_state_dicts() -> None:
    refused(lambda: plain_state_dict({}), "model was a dict, but must be a torch.nn.Module")  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", ["default", "paper", "fast"])
@pytest.mark.parametrize(
    ("given", "was"),
    [
        (np.zeros((2, 3, 8, 8), np.float32), "a ndarray, but must be a tensor (torch.from_numpy)"),
        ([[0.0]], "a list, but must be a tensor"),
        (None, "None, but must be a tensor"),
    ],
)
def test_inputs_that_are_no_tensors(preset: str, given: Any, was: str) -> None:
    model = nn.ModuleList(network())
    reuse_(model, preset)  # type: ignore[arg-type]
    for layer in (model[0], model[3]):
        refused(lambda one=layer: one(given), f"input of layer {layer.reuse.name!r} was {was}")  # type: ignore[misc]


def test_queries_that_are_no_tensors() -> None:
    model = nn.ModuleList([nn.MultiheadAttention(4, 2)])
    reuse_(model)
    words = torch.randn(3, 2, 4)
    refused(lambda: model[0](words.numpy(), words, words), "query of layer '0' was a ndarray, but must be")


@pytest.mark.parametrize(
    ("batches", "sentence"),
    [
        (
            [(images(), torch.zeros(2))],
            "a batch was a tuple of 2, which the model's forward pass doesn't",
        ),
        (
            [[images(), torch.zeros(2)]],
            "a batch was a list, but must be a tensor or the tuple",
        ),
        ([{"x": images()}], "a batch was a dict, but must be a tensor"),
        ([3], "a batch was 3, but must be a tensor"),
        (images(), "batches was a Tensor, but must be a list, a loader"),
        (None, "batches was None, but must be"),
        ([], "batches was empty, but must hold at least one"),
        ((one for one in ()), "batches was empty, but must hold at least one"),
    ],
)
def test_batches_to_fit_with(batches: Any, sentence: str) -> None:
    model = network()
    handle = reuse_(model, "fast")
    refused(lambda: fit_ranks_(model, handle, batches), sentence)
    refused(lambda: fit_directions_(model, handle, batches), sentence)


def test_other_arguments_of_fit_ranks() -> None:
    model, given = network(), [images()]
    handle = reuse_(model, "fast")
    refused(lambda: fit_ranks_(handle, model, given), "model was a ReuseHandle and handle a Sequential")  # type: ignore[arg-type]
    refused(lambda: fit_directions_(handle, model, given), "model was a ReuseHandle and handle a Seq")  # type: ignore[arg-type]
    no_numbers = [images() * torch.nan]
    refused(lambda: fit_ranks_(model, handle, no_numbers), "model gave NaN or infinity for these batches")
    refused(lambda: fit_ranks_(network(), handle, given), "handle was of another model: layer '0' is")
    refused(lambda: fit_ranks_(model, handle, given, "x"), "error was 'x', but must be a number")  # type: ignore[arg-type]
    refused(lambda: fit_ranks_(model, handle, given, 0.1, 3), "distance was 3, but must be a function")  # type: ignore[arg-type]
