"""How small can a run of scopes be stored? States in 2 bits, zero flags in 1, entry ids in whole bytes."""

import numpy as np
from numpy.typing import NDArray

from mercuric.errors import ArgumentError

_STATES_A_BYTE = 4
_SHIFTS = np.arange(0, 8, 2, dtype=np.uint8)


def pack_states(states: NDArray[np.uint8]) -> bytes:
    """Four states a byte, the first in the lowest two bits."""
    flat = states.ravel()
    padded = np.zeros(-(-flat.size // _STATES_A_BYTE) * _STATES_A_BYTE, dtype=np.uint8)
    padded[: flat.size] = flat
    packed: NDArray[np.uint8] = np.bitwise_or.reduce(padded.reshape(-1, _STATES_A_BYTE) << _SHIFTS, axis=1)
    return packed.tobytes()


def unpack_states(packed: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """What :func:`pack_states` was given.

    Raises:
        ValueError: there are more or fewer bytes than ``shape`` needs.
    """
    count = shape[0] * shape[1]
    _check_size("states", packed, -(-count // _STATES_A_BYTE))
    spread: NDArray[np.uint8] = (np.frombuffer(packed, dtype=np.uint8)[:, None] >> _SHIFTS) & np.uint8(3)
    return spread.ravel()[:count].reshape(shape)


def pack_flags(flags: NDArray[np.bool_]) -> bytes:
    """Eight flags a byte, the first in the lowest bit."""
    return np.packbits(flags, bitorder="little").tobytes()


def unpack_flags(packed: bytes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """What :func:`pack_flags` was given.

    Raises:
        ValueError: there are more or fewer bytes than ``shape`` needs.
    """
    count = shape[0] * shape[1]
    _check_size("zero", packed, -(-count // 8))
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=count, bitorder="little")
    return bits.astype(np.bool_).reshape(shape)


def pack_ids(ids: NDArray[np.int64], lines: int) -> bytes:
    """Little-endian whole numbers of 1, 2 or 4 bytes, whichever ``lines`` needs."""
    return ids.astype(_id_type(lines)).tobytes()


def unpack_ids(packed: bytes, shape: tuple[int, int], lines: int) -> NDArray[np.int64]:
    """What :func:`pack_ids` was given.

    Raises:
        ValueError: there are more or fewer bytes than ``shape`` needs.
    """
    kind = np.dtype(_id_type(lines))
    _check_size("entries", packed, shape[0] * shape[1] * kind.itemsize)
    return np.frombuffer(packed, dtype=kind).astype(np.int64).reshape(shape)


def _id_type(lines: int) -> str:
    return "<u1" if lines <= 1 << 8 else "<u2" if lines <= 1 << 16 else "<u4"


def _check_size(column: str, packed: bytes, expected: int) -> None:
    if len(packed) != expected:
        raise ArgumentError(f"{column} was {len(packed)} bytes, but must be {expected}")
