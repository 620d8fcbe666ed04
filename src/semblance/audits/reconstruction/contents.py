"""What stands in the files of a saved model: strings, numbers, and values that lie next to each other.

JSON, TOML, NumPy archives, safetensors and text are read as what they are; packed files are unpacked; any other file is
read byte by byte. Nothing that is read is ever run. A file whose bytes look like noise (encrypted, or packed in a way
not known here) cannot be looked into, and is counted as sealed: silence about it would be no finding.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray
from pyarrow import compute

Tokens = NDArray[np.uint64]
Floats = NDArray[np.float64]

MISSING = np.uint64(0x9E3779B97F4A7C15)
"""The token of a missing value."""
SHORTEST_COLUMN = 20
LARGEST_RAW = 64_000_000  # bytes of a file of unknown kind
NOISE = 7.5  # bits a byte from which bytes look packed or encrypted
_TENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
_UNPACK = ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ\x00", lzma.decompress))
_SPLIT = re.compile(r"[,;\t|]")
_FIGURES = re.compile(r"[-+0-9.][-+0-9.eE ]*")
_RUN = re.compile(rb"[\x20-\x7e\x80-\xff]{3,}")


def number_tokens(values: Floats) -> Tokens:
    """One number a value, equal for values equal to six decimals: (n,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.round(np.asarray(values, dtype=np.float64), 6) + 0.0
    return np.where(np.isnan(rounded), MISSING, rounded.view(np.uint64))


def tokens(values: Iterable[Any]) -> Tokens:
    """The same for values of any kind: a string that spells a number is that number. (n,)"""
    cells = pd.Series(list(values), dtype=object)
    found = np.full(len(cells), MISSING, dtype=np.uint64)
    present = cells.notna().to_numpy() & (cells != "").to_numpy()
    if not present.any():
        return found
    shown = cells[present]
    as_number = pd.to_numeric(shown, errors="coerce").to_numpy(dtype=np.float64)
    codes, distinct = pd.factorize(shown.astype(str))
    hashed = pd.util.hash_array(np.asarray(distinct, dtype=object), categorize=False)[codes]
    found[present] = np.where(np.isfinite(as_number), number_tokens(as_number), hashed)
    return found


def once(parts: Sequence[Tokens]) -> Tokens:
    """Each token once, in order."""
    ordered = np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.uint64)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered


