"""Explaining a column: faithful to what was inferred, useful to a person, silent about patients."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semblance as sb
from semblance import schema_toml
from semblance.data.demo import patients
from semblance.data.describe.infer import QUESTIONS
from semblance.data.frames import from_frame
from semblance.data.parse import parse
from semblance.data.raw import Raw
from semblance.errors import SchemaError
from semblance.explanation.explain import Explanation, explain
from semblance.explanation.reasons import ASKED
from semblance.explanation.words import in_words
from semblance.schema import Schema
from semblance.source import read_source

N = 600
SECRETS = ("Zanzibar fever", "Quux", "zoe.quux@example.org", "hemolysed", "<0.013", "tripped over the cat", "999.25")


def visits() -> pd.DataFrame:
    """Two visits each of 300 people; a column for every question, and one patient's own values in several."""
    rng = np.random.default_rng(1)
    day = np.datetime64("2019-01-01") + rng.integers(0, 700, N)
    dose = [f"{x:.2f}" for x in rng.gamma(2, 3, N)]
    frame = pd.DataFrame(
        {
            "patient_id": [f"K{1000 + i // 2}" for i in range(N)],
            "dob": (np.datetime64("1930-01-01") + rng.integers(0, 25_000, N)).astype(str),
            "admitted": [f"{d:02d}/{m:02d}/2019" for d, m in zip(*rng.integers(1, 13, (2, N)), strict=True)],
            "seen": ["not known" if i % 50 == 0 else str(d) for i, d in enumerate(day)],
            "lab": ["<0.013" if i < 3 else "hemolysed" if i < 15 else x for i, x in enumerate(dose)],
            "dose": [*dose[:-2], "999.25", ""],
            "contact": ["ward" if i % 3 else "home" for i in range(N - 1)] + ["zoe.quux@example.org"],
            "illness": [*rng.choice(["flu", "gout"], N - 12), *["Zanzibar fever"] * 12],  # twelve rows, six patients
            "steps": rng.choice(["3.5", "5.0", "7.5"], N),
            "stage": rng.choice(["Stage I", "Stage II", "Stage III"], N),
            "note": [f"patient number {i} tripped over the cat on day {i % 9} of Quux" for i in range(N)],
            "nothing": [""] * N,
            "died": rng.choice(["yes", "no"], N),
        }
    )
    return frame


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    path = tmp_path_factory.mktemp("visits") / "visits.csv"
    visits().to_csv(path, index=False)
    return read_source(path)


@pytest.fixture(scope="module")
def schema(raw: Raw) -> Schema:
    return sb.describe(raw)


@pytest.fixture(scope="module")
def told(raw: Raw, schema: Schema) -> dict[str, Explanation]:
    return {name: explain(raw, schema, name) for name in schema.names}


def winner(explanation: Explanation) -> str:
    (question,) = [a.question for a in explanation.answers if a.answer == "yes"]
    return next(key for key, asked in ASKED.items() if asked == question)


def test_every_question_has_words() -> None:
    assert list(ASKED) == list(QUESTIONS)


def test_the_first_yes_decides(told: dict[str, Explanation]) -> None:
    expected = {
        "patient_id": "patient", "dob": "identifier", "admitted": "date", "seen": "label", "lab": "label",
        "dose": "number", "contact": "label", "illness": "label", "steps": "number", "stage": "order", "note": "text",
        "nothing": "empty", "died": "boolean",
    }  # fmt: skip
    assert {name: winner(explanation) for name, explanation in told.items()} == expected
    for explanation in told.values():
        answers = [a.answer for a in explanation.answers]
        assert answers == sorted(answers, key=["no", "yes", "not asked"].index)
        assert all(a.because for a in explanation.answers)


def test_it_explains_the_schema_that_was_inferred(told: dict[str, Explanation], schema: Schema) -> None:
    for column in schema:
        assert told[column.name].by_hand == ()
        assert told[column.name].why == column.why
        assert told[column.name].decision.startswith(f"{column.kind}, {column.role},")


