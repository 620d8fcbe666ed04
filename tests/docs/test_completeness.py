"""No option without its line: a new field of a schema or of a generator fails here until it is explained."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from semblance import catalog
from semblance.data import surrogates
from semblance.data.dialect import Dialect
from semblance.errors import SchemaError
from semblance.language.toml import KEYS
from semblance.schema import HANDLINGS, KINDS, ROLES, Column, Schema

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = (DOCS / "schema.md").read_text(encoding="utf-8")
CHAIN = (DOCS / "chain.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \|(.*?)\|(?: (.+?) \|)?$", re.MULTILINE)


def first_cells(page: str) -> set[str]:
    """What stands in backticks in the first cell of any table row."""
    return {word for first, *_ in ROW.findall(page) for word in re.findall(r"`([^`]+)`", first)}


def headed(page: str) -> set[str]:
    return {word for line in page.splitlines() if line.startswith("#") for word in re.findall(r"`([^`]+)`", line)}


def test_every_field_of_a_column_has_a_section() -> None:
    assert {field.name for field in fields(Column)} == headed(SCHEMA) - {"dialect", "rules"}


def test_every_field_of_a_schema_is_a_part_of_the_file() -> None:
    spelled = {"columns": "[[column]]", "name": "table", "dialect": "[dialect]", "rules": "[[rules]]"}
    assert {field.name for field in fields(Schema)} == set(spelled)
    assert set(spelled.values()) <= first_cells(SCHEMA)


def test_every_key_of_a_rule_has_a_row() -> None:
    """The key that names the rule in the first cell, those beside it in the second."""
    page = SCHEMA.split("## `rules`")[1]
    told = {first.strip("`"): tuple(re.findall(r"`(\w+)`", beside)) for first, beside, _ in ROW.findall(page)}
    assert {key: told.get(key) for key in KEYS} == KEYS


@pytest.mark.parametrize("words", [KINDS, ROLES, HANDLINGS], ids=["kinds", "roles", "handlings"])
def test_every_word_of_a_choice_has_a_row(words: tuple[str, ...]) -> None:
    assert set(words) <= first_cells(SCHEMA)


def test_every_form_has_a_row() -> None:
    with pytest.raises(SchemaError) as caught:
        surrogates._maker(Column("x", "code", form="no such form"), ())
    forms = str(caught.value).split("use one of ")[1].rstrip(".").split(", ")
    assert set(forms) - {"pattern:…"} <= first_cells(SCHEMA)
    assert "`pattern:`" in SCHEMA


def test_every_key_of_a_dialect_has_a_row() -> None:
    assert {field.name for field in fields(Dialect)} | {"format", "encoding", "compression"} <= first_cells(SCHEMA)


@pytest.mark.parametrize("name", list(catalog.GENERATORS))
def test_every_parameter_of_a_generator_has_a_row_with_its_default(name: str) -> None:
    """On the page, or the part of the page, that is the generator's own."""
    parts = dict(zip(("chain", "independent"), CHAIN.split("## The floor"), strict=True))
    page = parts.get(name) or (DOCS / f"{name}.md").read_text(encoding="utf-8").split("\n## ")[0]
    told = {first.strip("`"): usual.strip(" `") for first, usual, _ in ROW.findall(page) if first.startswith("`")}
    assert told == {field.name: str(field.default) for field in fields(catalog.GENERATORS[name])}
