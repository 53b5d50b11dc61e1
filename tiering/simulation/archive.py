"""The zip around a checkpoint: JSON members and arrays as `PATH.npy`, so numpy.load can show them.

Nothing is pickled. A file appears when it is complete, and whatever is wrong with one is a
CheckpointError that names it.
"""

import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tiering.simulation.freeze import CheckpointError
from tiering.simulation.host import available_bytes
from tiering.simulation.load import ScenarioError

LEVEL = 1  # of deflate: higher ones win little on flags and classes and take much longer
CHUNK_BYTES = 2**24
ENCRYPTED = 1  # flag of a member; zipfile would ask for a password with a RuntimeError
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_HEADER_BYTES = 2**20
_FILE_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError)
_HEADER_DAMAGE = (tokenize.TokenError, SyntaxError)  # numpy tries a bad header as Python 2's
_STATE_DAMAGE = (
    LookupError, TypeError, ValueError, AttributeError, RecursionError, *_HEADER_DAMAGE,
)  # fmt: skip


@contextmanager
def writing(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive that takes its name when the block ends well; raises CheckpointError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def write_array(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    """Add a C- or F-ordered array piece by piece, without a copy of the whole."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        npy.write_array(member, array, allow_pickle=False)


@contextmanager
def reading(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, refused with an estimate if its contents exceed the host's memory.

    What zip, JSON and the state of a damaged or forged file raise becomes a CheckpointError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist())
            yield archive
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except ScenarioError:  # of a new end
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _FILE_DAMAGE as error:
        raise CheckpointError(f"{path}: no checkpoint, damaged or cut short: {error}") from error
    except _STATE_DAMAGE as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if any(member.compress_type != zipfile.ZIP_DEFLATED for member in members):
        raise zipfile.BadZipFile("not compressed by deflate")
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise zipfile.BadZipFile("encrypted")
    needed, available = sum(member.file_size for member in members), available_bytes()
    if available is not None and needed > available:
        raise CheckpointError(
            f"holds a state of {needed / 2**30:.1f} GiB; {available / 2**30:.1f} GiB of host "
            "memory are available"
        )


def read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array, read piece by piece into its own memory; its checksum is verified."""
    member_name = f"{name}.npy"
    with archive.open(member_name) as member:
        header = _HEADERS[npy.read_magic(member)]
        shape, fortran, dtype = header(member, max_header_size=_HEADER_BYTES)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or size > archive.getinfo(member_name).file_size:
            raise ValueError(f"{name}: not an array of its size")
        array: NDArray[Any] = np.empty(shape, dtype, "F" if fortran else "C")
        memory = array.reshape(-1, order="A").view(np.uint8) if size else np.zeros(0, np.uint8)
        done = 0
        while piece := member.read(CHUNK_BYTES):  # up to the end, where the checksum is
            memory[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
    if done != size:
        raise ValueError(f"{name}: {done} bytes instead of {size}")
    return array
