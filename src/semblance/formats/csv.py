"""Delimited text: read to the letter, and written the way the source was written."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from semblance.data.dataset import Dataset
from semblance.data.dialect import Dialect, compressor, decode, decompress, encode, sniff
from semblance.data.parse import render
from semblance.data.raw import Raw
from semblance.errors import FormatError

SHOWN_LINES = 3
csv.field_size_limit(2**27)  # the module's own limit is 128 KiB, less than a long clinical note


@dataclass(frozen=True, slots=True)
class Csv:
    """CSV and its cousins: any delimiter, encoding, quoting and line end, plain, gzip or zstd."""

    name: ClassVar[str] = "csv"
    about: ClassVar[str] = "delimited text (comma, semicolon, tab, …), plain or compressed with gzip or zstd"
    suffixes: ClassVar[tuple[str, ...]] = (
        ".csv",
        ".tsv",
        ".txt",
        ".csv.gz",
        ".tsv.gz",
        ".txt.gz",
        ".csv.zst",
        ".tsv.zst",
        ".txt.zst",
    )

    def read(self, path: Path) -> Raw:
        """Every cell as the exact text of the file.

        Raises:
            FormatError: with the line number, when rows have too many or too few cells, a quote is never closed, two
                columns share a name, or the file is empty, not text, or damaged.
            OSError: when the file cannot be opened; `source.read_source` turns it into a sentence.
        """
        content = path.read_bytes()
        plain, compression = decompress(content)
        text, encoding = decode(plain)
        _refuse_hopeless(text, path.name)
        dialect = sniff(text)
        names, frame, lines = read_text(text, dialect, where=path.name)
        frame.columns = pd.Index(names)
        written = {"format": "csv", "encoding": encoding, "compression": compression, **dialect.to_dict()}
        return Raw(frame=frame, dialect=written, fingerprint=hashlib.sha256(content).hexdigest(), lines=lines)

    def write(self, data: Dataset, path: Path) -> None:
        """Write in the dialect of the schema; the compression follows the name of `path` (.gz, .zst or plain)."""
        self.write_blocks([data], path)

    def write_blocks(self, blocks: Iterable[Dataset], path: Path) -> None:
        """`write` tables of one schema below each other; only one at a time is held."""
        packed = compressor({".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower(), "none"))
        ending = b""
        with path.open("wb") as file:
            for number, data in enumerate(blocks):
                marks = dict(data.schema.dialect) if data.schema.dialect.get("format", "csv") == "csv" else {}
                whole = Dialect.from_dict(marks)
                encoding = marks.get("encoding", "utf-8")
                absent = {column.name: set(column.missing) for column in data.schema}
                part = replace(whole, header=whole.header and not number, final_line_end=False)
                text = (whole.line_end if number else "") + write_text(render(data), part, absent=absent)
                file.write(packed.compress(encode(text, encoding, first=not number)))
                ending = encode(whole.line_end, encoding, first=False) if whole.final_line_end else b""
            file.write(packed.compress(ending) + packed.flush())


def _refuse_hopeless(text: str, where: str) -> None:
    if not text.strip("\ufeff \t\r\n"):
        raise FormatError(f"{where} is empty; check that the export finished.")
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise FormatError(f"line {line} of {where} holds a NUL byte; the file is damaged or is not text.")


def read_text(text: str, dialect: Dialect, *, where: str) -> tuple[list[str], pd.DataFrame, tuple[int, ...]]:
    """Column names, a frame of str cells (n_rows, n_columns), and the line on which each row starts."""
    full = text.removeprefix("\ufeff")
    text = full.lstrip("\r\n")
    skipped = len(re.findall(r"\r\n|\n|\r", full[: len(full) - len(text)]))
    try:
        first: list[str] = next(_reader(text, dialect), [])
    except csv.Error:
        raise FormatError(f"line {skipped + 1} of {where}, the header, has a misplaced quote; repair it.") from None
    names = first if dialect.header else [f"column_{i + 1}" for i in range(len(first))]
    if dialect.padding:
        names = [names[0], *(name.removeprefix(" ") for name in names[1:])]
    _refuse_names(names, where)
    try:
        frame = _read_fast(text, dialect, width=len(names))
    except pa.ArrowException:
        frame = None
    n_lines = text.count("\n") if dialect.line_end != "\r" else text.count("\r")
    tidy = frame is not None and n_lines in (len(frame) + dialect.header - 1, len(frame) + dialect.header)
    if frame is not None and tidy:
        start = skipped + 1 + dialect.header
        lines = tuple(range(start, start + len(frame)))
    else:  # a row is malformed or spans lines: the careful reader knows the line of each
        frame, lines = _read_carefully(text, dialect, width=len(names), where=where, skipped=skipped)
    if not len(frame):
        raise FormatError(f"{where} has a header but no rows; check that the export finished.")
    if dialect.padding:
        for position in range(1, len(names)):
            frame[position] = frame[position].str.removeprefix(" ")
    return names, frame, lines


def _refuse_names(names: list[str], where: str) -> None:
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in seen:
            called = f"are both called {name!r}" if name else "have no name"
            raise FormatError(f"columns {seen[name]} and {position} of {where} {called}; give each its own name.")
        seen[name] = position


def _reader(text: str, dialect: Dialect) -> Any:
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=None if dialect.quoting == "none" else dialect.quotechar,
        quoting=csv.QUOTE_NONE if dialect.quoting == "none" else csv.QUOTE_MINIMAL,
        escapechar=dialect.escape or None,
        doublequote=not dialect.escape,
        skipinitialspace=dialect.padding and dialect.quoting != "none",
        strict=True,
    )


def _read_fast(text: str, dialect: Dialect, *, width: int) -> pd.DataFrame:
    """Arrow's reader, which stops at any row of another width. Raises ArrowInvalid."""
    if dialect.padding and dialect.quoting != "none" and dialect.quotechar in text:
        raise pa.ArrowInvalid("quotes after blanks are for the careful reader")
    content = text.encode("utf-8", "surrogatepass")
    keys = [str(i) for i in range(width)]
    quoted = dialect.quoting != "none" and dialect.quotechar in text
    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(
            column_names=keys,
            skip_rows_after_names=int(dialect.header),
            block_size=min(len(content) + 1, 2**30),
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quotechar if quoted else False,
            double_quote=quoted and not dialect.escape,
            escape_char=dialect.escape or False,
            newlines_in_values=quoted,
            ignore_empty_lines=width > 1,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )
    frame: pd.DataFrame = table.to_pandas(deduplicate_objects=True)
    frame.columns = pd.RangeIndex(width)
    return frame.astype(object)