def test_the_bundled_patients_hold_no_surprise() -> None:
    raw = read_source(patients())
    schema = sb.describe(raw)
    for name in ("age", "income", "num_co", "dzgroup"):
        assert explain(raw, schema, name).by_hand == ()


def test_no_patient_is_quoted(told: dict[str, Explanation]) -> None:
    table = visits()
    for name, explanation in told.items():
        said = in_words(explanation) + json.dumps(explanation.to_dict(), ensure_ascii=False)
        assert not [secret for secret in SECRETS if secret in said], name
        if name in ("patient_id", "dob", "note", "dose", "lab", "seen"):
            own = table[name].value_counts()
            own = [value for value, rows in own.items() if rows < 11 and len(str(value)) >= 4]
            assert own
            assert not [value for value in own if str(value) in said], name


def test_a_label_of_many_rows_but_few_patients_is_not_told(told: dict[str, Explanation]) -> None:
    assert told["illness"].facts["labels"].startswith('2 held by at least 11 patients: "gout", "flu"') or told[
        "illness"
    ].facts["labels"].startswith('2 held by at least 11 patients: "flu", "gout"')
    assert "1 held by fewer than 11" in told["illness"].facts["labels"]


def test_few_patients_are_not_counted(told: dict[str, Explanation]) -> None:
    assert "fewer than 11 patients without a value" in told["dose"].facts["missing"]
    assert "about 600 rows" in told["dose"].facts["values"]
    assert any("all cells are numbers but those of fewer than 11 patients" in c.lower() for c in told["lab"].changes)
    assert any("fewer than 11 different cells look like an e-mail" in c.lower() for c in told["contact"].changes)


def test_what_came_close_is_said(told: dict[str, Explanation]) -> None:
    assert any("dates written %Y-%m-%d" in change for change in told["seen"].changes)
    assert told["steps"].overrides[0].lines == ('kind = "number"', "decimals = 1", "min_decimals = 1")
    assert told["lab"].overrides[0].lines[0] == 'kind = "number"'
    assert told["admitted"].overrides[0].lines == ('date_format = "%m/%d/%Y"',)


def test_every_override_can_be_written(told: dict[str, Explanation], schema: Schema, raw: Raw) -> None:
    """Each set of lines, put into the schema file in place of the old ones, loads; and the table can still be read."""
    tried = 0
    for name, explanation in told.items():
        for override in explanation.overrides:
            new: dict[str, Any] = tomllib.loads("\n".join(override.lines))
            entries = tomllib.loads(schema_toml.dumps(schema))["column"]
            entries = [{**entry, **new} if entry["name"] == name else entry for entry in entries]
            if new.get("role") in ("subject", "target"):
                entries = [
                    e if e["name"] == name or e.get("role") != new["role"] else {**e, "role": "feature"}
                    for e in entries
                ]
            text = "\n".join("[[column]]\n" + "\n".join(map(_line, entry.items())) for entry in entries)
            edited = schema_toml.loads(text, where="edited")
            assert {key: getattr(edited[name], key) for key in new} == {
                key: tuple(value) if isinstance(value, list) else value for key, value in new.items()
            }
            if "…" not in str(override.lines):
                parse(raw, edited)
                tried += 1
    assert tried > 30


def _line(item: tuple[str, Any]) -> str:
    key, value = item
    return f"{key} = {json.dumps(value, ensure_ascii=False) if isinstance(value, str | list) else value}"


def test_what_a_person_has_set_is_told(raw: Raw, schema: Schema) -> None:
    text = schema_toml.dumps(schema.with_role("died", "target"))
    text = text.replace(
        'name = "dose"\nkind = "number"', 'name = "dose"\nkind = "number"\nunit = "mg"\nbounds = "declared"'
    )
    text = text.replace('bounds = "inferred"\ndecimals = 2', "decimals = 2")
    edited = schema_toml.loads(text, where="edited")
    dose = explain(raw, edited, "dose")
    assert dose.by_hand == ("unit: mg; the table alone suggests nothing",)
    assert dose.facts["bounds"].endswith("declared by a person")
    assert explain(raw, edited, "died").by_hand == ("role: target; the table alone suggests feature",)


