"""What machines read about a released table: Croissant metadata, and a label beside a CSV file that says "synthetic".

A Parquet file carries the label itself (``formats/parquet.py``). Croissant is the JSON-LD of MLCommons for data sets
(specification 1.1, mlcommons.org/croissant/1.1), the CSV label is CSV on the Web (W3C Recommendation of 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from semblance.evidence import canonical_json
from semblance.release.manifest import sha256_of
from semblance.release.terms import Terms
from semblance.schema import Column, Schema

CROISSANT = "croissant.json"
CSV_LABEL = "-metadata.json"  # CSV on the Web, "locating metadata": the file's own name and this
ABOUT = "Synthetic patients made by Semblance. No row is a record of a real person."
_SPECIFICATION = "http://mlcommons.org/croissant/1.1"
_KINDS = {
    "number": ("sc:Float", "double"),
    "integer": ("sc:Integer", "integer"),
    "date": ("sc:Date", "string"),
    "datetime": ("sc:DateTime", "string"),
}  # labels and texts are text; a date is text to CSV on the Web unless its own format is given
_TERMS = (
    "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract", "field",
    "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "readLines", "recordSet", "references", "regex", "sdVersion", "separator", "source", "subField",
    "transform", "unArchive", "value",
)  # fmt: skip
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "http://schema.org/",
    "sc": "http://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def label_table(folder: Path, name: str, schema: Schema, facts: Mapping[str, Any]) -> None:
    """Write the labels of the table `name` into its folder.

    Args:
        schema: What its columns mean. facts: The provenance of its evidence.
    """
    croissant = _croissant(folder / name, schema, facts)
    (folder / CROISSANT).write_bytes(canonical_json(croissant).encode("utf-8"))
    if name.endswith(".csv"):
        (folder / f"{name}{CSV_LABEL}").write_bytes(canonical_json(_csv_on_the_web(name, schema)).encode("utf-8"))


def labels_of(synthetic: str | None) -> set[str]:
    """Names of the files that `label_table` writes for a table of this name."""
    if synthetic is None:
        return set()
    return {CROISSANT} | ({f"{synthetic}{CSV_LABEL}"} if synthetic.endswith(".csv") else set())


def _croissant(table: Path, schema: Schema, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that the specification requires, but for the day of publication where nobody said it."""
    terms = Terms.from_dict(facts.get("terms"))
    sha256 = sha256_of(table)
    columns = [c for c in schema if c.handling != "drop"]
    source = facts.get("source")
    attribution = str(source.get("attribution") or "") if isinstance(source, Mapping) else ""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _SPECIFICATION,
        "name": f"synthetic-{schema.name}",
        "description": f"{ABOUT} Read card.md for what it may be used for. {attribution}".strip(),
        "url": f"urn:sha256:{sha256}",
        "license": {"@type": "sc:CreativeWork", "name": "Terms of use in card.md", "url": "card.md"},
        "creator": {"@type": "sc:Organization", "name": terms.contact or "not stated"},
        **({"datePublished": terms.dated} if terms.dated else {}),
        **({"expires": terms.expires} if terms.expires else {}),
        "version": "1.0.0",
        "isLiveDataset": False,
        "keywords": ["synthetic", "patients"],
        "rai:dataCollection": "Drawn from a model that was learned from real patients; see card.md.",
        "rai:personalSensitiveInformation": "Learned from health records; see evidence.json.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": table.name,
                "name": table.name,
                "contentUrl": table.name,
                "contentSize": f"{table.stat().st_size} B",
                "encodingFormat": "text/csv" if table.suffix == ".csv" else "application/vnd.apache.parquet",
                "sha256": sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "patients",
                "name": "patients",
                "field": [_field(column, table.name) for column in columns],
            }
        ],
    }


def _field(column: Column, table: str) -> dict[str, Any]:
    unit = f", in {column.unit}" if column.unit else ""
    return {
        "@type": "cr:Field",
        "@id": f"patients/{quote(column.name)}",
        "name": column.name,
        "description": f"{column.kind}{unit}; synthetic",
        "dataType": _KINDS.get(column.kind, ("sc:Text", "string"))[0],
        "source": {"fileObject": {"@id": table}, "extract": {"column": column.name}},
    }


def _csv_on_the_web(name: str, schema: Schema) -> dict[str, Any]:
    dialect = schema.dialect
    columns = [c for c in schema if c.handling != "drop"]
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "@type": "Table",
        "url": name,
        "dc:title": f"synthetic {schema.name}",
        "dc:type": "synthetic",
        "dc:description": ABOUT,
        "dialect": {
            "delimiter": dialect.get("delimiter", ","),
            "encoding": dialect.get("encoding", "utf-8").removesuffix("-sig").removesuffix("-bom"),
            "quoteChar": dialect.get("quotechar", '"'),
            "header": dialect.get("header") != "no",
        },
        "tableSchema": {
            "columns": [{"titles": c.name, "datatype": _datatype(c), "null": list(c.missing) or [""]} for c in columns]
        },
    }


def _datatype(column: Column) -> str:
    plain = column.modelled and column.decimal_mark == "."
    return _KINDS.get(column.kind, ("", "string"))[1] if plain else "string"
