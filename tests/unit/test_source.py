"""Files, folders, patterns and frames all become one Raw, or one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from semblance.errors import FormatError, InputError, Unsupported
from semblance.source import read_source

A, B = "id,x\n1,2.5\n2,3.5\n", "x,id\n4.5,3\n5.5,4\n"


def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(A)
    (tmp_path / "b.csv").write_text(B)
    (tmp_path / "README.txt").write_text("about these files")
    return tmp_path


def test_a_folder_is_one_table_whatever_the_order_of_columns(tmp_path: Path) -> None:
    raw = read_source(folder(tmp_path))
    assert raw.frame["id"].tolist() == ["1", "2", "3", "4"]
    assert raw.frame["x"].tolist() == ["2.5", "3.5", "4.5", "5.5"]
    assert raw.lines == (2, 3, 2, 3)
    assert raw.fingerprint not in {read_source(tmp_path / "a.csv").fingerprint, ""}


def test_a_pattern_picks_files(tmp_path: Path) -> None:
    folder(tmp_path)
    assert len(read_source(str(tmp_path / "*.csv")).frame) == 4
    assert len(read_source(str(tmp_path / "a*.csv")).frame) == 2


def test_the_fingerprint_covers_every_file(tmp_path: Path) -> None:
    before = read_source(folder(tmp_path)).fingerprint
    (tmp_path / "b.csv").write_text(B.replace("5.5", "5.6"))
    assert read_source(tmp_path).fingerprint != before


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "c.csv").write_text("id,y\n1,2\n2,3\n")
    with pytest.raises(InputError, match=r"c\.csv and a\.csv differ in the column"):
        read_source(tmp_path)
    (tmp_path / "c.csv").unlink()
    pd.DataFrame({"id": [1, 2], "x": [1.5, 2.5]}).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match="one format"):
        read_source(tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_source(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="there is no file"):
        read_source(str(tmp_path / "*.csv"))
    with pytest.raises(InputError, match="holds no table"):
        read_source(tmp_path)
    (tmp_path / "a.sas7bdat").write_bytes(b"x")
    with pytest.raises(Unsupported, match="ending"):
        read_source(tmp_path / "a.sas7bdat")
    with pytest.raises(InputError, match="a source is"):
        read_source(42)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    path = folder(tmp_path) / "a.csv"
    path.chmod(0)
    with pytest.raises(InputError, match="permissions"):
        read_source(path)


class Elsewhere:
    """A frame of another library: all it offers is Arrow's stream."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def test_frames_of_any_library_are_the_same_table() -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "s": ["a", "b", None]})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    raws = [read_source(frame), read_source(table), read_source(Elsewhere(table))]
    assert len({raw.fingerprint for raw in raws}) == 1
    assert all(raw.storage == {"x": "double", "s": "string"} for raw in raws)
    changed = read_source(frame.assign(x=[1.5, 2.5, 4.5]))
    assert changed.fingerprint != raws[0].fingerprint


def test_frames_that_no_file_could_hold_are_refused() -> None:
    with pytest.raises(InputError, match="mixes types"):
        read_source(pd.DataFrame({"x": [1, "a", object()]}))
    with pytest.raises(FormatError, match="both called"):
        read_source(pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]))
    with pytest.raises(FormatError, match="no rows"):
        read_source(pd.DataFrame({"x": []}))
