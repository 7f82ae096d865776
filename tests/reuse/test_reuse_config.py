"""Does a configuration come back as it was, and is a bad one named?"""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from mercuric import Alike, ArgumentError, Directions, Equal, ReuseConfig
from mercuric.reuse.judge.paper import AdaptationConfig
from mercuric.similarity import MCache


@st.composite
def configs(draw: st.DrawFn) -> ReuseConfig:
    ways = draw(st.integers(1, 64))
    sets = draw(st.none() | st.integers(1, 2048))
    return ReuseConfig(
        bits=draw(st.integers(1, 128)),
        magnitude=draw(st.none() | st.integers(0, 8)),
        granularity=draw(st.sampled_from(["channel", "patch"]) | st.integers(1, 4096)),
        scope=draw(st.sampled_from(["image", "batch"])),
        entries=None if sets is None else ways * sets,
        ways=ways,
        backward=draw(st.sampled_from(["exact", "signature"])),
        adaptation=draw(st.none() | st.builds(AdaptationConfig, patience=st.integers(1, 999))),
        seed=draw(st.integers(0, 2**63 - 1)),
    )


@given(configs())
def test_yaml_reads_back(config: ReuseConfig) -> None:
    read = ReuseConfig.from_yaml(config.to_yaml())
    assert read == config
    assert type(read.granularity) is type(config.granularity)
    assert hash(read) == hash(config)
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config  # noqa: S301


def test_the_paper() -> None:
    paper = ReuseConfig.paper()
    assert (paper.bits, paper.granularity, paper.scope) == (20, "channel", "image")
    assert paper.cache == MCache(entries=1024, ways=16)
    assert paper.backward == "signature"
    assert paper.magnitude is None
    assert paper.adaptation == AdaptationConfig()


def test_the_defaults() -> None:
    assert ReuseConfig() == ReuseConfig.from_yaml("") == ReuseConfig.from_yaml("bits: 40")
    paper = ReuseConfig.paper().model_dump()
    mended = {key for key, value in ReuseConfig().model_dump().items() if value != paper[key]}
    assert mended == {"bits", "magnitude", "backward"}


def test_keys_in_order() -> None:
    expected = (
        "method: alike\nbits: 40\ngranularity: channel\nmagnitude: 3\nprojection: gaussian\nscope: image\n"
        "entries: 1024\nways: 16\nweight_blocks: 1\nattention: softmax\nbackward: exact\n"
        "keep: always\nadaptation: null\nseed: 0\n"
    )
    assert ReuseConfig(adaptation=None).to_yaml() == expected
    assert ReuseConfig.from_yaml(ReuseConfig.paper().to_yaml()) == ReuseConfig.paper()


BAD = [
    ("bits: 0", "bits was 0, but must be greater than or equal to 1"),
    ("bits: 129", "bits was 129, but must be less than or equal to 128"),
    ("bits: yes", "bits was True, but must be a valid integer"),
    ("bits: '20'", "bits was '20', but must be a valid integer"),
    ("bits: 20.0", "bits was 20.0, but must be a valid integer"),
    ("bits:", "bits was None, but must be a valid integer"),
    ("magnitude: 9", "magnitude was 9, but must be less than or equal to 8"),
    ("magnitude: -1", "magnitude was -1, but must be greater than or equal to 0"),
    ("granularity: 0", 'granularity was 0, but must be "channel", "patch" or a positive number of channels'),
    (
        "granularity: yes",
        'granularity was True, but must be "channel", "patch" or a positive number of channels',
    ),
    ("granularity: pixel", 'granularity was \'pixel\', but must be "channel", "patch" or a positive number'),
    ("granularity: [1]", 'granularity was [1], but must be "channel", "patch" or a positive number'),
    ("projection: gaussian8", "projection was 'gaussian8', but must be 'gaussian' or 'separable'"),
    (
        "{projection: separable, granularity: 4, magnitude: null}",
        'granularity was 4, but must be "patch" where projection is "separable"',
    ),
    (
        "{projection: separable, granularity: patch, magnitude: 0}",
        'magnitude was 0, but must be None where projection is "separable"',
    ),
    ("scope: layer", "scope was 'layer', but must be 'image' or 'batch'"),
    ("entries: 100", "entries was 100, but must be a positive multiple of ways (16) or None"),
    ("entries: 0", "entries was 0, but must be a positive multiple of ways (16) or None"),
    ("entries: -16", "entries was -16, but must be a positive multiple of ways (16) or None"),
    ("entries: '64'", "entries was '64', but must be a valid integer"),
    ("entries: on", "entries was True, but must be a valid integer"),
    ("ways: 0", "ways was 0, but a set has at least 1 way"),
    ("ways: yes", "ways was True, but must be a valid integer"),
    ("ways: 16.0", "ways was 16.0, but must be a valid integer"),
    ("backward: none", "backward was 'none', but must be 'exact' or 'signature'"),
    ("adaptation: {patience: 0}", "patience was 0, but must be"),
    ("seed: -1", "seed was -1, but must be greater than or equal to 0"),
    ("seed: yes", "seed was True, but must be a valid integer"),
    ("seed: 9223372036854775808", "seed was 9223372036854775808, but must be less than 9223372036854775808"),
    (
        "bit: 3",
        "Alike has no key 'bit' (it has: method, bits, granularity, magnitude, projection, scope, entries",
    ),
    ("1: 3", "Alike has no key '1' (it has: method"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD, ids=[text for text, _ in BAD])
def test_a_bad_value_is_named_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"but must|has no key|at least") as error:
        ReuseConfig.from_yaml(text)
    message = str(error.value)
    assert message.startswith(sentence)
    assert "\n" not in message
    assert ". " not in message
    assert "; " not in message


