"""What every format promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from semblance.catalog import FORMATS
from semblance.data.describe.infer import infer_schema
from semblance.data.parse import parse
from semblance.data.raw import Raw
from semblance.errors import FormatError

CELLS = {
    "ward": ["007", "012", "007", "310"],
    "age": ["61", "", "47", "33"],
    "dose": ["1.50", "2.25", "0.75", ""],
    "sex": ["f", "m", "", "f"],
    "seen": ["2020-01-05", "2020-02-29", "", "2021-12-31"],
    "at": ["2020-01-05 10:00:00", "", "2020-02-29 23:59:59", "2021-12-31 00:00:01"],
    "名 字.1": ["甲", "乙", "甲", "乙"],
}


def dataset(form: str):  # type: ignore[no-untyped-def]
    raw = Raw(pd.DataFrame({k: v * 5 for k, v in CELLS.items()}, dtype=object), {"format": form})
    return parse(raw, infer_schema(raw))


@pytest.mark.parametrize("name", sorted(FORMATS))
class TestEveryFormat:
    def test_describes_itself(self, name: str) -> None:
        form = FORMATS[name]()
        assert form.name == name
        assert form.about
        assert all(suffix.startswith(".") for suffix in form.suffixes)

    def test_reads_what_it_wrote(self, name: str, tmp_path: Path) -> None:
        form, data = FORMATS[name](), dataset(name)
        path = tmp_path / f"t{form.suffixes[0]}"
        form.write(data, path)
        raw = form.read(path)
        assert list(raw.frame.columns) == list(data.schema.names)
        back = parse(raw, replace(data.schema, columns=tuple(replace(c, storage="") for c in data.schema)))
        pd.testing.assert_frame_equal(back.frame, data.frame)

    def test_the_same_table_gives_the_same_bytes(self, name: str, tmp_path: Path) -> None:
        form, data = FORMATS[name](), dataset(name)
        form.write(data, tmp_path / f"a{form.suffixes[0]}")
        form.write(data, tmp_path / f"b{form.suffixes[0]}")
        assert (tmp_path / f"a{form.suffixes[0]}").read_bytes() == (tmp_path / f"b{form.suffixes[0]}").read_bytes()

    def test_the_fingerprint_is_of_the_file(self, name: str, tmp_path: Path) -> None:
        form, data = FORMATS[name](), dataset(name)
        path = tmp_path / f"t{form.suffixes[0]}"
        form.write(data, path)
        first = form.read(path).fingerprint
        assert len(first) == 64
        assert first == form.read(path).fingerprint
        form.write(data.take(data.subjects > 0), path)
        assert form.read(path).fingerprint != first

    def test_garbage_is_a_sentence(self, name: str, tmp_path: Path) -> None:
        form = FORMATS[name]()
        path = tmp_path / f"t{form.suffixes[0]}"
        path.write_bytes(b"")
        with pytest.raises(FormatError):
            form.read(path)
