"""How are a Debian package's files had without installing it?"""

import os
import shutil
import subprocess
from pathlib import Path

from mercuric.errors import MercuricError

_TOOLS = ("apt-get", "dpkg-deb")


def unpack(package: str, folder: Path, otherwise: str) -> Path:
    """Download ``package`` with apt-get into ``folder`` and extract it there; nothing is installed.

    Args:
        package: the package's name; apt picks the version.
        folder: an empty folder.
        otherwise: how else the user can get the files, as an imperative.

    Returns:
        The folder that stands for the package's root.

    Raises:
        MercuricError: apt-get or dpkg-deb is missing or fails.
    """
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise MercuricError(
            f"{' and '.join(missing)} not found, so the Debian package {package} cannot be had; {otherwise}"
        )
    _run(["apt-get", "download", package], folder, f"run `apt-get update` as root and retry, or {otherwise}")
    archives = sorted(folder.glob("*.deb"))
    if len(archives) != 1:
        raise MercuricError(f"apt-get download {package} left {len(archives)} archives, not 1; {otherwise}")
    root = folder / "root"
    _run(["dpkg-deb", "-x", archives[0].name, root.name], folder, otherwise)
    return root


def version(folder: Path, otherwise: str) -> str:
    """The version of the package that :func:`unpack` left in ``folder``.

    Raises:
        MercuricError: dpkg-deb fails.
    """
    archive = next(folder.glob("*.deb"))
    return _run(["dpkg-deb", "-f", archive.name, "Version"], folder, otherwise).strip()


def _run(command: list[str], folder: Path, otherwise: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if not line.startswith("W:")]
        reason = " ".join(complaints) or f"exit status {done.returncode}"
        raise MercuricError(f"`{' '.join(command)}` failed ({reason}); {otherwise}")
    return done.stdout