def test_rules_and_code_systems_are_told() -> None:
    frame = pd.DataFrame(
        {
            "first": ["250.0", "401.9", "428.0", "V57.1"] * 50,
            "weight": [60, 70] * 100,
            "height": [1.6, 1.7] * 100,
        }
    )
    frame.loc[0, "first"] = "123.4"
    text = schema_toml.dumps(sb.describe(frame)) + '[[rules]]\nmissing = "height"\nunless = \'first == "250.0"\'\n'
    text = text.replace('name = "first"', 'name = "first"\ncode_system = "icd9cm"')
    schema = schema_toml.loads(text, where="edited")
    raw = from_frame(frame)
    first = explain(raw, schema, "first")
    assert first.facts["codes"].startswith("icd9cm: ICD-9-CM")
    assert "1 held by fewer than 11, not told here and pooled" in first.facts["labels"]
    assert first.facts["rules"] == explain(raw, schema, "height").facts["rules"] == str(schema.rules[0])
    assert first.overrides[0].lines == ('code_system = ""',)
    assert "rules" not in explain(raw, schema, "weight").facts
    diagnosis = sb.explain_column(frame.rename(columns={"first": "diagnosis"}), "diagnosis")
    assert 'code_system = "icd9cm"' in [line for override in diagnosis.overrides for line in override.lines]


@pytest.mark.parametrize(
    ("wish", "near"), [("doze", "'dose'"), ("DIED", "'died'"), ("qqqqq", "the columns are 'patient_id'")]
)
def test_an_unknown_column(wish: str, near: str, raw: Raw, schema: Schema) -> None:
    with pytest.raises(SchemaError, match="there is no column") as caught:
        explain(raw, schema, wish)
    assert near in str(caught.value)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_a_table_that_lacks_the_patient_is_refused(schema: Schema) -> None:
    """Without the patient column, rows would be counted instead of patients."""
    with pytest.raises(SchemaError, match="'patient_id'"):
        explain(from_frame(visits().drop(columns="patient_id")), schema, "illness")


def test_typed_tables(tmp_path: Any) -> None:
    frame = pd.DataFrame(
        {"age": [*range(20, 70)] * 4, "flag": [True, False] * 100, "day": pd.date_range("2020-01-01", periods=200)}
    )
    frame["weight"] = [np.nan] * 20 + [60.5 + i % 37 for i in range(180)]
    for name in frame.columns:
        assert sb.explain_column(frame, name).by_hand == ()
    assert "about 20 rows without a value" in sb.explain_column(frame, "weight").facts["missing"]


def test_bounds_count_the_patients_that_a_person_named() -> None:
    """Twelve visits of one patient do not make their extreme a bound that many share."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"who": [0] * 12 + [*range(1, 189)], "weight": [199.5] * 12 + [*np.round(rng.normal(80, 9, 188), 1)]}
    )
    assert sb.describe(frame)["weight"].high == 199.5, "each row taken for a patient"
    assert sb.describe(frame, subject="who")["weight"].high != 199.5
    assert "199.5" not in in_words(sb.explain_column(frame, "weight", subject="who"))


def test_what_names_a_person_is_not_told_however_many_share_it(raw: Raw, schema: Schema) -> None:
    """Twelve patients of one doctor do not make the doctor's name a label."""
    named = schema.with_role("contact", "identifier")
    assert "labels" in explain(raw, schema, "contact").facts
    assert "ward" not in in_words(explain(raw, named, "contact"))


def test_the_table_is_read_with_the_spellings_that_a_person_listed(raw: Raw, schema: Schema) -> None:
    lab = replace(schema["lab"], kind="number", decimals=2, categories=(), missing=("<0.013", "hemolysed"))
    explained = explain(raw, schema.with_column(lab), "lab")
    assert winner(explained) == "number"
    assert [told.split(":")[0] for told in explained.by_hand] == ["low", "high", "missing"]
    assert explained.by_hand[2].startswith("missing: '<0.013', 'hemolysed'; ")
