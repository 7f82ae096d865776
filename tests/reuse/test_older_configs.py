"""Is what one configuration of both methods wrote read as that of its method, or refused?"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mercuric import Alike, Directions, ReuseConfig, reuse_
from mercuric.reuse.config import as_config
from mercuric.studies.train.config import RunConfig
from mercuric.trace.hitmaps.about import HitmapMetadata

SIMILARITY: dict[str, Any] = {
    "bits": 20, "granularity": "channel", "magnitude": None, "projection": "gaussian", "scope": "image",
    "entries": 1024, "ways": 16, "backward": "signature", "principal": None, "keep": "always",
    "adaptation": {"patience": 200, "tolerance": 0.02, "max_bits": 64, "stoppage": 50}, "seed": 0,
}  # fmt: skip
PRINCIPAL: dict[str, Any] = {
    "rank": 0.25, "error": 0.55, "multiple": 16, "samples": 2048, "refresh": None, "residual_bits": None,
    "members": 4, "max_error": None,
}  # fmt: skip
FAST: dict[str, Any] = {
    **SIMILARITY, "bits": 40, "granularity": "patch", "entries": None, "backward": "exact",
    "principal": PRINCIPAL, "keep": "faster", "adaptation": None,
}  # fmt: skip


def test_each_is_of_its_method() -> None:
    assert ReuseConfig(**SIMILARITY) == Alike.paper()
    assert ReuseConfig(**FAST) == Directions.fast()
    assert ReuseConfig(principal=Directions(rank=7), adaptation=None) == Directions(rank=7)
    assert type(ReuseConfig(bits=20)) is Alike
    assert type(ReuseConfig(method="directions")) is Directions


def test_the_constructors_make_either() -> None:
    assert ReuseConfig.paper(bits=9) == Alike.paper(bits=9)
    assert (
        ReuseConfig.fast(rank=0.5) == ReuseConfig.fast(0.5) == Directions(rank=0.5, error=0.55, keep="faster")
    )
    presets = [as_config(name) for name in ("default", "paper", "fast")]
    assert presets == [Alike(), Alike.paper(), Directions.fast()]
    assert all(isinstance(config, ReuseConfig) for config in presets)


@pytest.mark.parametrize("written", [SIMILARITY, FAST], ids=["similarity", "fast"])
def test_a_run_s_configuration(written: dict[str, Any], tmp_path: Path) -> None:
    run = RunConfig(model="vgg13", reuse=written)
    assert run.reuse == ReuseConfig(**written)
    path = tmp_path / "config.yaml"
    path.write_text(run.to_yaml())
    assert RunConfig.read(path) == run
    assert f"method: {run.reuse.method}\n" in run.to_yaml()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"method": "like"}, "method was 'like', but must be one of 'alike', 'directions', 'equal'"),
        ({"method": 3}, "method was 3, but must be one of 'alike', 'directions'"),
        ({"principal": 3}, "principal was 3, but must be a mapping or None"),
        ({"principal": {"rank": 0}}, "rank was 0, but must be a positive number"),
        ({**FAST, "adaptation": {}}, "adaptation was given to Directions, but must be given to Alike"),
        ({**FAST, "bit": 3}, "Directions has no key 'bit' (it has: method, rank"),
        ({"method": "alike", "principal": {}}, "Alike has no key 'principal' (it has: method, bits"),
        ({"method": "directions", "bits": 3}, "bits was given to Directions, but must be given to Alike"),
        (
            {"rank": 3, "error": 0.5},
            "rank, error was given to Alike, but must be given to Directions (method",
        ),
    ],
)
def test_what_fits_no_method_is_refused_in_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"but must|has no key") as refused:
        ReuseConfig(**fields)
    assert str(refused.value).startswith(sentence)
    with pytest.raises(ValueError, match=r"but must|has no key") as refused:
        RunConfig(model="vgg13", reuse=fields)
    assert sentence in str(refused.value)


def test_hitmaps_are_of_similarity() -> None:
    assert HitmapMetadata(run={}, config=SIMILARITY, layers=[]).config == Alike.paper()
    with pytest.raises(ValueError, match="config was a Directions, but must be an Alike"):
        HitmapMetadata(run={}, config=FAST, layers=[])


COUNTS = {"hit": 0, "mau": 0, "mnu": 0, "zero": 0, "zero_hits": 0}


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.Flatten(), nn.Linear(16 * 16, 8))


def test_a_checkpoint_of_directions() -> None:
    basis = torch.linalg.qr(torch.randn(16, 4))[0]
    of_both = {"on": True, "bits": 40, "error": None, "counts": COUNTS, "gradient_counts": COUNTS}
    fitted = {
        "basis": basis, "candidate": None, "error": 0.1, "wanted": True, "estimated": True, "steps": 2,
        "edits": 0,
    }  # fmt: skip
    of_0_4 = {"basis": None, "error": None, "passes": 0}
    handle = reuse_(network(), Directions.fast())
    handle.load_state_dict({
        "config": FAST,
        "layers": {
            "0": {**of_both, "milliseconds": None, "principal": fitted},
            "2": {**of_both, "principal": of_0_4},
        },
        "adaptation": {"on": {"0": None, "2": None}, "step": 2, "history": []},
        "timed_steps": 2,
    })  # fmt: skip
    assert handle.report()["rank"].tolist() == [4, 0]
    assert handle.report()["bits"].tolist() == [0, 0]


def test_a_checkpoint_of_similarity() -> None:
    counts = {**COUNTS, "hit": 3, "mau": 2, "zero": 1}
    layer = {"on": False, "bits": 21, "error": 0.5, "counts": counts, "gradient_counts": COUNTS}
    written = {**SIMILARITY, "adaptation": None}
    handle = reuse_(network(), Alike.paper(adaptation=None))
    handle.load_state_dict({
        "config": written, "layers": {"0": {**layer, "principal": None}, "2": layer}, "adaptation": None,
    })  # fmt: skip
    report = handle.report()
    assert report["bits"].tolist() == [21, 21] and report["HIT"].tolist() == [3, 3]
    with pytest.raises(ValueError, match=r"with reuse: method was alike, but must be directions$"):
        reuse_(network(), Directions()).load_state_dict(handle.state_dict())
