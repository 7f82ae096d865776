import os
import shutil
from pathlib import Path

import pytest
from small_fashion_mnist import contents, expect_small_files, gzipped, write_package

from mercuric import data
from mercuric.data import fashion_mnist
from mercuric.errors import MercuricError

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


class FakeApt:
    """An apt-get on PATH that does what a test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.command = folder / "bin" / "apt-get"
        self.command.parent.mkdir(parents=True)
        monkeypatch.setenv("PATH", f"{self.command.parent}{os.pathsep}{os.environ['PATH']}")

    def does(self, script: str) -> None:
        self.command.write_text(
            f'#!/bin/sh\n[ "$*" = "download {fashion_mnist.PACKAGE}" ] || exit 99\n{script}\n'
        )
        self.command.chmod(0o755)

    def gives(self, files: dict[str, bytes]) -> None:
        self.does(f"cp {write_package(self.folder, files)} ./{fashion_mnist.PACKAGE}_1_all.deb")


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApt:
    expect_small_files(monkeypatch)
    return FakeApt(tmp_path / "apt", monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_files_are_unpacked_and_load(apt: FakeApt, root: Path) -> None:
    apt.gives(gzipped(contents()))
    message = data.fetch("fashion-mnist", root)
    assert str(fashion_mnist.folder(root)) in message
    written = {path.name: path.read_bytes() for path in fashion_mnist.folder(root).iterdir()}
    assert written == contents()
    assert len(data.load("fashion-mnist", root).train) == 70


def test_fetching_mends_a_damaged_file(apt: FakeApt, root: Path) -> None:
    apt.gives(gzipped(contents()))
    data.fetch("fashion-mnist", root)
    (fashion_mnist.folder(root) / "train-images-idx3-ubyte").write_bytes(b"damaged")
    data.fetch("fashion-mnist", root)
    assert len(data.load("fashion-mnist", root).train) == 70


@pytest.mark.parametrize("tool", ["apt-get", "dpkg-deb"])
def test_a_missing_tool_is_named_with_the_other_ways(
    tool: str, apt: FakeApt, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"apt-get": "dpkg-deb", "dpkg-deb": "apt-get"}[tool]
    only = apt.folder / "only"
    only.mkdir()
    (only / other).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(only))
    with pytest.raises(MercuricError, match=f"^{tool} not found.*by hand, or let torchvision") as caught:
        data.fetch("fashion-mnist", root)
    assert caught.value.exit_code == 2
    assert not root.exists()


def test_empty_package_lists_call_for_apt_get_update(apt: FakeApt, root: Path) -> None:
    apt.does(f"echo 'E: Unable to locate package {fashion_mnist.PACKAGE}' >&2; exit 100")
    with pytest.raises(
        MercuricError, match=r"Unable to locate package.*run `apt-get update` as root and retry"
    ):
        data.fetch("fashion-mnist", root)


def test_a_silent_failure_gives_the_exit_status(apt: FakeApt, root: Path) -> None:
    apt.does("exit 7")
    with pytest.raises(MercuricError, match="exit status 7"):
        data.fetch("fashion-mnist", root)


def test_apt_get_that_leaves_nothing_is_an_error(apt: FakeApt, root: Path) -> None:
    apt.does("exit 0")
    with pytest.raises(MercuricError, match="left 0 archives, not 1"):
        data.fetch("fashion-mnist", root)


def test_an_archive_that_is_none_is_an_error(apt: FakeApt, root: Path) -> None:
    apt.does("echo nonsense > broken.deb")
    with pytest.raises(MercuricError, match=r"`dpkg-deb -x broken\.deb root` failed"):
        data.fetch("fashion-mnist", root)


def test_a_file_that_the_package_lacks_is_named(apt: FakeApt, root: Path) -> None:
    files = gzipped(contents())
    del files["t10k-labels-idx1-ubyte.gz"]
    apt.gives(files)
    with pytest.raises(MercuricError, match=r"held no t10k-labels-idx1-ubyte\.gz"):
        data.fetch("fashion-mnist", root)


def test_damaged_contents_never_reach_the_folder(apt: FakeApt, root: Path) -> None:
    files = gzipped(contents())
    files["train-images-idx3-ubyte.gz"] = files["train-images-idx3-ubyte.gz"][:5000]
    apt.gives(files)
    with pytest.raises(MercuricError, match=r"train-images-idx3-ubyte\.gz .* is damaged"):
        data.fetch("fashion-mnist", root)
    assert not root.exists()


def test_other_contents_never_reach_the_folder(apt: FakeApt, root: Path) -> None:
    shortened = dict(contents())
    shortened["t10k-images-idx3-ubyte"] = shortened["t10k-images-idx3-ubyte"][:-784]
    apt.gives(gzipped(shortened))
    with pytest.raises(
        MercuricError, match=r"t10k-images-idx3-ubyte\.gz in .* had 10,208 bytes, but .* 10,992"
    ):
        data.fetch("fashion-mnist", root)
    assert not root.exists()


def test_a_folder_that_cannot_be_written_is_named(apt: FakeApt, root: Path) -> None:
    apt.gives(gzipped(contents()))
    root.write_text("a file where the folder should be")
    with pytest.raises(MercuricError, match=f"cannot be written into {fashion_mnist.folder(root)}") as caught:
        data.fetch("fashion-mnist", root)
    assert caught.value.exit_code == 1
