"""How a delimited text file is written: found from its bytes, so that the output can be written the same way."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import charset_normalizer
import zstandard

from semblance.errors import FormatError

COMMON = (",", ";", "\t", "|")
RARE = ("^", "~", "\x1f", "\x01", ":", " ")
SAMPLE_LINES = 400
ENCODINGS = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1251", "cp1252", "latin_1")
NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")


def decompress(content: bytes) -> tuple[bytes, str]:
    """The plain bytes and "gzip", "zstd" or "none", told by the first bytes and not by the file's name."""
    try:
        if content[:2] == b"\x1f\x8b":
            return gzip.decompress(content), "gzip"
        if content[:4] == b"\x28\xb5\x2f\xfd":
            with zstandard.ZstdDecompressor().stream_reader(content) as reader:
                return reader.read(), "zstd"
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        raise FormatError("the compressed file is damaged or cut short; copy it again from its source.") from None
    return content, "none"


class Compressor(Protocol):
    """Bytes in, fewer bytes out: `compress` each piece, then `flush` once."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def compressor(compression: str) -> Compressor:
    """For "gzip", "zstd" or "none": the same bytes for the same pieces, no time stamp, no file name."""
    if compression == "gzip":
        return zlib.compressobj(6, zlib.DEFLATED, 31)
    if compression == "zstd":
        made: Compressor = zstandard.ZstdCompressor(level=6).compressobj()
        return made
    return _Plain()


def decode(content: bytes) -> tuple[str, str]:
    """Text and the name of its encoding; "utf-8-sig" and "utf-16" are written with a byte order mark."""
    if content.startswith(b"\xef\xbb\xbf"):
        return _strict(content, "utf-8-sig")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        big = content[:2] == b"\xfe\xff"
        return _strict(content[2:], "utf-16-be" if big else "utf-16-le")[0], "utf-16-be-bom" if big else "utf-16"
    head = content[:4096]
    if len(head) >= 4 and head.count(0) * 3 >= len(head):
        return _strict(content, "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be")
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _guess_encoding(content)


def _strict(content: bytes, encoding: str) -> tuple[str, str]:
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FormatError(
            f"line {line} is not valid {encoding}; save the file again as UTF-8 and check where it was cut."
        ) from None


def _guess_encoding(content: bytes) -> tuple[str, str]:
    lines = [line for line in content.split(b"\n") if not line.isascii()]
    sample = b"\n".join(lines)[:65536]
    for encoding in (*_likely(sample), "cp1252", "latin_1"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise FormatError("the encoding of the file is not known; save it again as UTF-8.")  # latin_1 decodes all bytes


def _likely(sample: bytes) -> list[str]:
    """Encodings to try first, told by how the bytes above 127 stand together; few of them mislead any statistics.

    Western text has them one by one among letters (cp1252). Chinese has them in pairs, both of a pair high
    (GB2312, which gb18030 contains). Everything else is asked of charset-normalizer.
    """
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if sum(len(run) for run in runs if len(run) <= 2) > 0.5 * sum(map(len, runs)) and any(len(r) == 1 for r in runs):
        return []
    paired = [run for run in runs if len(run) % 2 == 0 and all(byte >= 0xA1 for byte in run)]
    common = sum(0xB0 <= byte <= 0xD7 or 0xA1 <= byte <= 0xA3 for run in paired for byte in run[::2])
    chinese = len(paired) >= 0.9 * len(runs) and common >= 0.45 * sum(map(len, paired))
    best = charset_normalizer.from_bytes(sample, cp_isolation=list(ENCODINGS)).best()
    asked = [best.encoding] if best is not None else []
    few = len({run[i : i + 2] for run in paired for i in range(0, len(run), 2)}) < 100
    return ["gb18030", *asked] if chinese and (few or asked != ["euc_kr"]) else asked


def encode(text: str, encoding: str, *, first: bool = True) -> bytes:
    """The inverse of `decode`; a byte order mark only before the `first` piece of a file."""
    codec = {"utf-16": "utf-16-le", "utf-16-be-bom": "utf-16-be", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    mark = {"utf-16": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff", "utf-8-sig": b"\xef\xbb\xbf"}.get(encoding, b"")
    try:
        return (mark if first else b"") + text.encode(codec)
    except UnicodeEncodeError:
        raise FormatError(
            f'a cell cannot be written in the encoding {encoding}; set encoding = "utf-8" in the dialect.'
        ) from None


@dataclass(frozen=True, slots=True)
class Dialect:
    """The marks of a delimited text.

    `quoting` is "minimal", "all", "none", or "columns": then `quoted` lists the columns whose cells are always quoted.
    `padding` is a blank written after each delimiter.
    """

    delimiter: str = ","
    quotechar: str = '"'
    escape: str = ""
    quoting: str = "minimal"
    quoted: tuple[str, ...] = ()
    line_end: str = "\n"
    final_line_end: bool = True
    padding: bool = False
    header: bool = True

    def to_dict(self) -> dict[str, str]:
        """Written with names, because a person may edit it."""
        found = {
            "delimiter": self.delimiter,
            "quotechar": self.quotechar,
            "quoting": self.quoting,
            "line_end": {"\n": "lf", "\r\n": "crlf", "\r": "cr"}[self.line_end],
        }
        if self.escape:
            found["escape"] = self.escape
        if self.quoting == "columns":
            found["quoted"] = json.dumps(self.quoted, ensure_ascii=False)
        for name, value, usual in (
            ("final_line_end", self.final_line_end, True),
            ("padding", self.padding, False),
            ("header", self.header, True),
        ):
            if value is not usual:
                found[name] = "yes" if value else "no"
        return found

    @classmethod
    def from_dict(cls, found: dict[str, str]) -> Dialect:
        """Raises FormatError for a value that nothing can be written with."""
        line_ends = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
        line_end = line_ends.get(found.get("line_end", "lf"))
        delimiter, quotechar = found.get("delimiter", ","), found.get("quotechar", '"')
        if line_end is None or len(delimiter) != 1 or len(quotechar) != 1 or delimiter == quotechar:
            raise FormatError(
                "the dialect needs one character as delimiter, another as quotechar, and lf, crlf or cr as line_end."
            )
        return cls(
            delimiter=delimiter,
            quotechar=quotechar,
            escape=found.get("escape", "")[:1],
            quoting=found.get("quoting", "minimal"),
            quoted=_names(found.get("quoted", "[]")),
            line_end=line_end,
            final_line_end=found.get("final_line_end", "yes") == "yes",
            padding=found.get("padding", "no") == "yes",
            header=found.get("header", "yes") == "yes",
        )


def _names(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, list):
        raise FormatError('the dialect\'s `quoted` must be a list of column names such as ["sex", "ward"].')
    return tuple(str(name) for name in found)


def sniff(text: str) -> Dialect:
    """Delimiter, quotes, line ends and header of a text that has at least one line."""
    ends = Counter(re.findall(r"\r\n|\n|\r", text[:200_000]))
    line_end = ends.most_common(1)[0][0] if ends else "\n"
    sample = _head(text)
    quotechar = _quotechar(sample)
    delimiter, quoting, escape = _delimiter(sample, quotechar)
    records, _ = _records(sample, delimiter, quotechar if quoting else "", escape)
    padding = len(records) > 1 and len(records[0]) > 1 and all(c.startswith(" ") for r in records for c in r[1:])
    style, quoted = _quoting(sample, records, delimiter, quotechar) if quoting else ("none", ())
    return Dialect(
        delimiter=delimiter,
        quotechar=quotechar,
        escape=escape,
        quoting=style,
        quoted=quoted,
        line_end=line_end,
        final_line_end=text.endswith(("\n", "\r")),
        padding=padding,
        header=_has_header(records),
    )


def _head(text: str) -> str:
    """The first lines, whole; a quoted cell may still be cut, which the scoring tolerates."""
    position = 0
    for _ in range(SAMPLE_LINES):
        found = re.compile(r"\r\n|\n|\r").search(text, position)
        if found is None:
            return text
        position = found.end()
        if position > 1_000_000:
            break
    return text[:position]


def _quotechar(sample: str) -> str:
    edge = r"(?:^|[,;\t|])\s?{0}[^{0}\n]*{0}(?=[,;\t|\r\n]|$)"
    double = len(re.findall(edge.format('"'), sample, re.MULTILINE))
    single = len(re.findall(edge.format("'"), sample, re.MULTILINE))
    return "'" if single > 2 and double == 0 and '"' not in sample else '"'


def _records(sample: str, delimiter: str, quotechar: str, escape: str) -> tuple[list[list[str]], bool]:
    """The filled records, and whether every quote stands where a quote may stand."""
    reader = csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=delimiter,
        quotechar=quotechar or None,
        quoting=csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE,
        escapechar=escape or None,
        doublequote=not escape,
        strict=True,
    )
    records: list[list[str]] = []
    try:
        records.extend(record for record in reader if record)
    except csv.Error as error:
        return records, "end of data" in str(error)  # the sample may end inside a cell
    return records, True


def _delimiter(sample: str, quotechar: str) -> tuple[str, bool, str]:
    """The mark that cuts most lines into as many cells as the first line.

    Also whether quotes quote, and the character that takes their meaning away.
    """
    readings = [(quotechar, ""), ("", "")] + ([(quotechar, "\\")] if f"\\{quotechar}" in sample else [])
    best = (0.0, 0, ",", True, "")
    for candidates in (COMMON, RARE):
        for mark in candidates:
            for preference, (quote, escape) in enumerate(readings):
                records, clean = _records(sample, mark, quote, escape)
                width = len(records[0]) if records else 0
                if width < 2 or not clean:
                    continue
                steady = round(sum(len(r) == width for r in records) / len(records), 3) - preference * 1e-4
                if (steady, width) > best[:2]:
                    best = (steady, width, mark, bool(quote), escape)
        if best[0] > 0.5:
            return best[2:]
    # No mark cuts the lines evenly: one column, unless an everyday mark was met in the header.
    if best[1] and best[2] in COMMON:
        return best[2:]
    alone = [(quote, escape) for quote, escape in readings if _records(sample, ",", quote, escape)[1]]
    quote, escape = alone[0] if alone else readings[0]
    return ",", bool(quote), escape


def _quoting(sample: str, records: list[list[str]], delimiter: str, quotechar: str) -> tuple[str, tuple[str, ...]]:
    """Say "minimal", "all", or "columns" with the names of the columns that are quoted whether they need it or not."""
    d, q = re.escape(delimiter), re.escape(quotechar)
    cell = re.compile(rf" ?({q}(?:[^{q}]|{q}{q})*{q}|[^{d}\r\n]*)({d}|\r\n|\n|\r|$)")
    if quotechar not in sample or not records:
        return "minimal", ()
    names, counts, column, first = records[0], Counter[tuple[int, str]](), 0, True
    header_quoted = True
    for match in cell.finditer(sample):
        text, end = match.groups()
        if first:
            header_quoted &= text.startswith(quotechar)
        elif text or end == delimiter or column:
            inner = text[1:-1] if text.startswith(quotechar) else text
            plain = not (set(inner) & {delimiter, quotechar, "\n", "\r"})
            kind = ("quoted" if plain else "needed") if text.startswith(quotechar) else "bare"
            missing = kind == "bare" and text.strip() in ("", "NA", "NULL", "nan", "NaN")
            counts[column, "absent" if missing else kind] += 1
        column, first = (column + 1, first) if end == delimiter else (0, False)
        if match.end() >= len(sample):
            break
    columns = range(len(names))
    always = [c for c in columns if counts[c, "quoted"] and not counts[c, "bare"]]
    if not any(counts[c, kind] for c in columns for kind in ("bare", "absent")) and header_quoted and always:
        return "all", ()
    return ("columns", tuple(names[c] for c in always)) if always else ("minimal", ())


def _has_header(records: list[list[str]]) -> bool:
    """False when the first line looks like the lines below it: numbers where they have numbers."""
    if len(records) < 2:
        return True
    first, body = records[0], records[1:50]
    numeric = [c for c in range(len(first)) if all(NUMBER.fullmatch(r[c]) for r in body if c < len(r) and r[c].strip())]
    numeric = [c for c in numeric if any(c < len(r) and r[c].strip() for r in body)]
    named = [c for c in numeric if not NUMBER.fullmatch(first[c])]
    years = all(re.fullmatch(r"(19|20)\d\d", first[c]) for c in numeric)
    return not numeric or bool(named) or years or len(set(first)) == len(first) == 1
