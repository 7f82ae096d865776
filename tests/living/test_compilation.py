"""Does a compiled network train with reuse as it does without the compiler?"""

import shutil

import pandas as pd
import pytest
import torch
from living_subjects import batch, build, config, distance, training_pass

from mercuric import AdaptationConfig, ReuseConfig, reuse_

ADAPTATION = AdaptationConfig(patience=1, tolerance=0.99, max_bits=128)


def check(name: str, backward: str, backend: str) -> None:
    models = [build(name), build(name)]
    settings = config(backward, bits=64, adaptation=ADAPTATION)
    handles = [reuse_(model, settings) for model in models]
    called = [models[0], torch.compile(models[1], backend=backend)]
    optimizers = [torch.optim.SGD(model.parameters(), 1e-3) for model in models]
    for _ in range(3):
        passes = [training_pass(model) for model in called]
        for optimizer, handle, done in zip(optimizers, handles, passes, strict=True):
            optimizer.step()
            handle.step(done.loss)
    assert distance(passes[1], passes[0]) < 1e-4
    assert [change.after for change in handles[1].changes] == [65, 66]
    reports = [handle.report().drop(columns="error") for handle in handles]
    if backend == "eager":
        pd.testing.assert_frame_equal(reports[1], reports[0])
    assert reports[1]["vectors"].tolist() == reports[0]["vectors"].tolist()
    for handle in handles:
        handle.switch_off()
    with torch.inference_mode():
        outputs = [model.eval()(batch()[0]) for model in called]
    torch.testing.assert_close(outputs[1], outputs[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "backward"),
    [
        ("cnn", "exact"),
        ("cnn", "signature"),
        ("bent", "signature"),
        ("encoder", "exact"),
        ("vit", "signature"),
    ],
)
def test_the_eager_backend(name: str, backward: str) -> None:
    check(name, backward, "eager")


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
@pytest.mark.parametrize(("name", "backward"), [("cnn", "signature"), ("encoder", "exact")])
def test_inductor(name: str, backward: str) -> None:
    check(name, backward, "inductor")


@pytest.mark.parametrize("name", ["cnn", "encoder"])
def test_compiled_layers_are_timed_in_turn(name: str) -> None:
    model = build(name)
    handle = reuse_(model, ReuseConfig(adaptation=AdaptationConfig()), cost="milliseconds")
    stopwatch = handle._judging._stopwatch
    assert stopwatch is not None
    stopwatch._every, stopwatch._repeats = len(stopwatch._layers), 1
    compiled, timed = torch.compile(model, backend="eager"), []
    for _ in stopwatch._layers:
        training_pass(compiled)
        timed += [layer for layer, cost in stopwatch.step(list(handle.layers)).items() if cost]
    assert timed == list(stopwatch._layers)
