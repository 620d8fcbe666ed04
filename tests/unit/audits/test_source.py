"""The audit of the source: a table counted by hand, promises on awkward ones, and that no value gets out."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from semblance.audits.source import Source
from semblance.audits.source.views import QUESTIONS
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.disclosure_risk.words import in_words
from semblance.engines.local import Local
from semblance.evidence import Evidence, Finding, canonical_json
from semblance.privacy.ledger import Ledger
from semblance.release.disclosure import protect
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

QUASI = "quasi-identifier"
COLUMNS = (
    Column(
        "id", "code", role="identifier", handling="surrogate", why="its name and cells say record number; kept apart"
    ),
    Column("note", "text", handling="blank", why="free text; left blank"),
    Column("age", "integer", role=QUASI),
    Column("sex", "category", role=QUASI),
    Column("ward", "category", role=QUASI),
    Column("hiv", "boolean", role="sensitive"),
    Column("died", "boolean", role="target"),
)


def people(n: int, seed: int, columns: tuple[Column, ...] = COLUMNS) -> Dataset:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"Q{seed}-{k}" for k in range(n)],
            "note": [f"Mr Zanzibar {k}" for k in range(n)],
            "age": np.round(rng.normal(60, 15, n)),
            "sex": rng.choice(["woman", "man"], n),
            "ward": rng.choice([f"ward {k}" for k in range(12)], n),
            "hiv": pd.Series(np.where(rng.random(n) < 0.1, "yes", "no"), dtype=object).mask(rng.random(n) < 0.1, None),
            "died": rng.choice(["0", "1"], n),
        }
    )
    return Dataset(frame[[c.name for c in columns]], Schema(columns))


def judged(train: Dataset, held: Dataset | None = None, **how: int) -> dict[str, Finding]:
    nobody = train.take(np.arange(0))
    run = Run(Seeds(3), Ledger(), Local(1), quick=True)
    found = Source(**how).judge(Comparison(train, held or nobody, nobody), run)
    return {f.name: f for f in found}


def by_hand() -> Dataset:
    columns = (COLUMNS[2], COLUMNS[3], COLUMNS[5])
    rows = [(40, "f", "no")] * 3 + [(40, "f", "yes")] + [(50, "m", "no")] * 2 + [(60, "m", "yes"), (70, "f", "no")]
    frame = pd.DataFrame(rows, columns=["age", "sex", "hiv"]).astype({"age": float})
    return Dataset(frame, Schema(columns))


def test_a_table_counted_by_hand() -> None:
    found = judged(by_hand())
    assert found["source.unique.share"].value == pytest.approx(2 / 8)
    assert found["source.k.minimum"].value == 1
    assert found["source.prosecutor.risk"].value == 1
    assert found["source.l.minimum"].value == 1
    # 2 of 8 have it: the woman of 40 (1 of 4), the pair (0 of 2), and the two who are alone
    assert found["source.t.maximum"].value == pytest.approx(0.75)
    assert found["source.homogeneous.share"].value == pytest.approx(4 / 8)
    told = found["source.unique.share"].detail
    assert [(c["name"], c["levels"], c["alone"], c["gain"]) for c in told["columns"]] == [
        ("age", 4, 0.25, 0.25),
        ("sex", 2, 0.0, 0.0),
    ]
    assert told["sets"][0]["classes"] == [
        {"from": 1, "to": 1, "patients_counts": 2, "classes_counts": 2},
        {"from": 2, "to": 2, "patients_counts": 2, "classes_counts": 1},
        {"from": 3, "to": 4, "patients_counts": 4, "classes_counts": 1},
    ]
    assert [s["name"] for s in told["sets"]] == ["all", "few"]  # age says as much as age and sex
    prosecutor = found["source.prosecutor.risk"].detail["sets"][0]
    assert (prosecutor["highest"], prosecutor["average"], prosecutor["above"]) == (1.0, 4 / 8, 1.0)
    (secret,) = found["source.homogeneous.share"].detail["sets"][0]["secrets"]
    assert (secret["homogeneous"], secret["homogeneous_together"]) == (0.5, 0.25)
    unknown = found["source.population_unique.share"]
    assert unknown.status == "underpowered"  # 6 people tell nothing of a population
    assert [(s["name"], s["alpha"], s["populations"]) for s in unknown.detail["sets"]] == [
        ("all", None, []),
        ("few", None, []),
    ]


def test_a_cell_of_eleven_meets_the_threshold_and_ten_do_not() -> None:
    column = Column("ward", "category", role=QUASI)
    frame = pd.DataFrame({"ward": ["a"] * 11 + ["b"] * 10})
    (told,) = judged(Dataset(frame, Schema((column,))))["source.prosecutor.risk"].detail["sets"]
    assert told["above"] == pytest.approx(10 / 21, abs=1e-4)


def test_train_and_holdout_are_one_source_and_the_order_of_rows_is_nothing() -> None:
    whole = people(900, 1)
    mixed = np.random.default_rng(2).permutation(900)
    apart = judged(whole.take(mixed[:600]), whole.take(mixed[600:]))
    together = judged(whole)
    assert canonical_json(Evidence(tuple(apart.values())).to_dict()) == canonical_json(
        Evidence(tuple(together.values())).to_dict()
    )


def test_repeated_rows_of_a_patient_do_not_count_twice() -> None:
    columns = (replace(COLUMNS[0], role="subject"), *COLUMNS[1:])
    once = people(700, 4, columns)
    frame = pd.concat([once.frame] * 3, ignore_index=True)
    thrice = judged(Dataset(frame, once.schema))
    single = judged(once)
    for name, finding in single.items():
        assert thrice[name].value == finding.value, name
        assert thrice[name].n == 700
    assert (
        thrice["source.unique.share"].detail["any_row_share"]
        == single["source.unique.share"].detail["sets"][0]["share"]
    )


def test_a_table_made_anonymous_has_nobody_alone() -> None:
    data = people(1200, 5)
    frame = data.frame.copy()
    frame["age"] = np.where(frame["age"] < 60, 50.0, 70.0)
    frame["ward"] = "any"
    found = judged(Dataset(frame, data.schema))
    assert found["source.unique.share"].value == 0
    assert found["source.k.minimum"].value >= 200
    assert found["source.prosecutor.risk"].high < 1 / 11
    assert found["source.l.minimum"].value == 2
    assert found["source.homogeneous.share"].value == 0
    assert found["source.t.maximum"].value < 0.05
    assert found["source.population_unique.share"].high == 0
    assert found["source.journalist.risk"].high < 1 / 11


def test_a_larger_population_hides_more() -> None:
    data = people(900, 6)
    risks = [judged(data, population=n) for n in (900, 9_000, 90_000)]
    for name in ("source.population_unique.share", "source.journalist.risk", "source.marketer.risk"):
        values = [r[name].value for r in risks]
        assert values[0] > values[1] > values[2], name
        assert risks[1][name].low < values[1] < risks[1][name].high
        assert "in a population of 9000" in risks[1][name].method
    assert risks[0]["source.population_unique.share"].value == risks[0]["source.unique.share"].value
    assert risks[0]["source.journalist.risk"].value == risks[0]["source.prosecutor.risk"].value
    unstated = judged(data)
    for name in ("source.population_unique.share", "source.journalist.risk", "source.marketer.risk"):
        assert unstated[name].value == risks[1][name].value
        assert unstated[name].high == risks[0][name].value
        assert unstated[name].low == risks[2][name].low
        assert "not stated" in unstated[name].method


def test_identifiers_and_free_text_are_named() -> None:
    found = judged(people(60, 7))
    assert found["source.identifiers.count"].value == 1
    assert found["source.identifiers.count"].detail["columns"] == [
        {"name": "id", "why": "its name and cells say record number"}
    ]
    assert found["source.text.count"].detail["columns"] == [{"name": "note", "why": "free text"}]


def awkward() -> dict[str, Dataset]:
    ordinary = people(400, 8)
    plain = tuple(replace(c, role="feature") if c.role in (QUASI, "sensitive", "target") else c for c in COLUMNS)
    empty = ordinary.frame.copy()
    empty[["age", "sex", "hiv"]] = np.nan, None, None
    constant = ordinary.frame.assign(age=5.0, sex="x", ward="y", hiv="no")
    days = Column("day", "date", role=QUASI)
    dated = pd.DataFrame({"day": pd.Series(pd.date_range("2020-01-01", periods=300)).astype("datetime64[us]")})
    return {
        "ordinary": ordinary,
        "no quasi-identifier": people(50, 8, plain),
        "no secret": people(90, 8, (*plain[:2], *COLUMNS[2:5], *plain[5:])),
        "nobody": ordinary.take(np.arange(0)),
        "one": ordinary.take(np.arange(1)),
        "two": ordinary.take(np.arange(2)),
        "missing": Dataset(empty, ordinary.schema),
        "constant": Dataset(constant, ordinary.schema),
        "everyone alone": Dataset(ordinary.frame.assign(age=np.arange(400.0)), ordinary.schema),
        "dates": Dataset(dated, Schema((days,))),
        "pairs": Dataset(pd.concat([dated, dated], ignore_index=True), Schema((days,))),
    }


@pytest.mark.parametrize("case", awkward())
def test_its_promises_on_awkward_tables(case: str) -> None:
    found = judged(awkward()[case])
    assert set(found) == {*QUESTIONS, "source.identifiers.count", "source.text.count"}
    for finding in found.values():
        assert finding.question
        if finding.status == "measured":
            assert finding.method
            assert finding.low <= finding.value <= finding.high
            assert 0 <= finding.value <= (math.inf if finding.unit in ("patients", "values", "columns") else 1)
        else:
            assert finding.why
    evidence = protect(Evidence(tuple(found.values())))
    text = canonical_json(evidence.to_dict())
    assert Evidence.from_dict(json.loads(text)).to_dict() == json.loads(text)
    page = in_words(evidence)
    assert max(map(len, page.splitlines())) <= 110
    for secret in ("Zanzibar", "woman", "ward 1", "yes", "Q8-"):
        assert secret not in page + text
    if case == "no quasi-identifier":
        assert {f.status for name, f in found.items() if name in QUESTIONS} == {"skipped"}
        assert "quasi-identifier" in page


def test_counts_of_patients_stand_under_keys_that_are_protected() -> None:
    found = protect(Evidence(tuple(judged(people(400, 8)).values())))
    numbers = set(range(1, 11))

    def whole(part: object, key: str = "") -> list[tuple[str, int]]:
        if isinstance(part, dict):
            return [hit for k, v in part.items() for hit in whole(v, str(k))]
        if isinstance(part, (list, tuple)):
            return [hit for v in part for hit in whole(v, key)]
        return [(key, part)] if isinstance(part, int) and not isinstance(part, bool) and part in numbers else []

    keys = {key for finding in found for key, _ in whole(asdict(finding)["detail"])}
    assert keys <= {"size", "searched", "bands", "from", "to", "levels", "distinct"}  # sets, bins, different values