def _read_carefully(
    text: str, dialect: Dialect, *, width: int, where: str, skipped: int
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Python's reader: slower, but it knows the line of every row, so that it can say where the trouble is."""
    reader = _reader(text, dialect)
    rows: list[list[str]] = []
    lines: list[int] = []
    wrong: list[tuple[int, int]] = []
    started = skipped + 1
    try:
        for i, row in enumerate(reader):
            if i == 0 and dialect.header:
                pass
            elif len(row) == width or (width == 1 and not row):
                rows.append(row or [""])
                lines.append(started)
            elif row:
                wrong.append((started, len(row)))
            started = skipped + reader.line_num + 1
    except csv.Error as error:
        what = "a quote that is never closed" if "end of data" in str(error) else "a misplaced quote or escape"
        raise FormatError(f"line {started} of {where} has {what}; repair that row.") from None
    if wrong:
        places = ", ".join(str(line) for line, _ in wrong[:SHOWN_LINES])
        more = f" and {len(wrong) - SHOWN_LINES} more" if len(wrong) > SHOWN_LINES else ""
        raise FormatError(
            f"{where} has rows with another number of cells than its {width} columns, on line {places}{more} "
            f"({wrong[0][1]} cells on the first); repair or remove them."
        )
    return pd.DataFrame(rows, columns=range(width), dtype=object), tuple(lines)


def write_text(cells: pd.DataFrame, dialect: Dialect, *, absent: Mapping[str, Collection[str]] | None = None) -> str:
    """Text cells as a delimited text; spellings of `absent` values are quoted only where they must be."""
    names = [str(name) for name in cells.columns]
    columns = [cells.iloc[:, i].tolist() for i in range(len(names))]
    header, written = names, columns
    gap = f"{dialect.delimiter} " if dialect.padding else dialect.delimiter
    if dialect.quoting == "none" and not dialect.escape:
        _refuse_unquotable(names, columns, dialect)
    else:
        always = set(names) if dialect.quoting == "all" else set(dialect.quoted) & set(names)
        alone = len(names) == 1
        written = [
            _quote(
                column,
                dialect,
                always=name in always,
                blanks=dialect.quoting == "all" or alone,
                bare=(absent or {}).get(name, ()) if dialect.quoting == "columns" else (),
            )
            for name, column in zip(names, columns, strict=True)
        ]
        header = _quote(names, dialect, always=dialect.quoting in ("all", "columns"), blanks=True)
    rows = [gap.join(row) for row in zip(*written, strict=True)]
    text = dialect.line_end.join([gap.join(header), *rows] if dialect.header else rows)
    return text + dialect.line_end if dialect.final_line_end else text


def _refuse_unquotable(names: list[str], columns: list[list[str]], dialect: Dialect) -> None:
    marks = re.compile(f"[{re.escape(dialect.delimiter)}\r\n]")
    for name, column in zip(names, columns, strict=True):
        if any(marks.search(text) for text in {name, *column}):
            raise FormatError(
                f"column {name!r} holds a delimiter or line break, which a file without quotes cannot carry; "
                'set quoting = "minimal" in the dialect.'
            )


def _quote(texts: list[str], dialect: Dialect, *, always: bool, blanks: bool, bare: Collection[str] = ()) -> list[str]:
    """Each text, quoted where it must be (or `always`; an empty one only if `blanks`)."""
    q = dialect.quotechar
    special = re.compile(f"[{re.escape(dialect.delimiter + q + dialect.escape)}\r\n]")
    double = str.maketrans(
        {q: dialect.escape + q, dialect.escape: dialect.escape * 2} if dialect.escape else {q: q * 2}
    )
    spelled: dict[str, str] = {}
    for text in set(texts):
        needed = special.search(text) or (blanks and not text) or (dialect.padding and text.startswith(" "))
        if needed or (always and text and text not in bare):
            spelled[text] = q + text.translate(double) + q
        else:
            spelled[text] = text
    return [spelled[text] for text in texts]
