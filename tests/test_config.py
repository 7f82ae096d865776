from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from mercuric.config import Config


class Small(Config):
    size: Annotated[int, Field(ge=1)] = 3
    kind: Literal["one", "two"] = "one"
    rate: float = 0.5
    names: tuple[str, ...] = ()


class Large(Config):
    name: str
    small: Small = Field(default_factory=Small)


@pytest.mark.parametrize(
    "config",
    [
        Small(),
        Small(size=9, kind="two", rate=1e-30, names=("a", "ä: b")),
        Large(name="x", small=Small(size=2)),
    ],
)
def test_yaml_round_trip(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert type(config).read(path) == type(config).from_yaml(config.to_yaml()) == config


def test_an_empty_text_gives_the_defaults() -> None:
    assert Small.from_yaml("") == Small()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sise: 3", r"Small has no key 'sise' \(it has: size, kind, rate, names\)"),
        ("1: 3", r"Small has no key '1'"),
        ("size: 0", "size was 0, but must be greater than or equal to 1"),
        ("size: many", "size was 'many', but must be a valid integer"),
        ("kind: three", "kind was 'three', but must be 'one' or 'two'"),
        ("rate: .inf", "rate was inf, but must be a finite number"),
        ("rate: .nan", "rate was nan, but must be a finite number"),
        ("rate: null", "rate was None, but must be a valid number"),
        ("names: [1]", "names.0 was 1, but must be a valid string"),
        ("size: 0\nkind: three", "size was 0, .*; kind was 'three'"),
        ("[1, 2]", "the Small was a list, but must be a YAML mapping"),
        ("size: [", "the Small is not valid YAML: while parsing"),
    ],
)
def test_a_bad_value_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence) as caught:
        Small.from_yaml(text)
    assert "\n" not in str(caught.value)
    named = sentence.replace("the Small ", f"the configuration {path} ")
    with pytest.raises(ValueError, match=named if named != sentence else f"{path}: {sentence}"):
        Small.read(path)


def test_a_bad_value_of_an_inner_configuration() -> None:
    with pytest.raises(ValueError, match=r"^size was 0, but must be greater than or equal to 1$"):
        Large.from_yaml("name: x\nsmall: {size: 0}")
    with pytest.raises(ValueError, match="Small has no key '2'"):
        Large.from_yaml("name: x\nsmall: {2: 3}")


def test_a_change_is_checked_and_the_rest_stays() -> None:
    small = Small(size=2)
    changed = small.changed(rate=0.25)
    assert (changed, small) == (Small(size=2, rate=0.25), Small(size=2))
    assert changed.model_fields_set == {"size", "rate"}, "what was left at its default still is"
    for change in (Small.changed, lambda one, **fields: one.model_copy(update=fields)):
        with pytest.raises(ValueError, match="size was 0, but must be greater"):
            change(small, size=0)
        with pytest.raises(ValueError, match="Small has no key 'sise'"):
            change(small, sise=3)


def test_it_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Small().size = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "can't be read: no such file"), (b"\xff\xfe\xfa", "is not UTF-8 text")]
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "c.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"the configuration {path} {sentence}"):
        Small.read(path)


def test_a_key_of_any_name_is_named() -> None:
    with pytest.raises(ValueError, match="Small has no key 'self'"):
        Small.from_yaml("self: 1")


def test_a_long_value_is_cut() -> None:
    with pytest.raises(ValueError, match="size was 'xxx") as caught:
        Small.from_yaml(f"size: {'x' * 10_000}")
    assert len(str(caught.value)) < 400