def among(ordered: Tokens, wanted: Tokens) -> NDArray[np.bool_]:
    """Which of `wanted` are in `ordered`, which is much longer: (n,)."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.asarray(ordered[at] == wanted)


@dataclass
class Contents:
    """All that was found.

    Attributes:
        strings: Whole strings: cells, keys, words of a line.
        sequences: Runs of values in the order in which they stand, as tokens.
        columns: Lists of values, each of which might be a column of a table.
        raw: Files of unknown kind, byte by byte.
        n_bytes, n_packed: Size as it stands, and with repetitions squeezed out.
        n_sealed: Files that could not be looked into.
    """

    strings: set[str] = field(default_factory=set)
    sequences: list[Tokens] = field(default_factory=list)
    columns: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    n_bytes: int = 0
    n_packed: int = 0
    n_sealed: int = 0
    _figures: list[str] = field(default_factory=list)  # lines of numbers, and words of other lines, of all files
    _words: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, *, beside: Sequence[bytes] = ()) -> Contents:
        """Read every file of `folder`, and texts that lie `beside` it."""
        found = cls()
        files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
        for data in (*files, *beside):
            found.n_bytes += len(data)
            found.n_packed += len(zlib.compress(data, 1))
            found.read(data)
        found.strings.update(found._words)
        found.sequences.extend((_numbers_in(found._figures), tokens(found._words)))
        return found

    @cached_property
    def numbers(self) -> Tokens:
        """Tokens of all values, each once, in order."""
        return once(self.sequences)

    def hold(self, wanted: Tokens) -> NDArray[np.bool_]:
        """Which of these tokens stand in the files: (n,)."""
        return among(self.numbers, wanted)

    def read(self, data: bytes) -> None:
        """Look into one file, whatever its name."""
        for magic, unpack in _UNPACK:
            if data.startswith(magic):
                return self._unpack(unpack, data)
        if data.startswith(b"PK\x03\x04"):
            return self._read_archive(data)
        if data.startswith(b"\x93NUMPY"):
            return self._read_array(data)
        if self._read_tensors(data):
            return None
        try:
            return self._read_text(data.decode("utf-8"))
        except UnicodeDecodeError:
            return self._read_raw(data)

    def _unpack(self, unpack: Any, data: bytes) -> None:
        try:
            self.read(unpack(data))
        except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError):
            self.n_sealed += 1

    def _read_archive(self, data: bytes) -> None:
        at = len(self.columns)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    self.strings.add(name.removesuffix(".npy"))
                    self.read(archive.read(name))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, zlib.error):
            self.n_sealed += 1
        self._side_by_side(self.columns[at:])

    def _read_array(self, data: bytes) -> None:
        try:
            self._take_array(np.load(io.BytesIO(data), allow_pickle=False))
        except (ValueError, OSError, EOFError):  # Python objects: their bytes are read, never loaded
            self._read_raw(data)

    def _read_tensors(self, data: bytes) -> bool:
        """safetensors: the length of a JSON header, the header, the numbers."""
        if len(data) < 10 or data[8:9] != b"{":
            return False
        (length,) = struct.unpack("<Q", data[:8])
        try:
            header = json.loads(data[8 : 8 + length])
            body, at = data[8 + length :], len(self.columns)
            for name, tensor in header.items():
                self.strings.add(name)
                if name == "__metadata__":
                    self._walk(tensor)
                    continue
                start, stop = tensor["data_offsets"]
                kind = _TENSORS.get(tensor["dtype"])
                if kind is None:
                    self._read_raw(body[start:stop])
                else:
                    self._take_array(np.frombuffer(body[start:stop], dtype=kind).reshape(tensor["shape"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        self._side_by_side(self.columns[at:])
        return True

    def _take_array(self, array: NDArray[Any]) -> None:
        if array.dtype.kind in "US":
            texts = array.astype(str)
            self.strings.update(np.unique(texts).tolist())
        elif array.dtype.kind not in "biufM":
            return
        if array.dtype.kind == "M":
            array = array.astype("datetime64[us]").astype(np.int64) / 86_400e6
        array = np.atleast_1d(array)
        self._add(array.reshape(-1))
        if array.ndim == 2 and min(array.shape) > 1:
            self._add(array.T.reshape(-1))
            rows, columns = array.shape
            sides = ([*array.T] if columns <= 4_000 else []) + ([*array] if rows <= 4_000 else [])
            self.columns.extend(side for side in sides if len(side) >= SHORTEST_COLUMN)
        elif array.ndim == 1 and len(array) >= SHORTEST_COLUMN:
            self.columns.append(array)

    def _read_text(self, text: str) -> None:
        stripped = text.lstrip("\ufeff \t\r\n")
        at = len(self.columns)
        if stripped[:1] in ("{", "["):
            try:
                self._walk(json.loads(stripped))
                return self._side_by_side(self.columns[at:])
            except (ValueError, RecursionError):
                pass
        try:
            self._walk(tomllib.loads(text))
            return self._side_by_side(self.columns[at:])
        except (tomllib.TOMLDecodeError, RecursionError):
            self._read_lines(text)

    def _read_lines(self, text: str) -> None:
        """Lines of numbers ("name=1 2 3"), cells between separators, or words."""
        for line in text.splitlines():
            value = line.partition("=")[2] or line
            if _FIGURES.fullmatch(value):
                self._figures.append(value)
                continue
            cells = _SPLIT.split(line) if _SPLIT.search(line) else line.split()
            self._words.extend(cell.strip().strip("\"'") for cell in cells)
            self.strings.add(line.strip())

    def _walk(self, node: Any) -> None:
        """Values of nested lists and tables, in the order in which they stand."""
        leaves: list[Any] = []
        self._gather(node, leaves)
        self.strings.update(leaf for leaf in leaves if isinstance(leaf, str))
        self._add(leaves)

    def _gather(self, node: Any, leaves: list[Any]) -> None:
        if isinstance(node, dict):
            self.strings.update(map(str, node))
            for part in node.values():
                self._gather(part, leaves)
        elif isinstance(node, list):
            if len(node) >= SHORTEST_COLUMN:
                self._columns_of(node)
            for part in node:
                self._gather(part, leaves)
        else:
            leaves.append(node if isinstance(node, (str, int, float, type(None))) else str(node))

    def _columns_of(self, rows: list[Any]) -> None:
        """A list of values is a column; a list of equal lists, or of equal tables, is a table of columns."""
        if not any(isinstance(row, (list, dict)) for row in rows):
            self.columns.append(rows)
        elif all(isinstance(row, dict) for row in rows):
            self.columns.extend([row.get(key) for row in rows] for key in rows[0])
        elif all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
            self.columns.extend([*column] for column in zip(*rows, strict=True))

    def _side_by_side(self, columns: list[Any]) -> None:
        """Columns of equal length, kept apart in one file, are read across as the rows of a table."""
        by_length: dict[int, list[Any]] = {}
        for column in columns:
            by_length.setdefault(len(column), []).append(column)
        for same in by_length.values():
            if 1 < len(same) <= 4_000:
                self.sequences.append(np.column_stack([_tokens_of(c) for c in same]).reshape(-1))

    def _read_raw(self, data: bytes) -> None:
        """Printable runs, and numbers at any place and in either order of bytes."""
        if len(data) > LARGEST_RAW or _entropy(data) > NOISE:
            self.n_sealed += 1
            return
        self.raw.append(data)
        for found in _RUN.findall(data):
            text = found.decode("utf-8", errors="ignore").strip()
            self.strings.update((text, *text.split()))
        for kind, width in (("<f8", 8), (">f8", 8), ("<f4", 4)):
            for shift in range(width):
                whole = (len(data) - shift) // width
                if whole > 0:
                    self._add(np.frombuffer(data, dtype=kind, count=whole, offset=shift))

    def _add(self, values: Any) -> None:
        self.sequences.append(_tokens_of(values))


def _tokens_of(values: Any) -> Tokens:
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):
            return number_tokens(values.astype(np.float64))
    return tokens(values)


def _numbers_in(lines: list[str]) -> Tokens:
    """Numbers of lines that hold little else: (n,). Words that are no numbers after all are missing values."""
    words = compute.list_flatten(compute.ascii_split_whitespace(pyarrow.array(lines, pyarrow.large_string())))
    try:
        return number_tokens(words.cast(pyarrow.float64()).to_numpy(zero_copy_only=False))
    except pyarrow.ArrowInvalid:
        return tokens(words.to_pylist())


def _entropy(data: bytes) -> float:
    """Bits a byte; few bytes cannot tell."""
    if len(data) < 4_096:
        return 0.0
    counts = np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256)
    share = counts[counts > 0] / len(data)
    return float(-(share * np.log2(share)).sum())