class Holder(BaseModel):
    config: ReuseConfig


@pytest.mark.parametrize("config", [Alike(bits=9), Directions(rank=3)], ids=["alike", "directions"])
def test_a_field_of_another_model_holds_all_of_it(config: ReuseConfig) -> None:
    held = Holder(config=config)
    assert held.model_dump() == {"config": config.model_dump()}
    assert Holder.model_validate(held.model_dump()) == held
    assert Holder.model_validate_json(held.model_dump_json()) == held
    assert pickle.loads(pickle.dumps(held)) == copy.deepcopy(held) == held  # noqa: S301


def test_the_schema_is_that_of_any_method() -> None:
    held = ReuseConfig.model_json_schema()["anyOf"]
    own = [method.model_json_schema() for method in (Alike, Directions, Equal)]
    assert [part["properties"] for part in held] == [schema["properties"] for schema in own]


def test_a_method_has_no_presets_of_another() -> None:
    with pytest.raises(ArgumentError, match=r"^Alike has no preset 'fast', but Directions has$"):
        Alike.fast()
    with pytest.raises(ArgumentError, match=r"^Directions has no preset 'paper', but Alike has$"):
        Directions.paper()


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda: Alike.from_yaml(Directions().to_yaml()), "method was 'directions', but must be 'alike'"),
        (lambda: Alike(rank=3), r"rank was given to Alike, but must be given to Directions \(method: direct"),
        (lambda: ReuseConfig.from_yaml(None), "text was None, but must be YAML text"),  # type: ignore[arg-type]
        (lambda: ReuseConfig.read(None), "path was None, but must be a file's path"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_such_configuration(read: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{sentence}") as refused:
        read()
    assert "; " not in str(refused.value)


def test_two_bad_values_are_both_named() -> None:
    with pytest.raises(ValueError, match=r"^bits was 0, but must .*; seed was -1, but must .* 0$"):
        ReuseConfig(bits=0, seed=-1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- 1", "the ReuseConfig was a list, but must be a YAML mapping"),
        ("20", "the ReuseConfig was a int, but must be a YAML mapping"),
        ("bits: [", "the ReuseConfig is not valid YAML: while parsing"),
    ],
)
def test_text_that_is_no_configuration(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="the ReuseConfig") as error:
        ReuseConfig.from_yaml(text)
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "reuse.yaml"
    with pytest.raises(ValueError, match=r"^the configuration .*reuse\.yaml can't be read: "):
        ReuseConfig.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"^the configuration .*reuse\.yaml is not UTF-8 text "):
        ReuseConfig.read(path)
    path.write_text("bits: 9\ngranularity: 3\n")
    assert ReuseConfig.read(path) == ReuseConfig(bits=9, granularity=3)


def test_frozen() -> None:
    config = ReuseConfig()
    with pytest.raises(ValidationError, match="frozen"):
        config.bits = 21  # type: ignore[misc]
    assert config.bits == 40
