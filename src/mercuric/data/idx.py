"""What does an idx file of bytes hold (the format of MNIST and Fashion-MNIST)?"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mercuric.errors import MercuricError

_UNSIGNED_BYTE = 0x08


@dataclass(frozen=True)
class IdxFile:
    """An idx file as it must be.

    Attributes:
        name: the file's name.
        shape: its dimensions, the number of items first.
    """

    name: str
    shape: tuple[int, ...]

    @property
    def header(self) -> bytes:
        """Two zero bytes, the type, the number of dimensions, and each as a big-endian integer."""
        dimensions = b"".join(size.to_bytes(4, "big") for size in self.shape)
        return bytes([0, 0, _UNSIGNED_BYTE, len(self.shape)]) + dimensions

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.header) + prod(self.shape)


def defect(content: bytes, expected: IdxFile) -> str | None:
    """What is wrong with ``content``, as the end of a sentence; None where nothing is."""
    if len(content) != expected.size:
        return f"had {len(content):,} bytes, but it must have {expected.size:,}"
    header = content[: len(expected.header)]
    if header != expected.header:
        return (
            f"began with {header.hex()}, but it must begin with {expected.header.hex()}, "
            f"the idx header of shape {expected.shape}"
        )
    return None


def read(folder: Path, expected: IdxFile, remedy: str) -> Tensor:
    """The file's bytes as a uint8 tensor of ``expected.shape``.

    Args:
        folder: where the file lies.
        expected: its name and shape.
        remedy: what the user should do where it is missing or damaged, as an imperative.

    Raises:
        MercuricError: the file is missing, cannot be read, or is not what it must be.
    """
    path = folder / expected.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MercuricError(
            f"{path} is missing, but it must have {expected.size:,} bytes; {remedy}"
        ) from None
    except OSError as error:
        raise MercuricError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    wrong = defect(content, expected)
    if wrong:
        raise MercuricError(f"{path} {wrong}; {remedy}")
    values = np.frombuffer(content, np.uint8, offset=len(expected.header))
    return torch.from_numpy(values.copy()).view(expected.shape)
