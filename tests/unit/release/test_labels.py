"""Labels that machines read: whole by the words of their specifications, and never silent about what the table is."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from semblance.release.labels import label_table, labels_of
from semblance.release.manifest import sha256_of
from semblance.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("age in years", "integer", unit="years"),
        Column("dose", "number", decimals=1),
        Column("price", "number", decimals=2, decimal_mark=","),
        Column("seen", "date", date_format="%d.%m.%Y"),
        Column("sex", "category", missing=("NA", "")),
        Column("name", "text", handling="surrogate"),
        Column("key", "text", handling="drop"),
    ),
    name="ward",
    dialect={"format": "csv", "delimiter": ";", "encoding": "utf-8-sig"},
)
FACTS = {
    "terms": {"contact": "The data office", "dated": "2026-01-02", "expires": "2027-01-02"},
    "source": {"attribution": "The SUPPORT investigators"},
}
REQUIRED = {"@context", "@type", "conformsTo", "name", "description", "url", "license", "creator", "distribution"}


def labelled(folder: Path, name: str = "synthetic.csv", facts: Any = None) -> dict[str, Any]:
    (folder / name).write_text("age in years;dose;price;seen;sex;name\n61;1.5;2,50;03.04.2020;NA;A. Nobody\n")
    label_table(folder, name, SCHEMA, FACTS if facts is None else facts)
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir() if path.name != name}


def test_croissant_has_what_the_specification_requires(tmp_path: Path) -> None:
    said = labelled(tmp_path)["croissant.json"]
    assert REQUIRED | {"datePublished"} <= set(said)
    assert said["@type"] == "sc:Dataset"
    assert said["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert (said["datePublished"], said["expires"]) == ("2026-01-02", "2027-01-02")
    assert "synthetic" in said["keywords"]
    assert "No row is a record of a real person" in said["description"]
    assert "The SUPPORT investigators" in said["description"]
    (file,) = said["distribution"]
    assert file["@type"] == "cr:FileObject"
    assert file["contentUrl"] == file["@id"] == "synthetic.csv"
    assert file["sha256"] == sha256_of(tmp_path / "synthetic.csv")
    assert file["contentSize"] == f"{(tmp_path / 'synthetic.csv').stat().st_size} B"


def test_croissant_refers_to_nothing_that_it_does_not_define(tmp_path: Path) -> None:
    said = labelled(tmp_path)["croissant.json"]
    defined, used, prefixes = set(), set(), set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if set(node) == {"@id"}:
                used.add(node["@id"])
            elif "@id" in node:
                assert node["@id"] not in defined
                defined.add(node["@id"])
            for key, value in node.items():
                if key in ("@type", "dataType"):
                    prefixes.add(value.split(":")[0])
                if key != "@context":
                    assert key.startswith("@") or ":" in key or key[0].islower()
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(said)
    assert used <= defined
    assert used == {"synthetic.csv"}
    assert prefixes <= set(said["@context"])
    assert all(" " not in name for name in defined)


def test_croissant_names_every_column_of_the_table_and_no_other(tmp_path: Path) -> None:
    (records,) = labelled(tmp_path)["croissant.json"]["recordSet"]
    with (tmp_path / "synthetic.csv").open() as file:
        header = next(csv.reader(file, delimiter=";"))
    assert [f["source"]["extract"]["column"] for f in records["field"]] == header
    kinds = {f["name"]: f["dataType"] for f in records["field"]}
    assert kinds["age in years"] == "sc:Integer"
    assert kinds["dose"] == "sc:Float"
    assert kinds["seen"] == "sc:Date"
    assert kinds["sex"] == kinds["name"] == "sc:Text"


def test_what_nobody_said_is_left_out_and_not_made_up(tmp_path: Path) -> None:
    said = labelled(tmp_path, facts={})["croissant.json"]
    assert set(said) >= REQUIRED
    assert "datePublished" not in said
    assert "expires" not in said
    assert said["creator"]["name"] == "not stated"


def test_a_csv_file_gets_its_label_beside_it(tmp_path: Path) -> None:
    said = labelled(tmp_path)["synthetic.csv-metadata.json"]
    assert said["@context"][0] == "http://www.w3.org/ns/csvw"
    assert said["url"] == "synthetic.csv"
    assert said["dc:type"] == "synthetic"
    assert said["dialect"] == {"delimiter": ";", "encoding": "utf-8", "quoteChar": '"', "header": True}
    columns = {c["titles"]: c for c in said["tableSchema"]["columns"]}
    assert [columns[n]["datatype"] for n in ("age in years", "dose", "price", "sex")] == [
        "integer", "double", "string", "string"
    ]  # fmt: skip
    assert columns["sex"]["null"] == ["NA", ""]
    assert "key" not in columns


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        (None, set()),
        ("synthetic.parquet", {"croissant.json"}),
        ("synthetic.csv", {"croissant.json", "synthetic.csv-metadata.json"}),
    ],
)
def test_the_labels_of_a_table_are_known_by_name(name: str | None, labels: set[str], tmp_path: Path) -> None:
    assert labels_of(name) == labels
    if name is not None:
        assert set(labelled(tmp_path, name)) == labels
