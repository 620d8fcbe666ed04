"""CSV is read to the letter and written as it was."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semblance.data.describe.infer import infer_schema
from semblance.data.parse import parse
from semblance.errors import FormatError, SemblanceError
from semblance.formats.csv import Csv

ROWS = [["id", "name", "x"], ["1", "Ann", "2.50"], ["2", "Bob, Jr", "3.75"], ["3", "Cy", ""]]


def there_and_back(content: bytes, folder: Path, name: str = "t.csv") -> bytes:
    path = folder / name
    path.write_bytes(content)
    raw = Csv().read(path)
    out = folder / f"out-{name}"
    Csv().write(parse(raw, infer_schema(raw)), out)
    return out.read_bytes()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_marks_survive(tmp_path: Path, delimiter: str, end: str, last: bool) -> None:
    cells = [[f'"{c}"' if delimiter in c else c for c in row] for row in ROWS]
    content = (end.join(delimiter.join(row) for row in cells) + (end if last else "")).encode()
    assert there_and_back(content, tmp_path) == content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_survives(tmp_path: Path, encoding: str) -> None:
    text = "编号,性别,诊断\n1,男,高血压\n2,女,糖尿病\n3,男,高血压\n"
    content = text.encode(encoding)
    assert Csv().read(_write(tmp_path, content)).frame["性别"].tolist() == ["男", "女", "男"]
    assert there_and_back(content, tmp_path) == content


@pytest.mark.parametrize("encoding", ["cp1252", "latin_1"])
def test_a_single_accent_is_western(tmp_path: Path, encoding: str) -> None:
    content = "temp,unit,who\n36.5,°C,café\n37.0,°C,thé\n".encode(encoding)
    assert Csv().read(_write(tmp_path, content)).frame["who"].tolist() == ["café", "thé"]
    assert there_and_back(content, tmp_path) == content


@pytest.mark.parametrize(
    "content",
    [
        b'"a","b","c"\n"1","x","y, z"\n"2","w","v"\n',
        b'"a","b","c"\n1,"x",NA\n2,"w","v"\n3,"w",NA\n',
        b'a,b,c\n1,"x ""quoted""",y\n2,w,v\n',
        b"a, b, c\n1, x, y\n2, w, v\n",
        b"a,b\n1,'x\n2,y'z\n",
        b"v\n1.50\n2.25\n3.75\n",
    ],
    ids=["all quoted", "R style", "inner quotes", "blank after comma", "apostrophes", "one column"],
)
def test_quoting_survives(tmp_path: Path, content: bytes) -> None:
    assert there_and_back(content, tmp_path) == content


def test_compression_follows_the_name(tmp_path: Path) -> None:
    content = b"a,b\n1,x\n2,y\n"
    packed = there_and_back(gzip.compress(content), tmp_path, "t.csv.gz")
    assert gzip.decompress(packed) == content
    assert packed == there_and_back(gzip.compress(content, mtime=1), tmp_path, "t.csv.gz")
    packed = there_and_back(zstandard.compress(content), tmp_path, "t.csv.zst")
    assert zstandard.ZstdDecompressor().stream_reader(packed).read() == content
    assert Csv().read(_write(tmp_path, gzip.compress(content))).dialect["compression"] == "gzip"


def test_lines_of_rows_count_line_breaks_inside_cells(tmp_path: Path) -> None:
    raw = Csv().read(_write(tmp_path, b'a,b\n1,"x\ny"\n\n2,z\n'))
    assert raw.lines == (2, 5)
    assert raw.frame["b"].tolist() == ["x\ny", "z"]


def test_a_file_without_header_gets_names_and_is_written_without(tmp_path: Path) -> None:
    content = b"1,2.5,x\n2,3.5,y\n3,4.5,x\n"
    assert list(Csv().read(_write(tmp_path, content)).frame.columns) == ["column_1", "column_2", "column_3"]
    assert there_and_back(content, tmp_path) == content


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b,a\n1,2,3\n4,5,6\n", "columns 1 and 3"),
        (b"a,b\n1,2\n3\n4,5\n6,7,8\n", "line 3, 5"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "line 3"),
        (b"a,b\n1,2\n3,\x004\n", "line 3 of t.csv holds a NUL"),
        (b"\x1f\x8bnothing", "damaged"),
        (b"\xff\xfea", "utf-16"),
    ],
    ids=["empty", "blank", "no rows", "names", "widths", "quote", "nul", "gzip", "utf-16"],
)
def test_bad_files_say_where(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        Csv().read(_write(tmp_path, content))
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).endswith(".")


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=2, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_cells_are_read_to_the_letter(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    lines = [("key", "left", "right"), *rows]
    text = "\n".join(delimiter.join('"' + c.replace('"', '""') + '"' for c in row) for row in lines) + "\n"
    raw = Csv().read(_write(tmp_path, text.encode(encoding)))
    assert [tuple(row) for row in raw.frame.itertuples(index=False)] == rows
    assert raw.dialect["delimiter"] == delimiter


PIECES = [b"a", b"1", b"2.5", b",", b";", b'"', b"\n", b"\r", b"\t", b"'", b"\\", b"\xe9", b" ", b"-9"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=60),
        st.lists(
            st.sampled_from(
                [b"a", b"1", b"2.5", b",", b";", b'"', b"\n", b"\r", b"\t", b"'", b"\\", b"\xe9", b" ", b"-9"]
            )
        )
        .map(b"".join)
        .map(lambda body: b"x,y\n1,2\n" + body),
    )
)
def test_no_bytes_escape_as_anything_but_our_errors(tmp_path: Path, content: bytes) -> None:
    with contextlib.suppress(SemblanceError):
        raw = Csv().read(_write(tmp_path, content))
        data = parse(raw, infer_schema(raw))
        Csv().write(data, tmp_path / "out.csv")


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content)
    return path
