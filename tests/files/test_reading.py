"""Is every file that anybody may have written read, or refused in one sentence, in little memory?"""

import json
import os
import resource
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mercuric.errors import MalformedError
from mercuric.files.reading import MOST_YAML, parse_json, parse_yaml, read_json, read_text, read_yaml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")
)
BAD_YAML = {
    "aliases": (LAUGHS, "has an alias"),
    "a cycle": ("a: &a [*a]", "has an alias"),
    "depth": ("[" * 20_000, "nested deeper than 50"),
    "blocks": ("\n".join(" " * n + "a:" for n in range(300)), "nested deeper than 50"),
    "a key twice": ("bits: 3\nbits: 4", "the key 'bits' is given twice"),
    "a key twice, as text": ("1: 3\n'1': 4", "the key '1' is given twice"),
    "a merge": ("<<: {a: 1}", "merge key"),
    "a tag": ("a: !!python/object/apply:os.getcwd []", "has a tag"),
    "an empty number": ("a: !!int ''", "has a tag"),
    "a date that is none": ("a: 2001-99-99", "month must be in"),
    "digits": (f"a: {'1' * 5000}", ""),
    "two documents": ("a: 1\n---\nb: 2", "single document"),
    "a list as key": ("? [a]\n: 1", None),
    "control characters": ("a: \x01", "special characters"),
}
BAD_JSON = {
    "depth": ("[" * 100_000, "nested deeper than 50"),
    "some depth": ("[" * 60 + "]" * 60, "nested deeper than 50"),
    "objects": ('{"a":' * 5_000 + "1" + "}" * 5_000, "nested deeper than 50"),
    "a key twice": ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
    "NaN": ('{"a": NaN}', "NaN is no finite number"),
    "infinity": ('{"a": -Infinity}', "no finite number"),
    "a float beyond all": ('{"a": 1e999}', "no finite number"),
    "digits": ("1" * 5000, "not JSON"),
    "nothing": ("", "not JSON"),
}


@given(PLAIN)
def test_what_is_plain_is_read_as_it_was_written(value: object) -> None:
    assert parse_json(json.dumps(value), "it") == value
    assert parse_yaml(yaml.safe_dump(value), "it") == value


@pytest.mark.parametrize(("text", "sentence"), BAD_YAML.values(), ids=BAD_YAML)
def test_yaml_that_is_not_plain_is_refused(text: str, sentence: str | None) -> None:
    if sentence is None:
        assert parse_yaml(text, "it") == {"['a']": 1}
        return
    with pytest.raises(MalformedError, match=f"^it is not valid YAML: .*{sentence}") as caught:
        parse_yaml(text, "it")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(("text", "sentence"), BAD_JSON.values(), ids=BAD_JSON)
def test_json_that_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(MalformedError, match=f"^it is broken: .*{sentence}") as caught:
        parse_json(text, "it")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@given(st.text() | st.text("[]{}:,-&*!?|>'\"%@`#\n \tab01.", max_size=60))
def test_any_text_is_a_value_or_one_sentence(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        try:
            parse(text, "it")
        except MalformedError as error:
            assert str(error).startswith("it ") and "\n" not in str(error)


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, sentence in (
        (tmp_path / "pipe", "is a pipe"),
        (tmp_path, "is a folder"),
        (Path(os.devnull), "is a device"),
        (Path("/dev/zero"), "is a device"),
        (tmp_path / ("x" * 300), "can't be read: File name too long"),
        (tmp_path / "a\0b", "can't be read: embedded null byte"),
    ):
        with pytest.raises(MalformedError, match=sentence):
            read_json(path)


def test_bytes_are_bounded_decoded_and_rid_of_their_mark(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_yaml(path) == {"a": 1}
    path.write_bytes(b"a: \xff")
    with pytest.raises(MalformedError, match="is not UTF-8 text"):
        read_text(path)
    path.write_bytes(b"#" * (MOST_YAML + 1))
    with pytest.raises(MalformedError, match="has more than 262,144 bytes"):
        read_yaml(path)
    with path.open("wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises(MalformedError, match="has more than 67,108,864 bytes"):
        read_json(path)


TRIES = """
import os, sys
from pathlib import Path
from typer.testing import CliRunner
from mercuric.cli.app import app

for place in sorted(Path(sys.argv[1]).iterdir()):
    file = place / "file.yaml"
    for words in (
        ["train", "custom-cnn", "--config", file, "--out", place / "out"],
        ["simulate", "custom-cnn", "--config", file],
        ["simulate", "custom-cnn", "--accelerator", file],
        ["evaluate", "custom-cnn", "--accelerator", file, "--out", place / "out"],
        ["simulate", "--hitmaps", file],
        ["simulate", "--topology", file],
        ["simulate", "custom-cnn", "--scalesim-config", file],
        ["report", place],
    ):
        done = CliRunner().invoke(app, [str(word) for word in words])
        if done.exit_code != 2 or done.stderr.count("\\n") != 1 or not done.stderr.startswith("mercuric: "):
            print(place.name, words, done.exit_code, done.output[-500:], repr(done.exception))
"""


def test_the_command_refuses_any_of_them_in_bounded_memory(tmp_path: Path) -> None:
    texts = (LAUGHS, "[" * 20_000, "bits: 3\nbits: 4", '{"a": NaN}', "- 1")
    contents = [text.encode() for text in texts]
    contents += [bytes(range(256)) * 20, "bits: 3".encode("utf-16")]
    for number, content in enumerate(contents):
        place = tmp_path / f"{number:02}"
        place.mkdir()
        for name in ("file.yaml", "summary.json", "config.yaml", "metrics.jsonl", "layers.csv"):
            (place / name).write_bytes(content)
    pipes = tmp_path / "pipes"
    pipes.mkdir()
    for name in ("file.yaml", "summary.json"):
        os.mkfifo(pipes / name)
    most = 6 << 30  # of addresses, most of which the libraries' code has
    done = subprocess.run(
        [sys.executable, "-c", TRIES, str(tmp_path)], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "", done.stdout
