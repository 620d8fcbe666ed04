"""The columns of a private table, found by noisy votes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.data.describe import votes
from semblance.data.describe.votes import CHOICES, choice_of, describe_by_votes, event_of, fitting, sigma_of
from semblance.data.raw import Raw
from semblance.errors import InputError
from semblance.privacy.accounting import epsilon_of, renyi_of
from semblance.privacy.events import Event
from semblance.schema import Column, Schema

N = 4000


def table(n: int = N, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 95, n).astype(str),
            "dose": [f"{v:.2f}" for v in rng.uniform(0, 9, n)],
            "treated": rng.choice(["0", "1"], n),
            "ward": rng.choice(["north", "south"], n),
            "admitted": rng.choice(["2024-01-07", "2023-12-30"], n),
            "sodium": np.where(rng.random(n) < 0.3, "NA", "140"),
            "patient_name": "somebody",
        }
    )


def described(frame: pd.DataFrame, *, rho: float = 0.05, subject: str | None = None, rows: int = 1) -> tuple:
    spent: list[tuple[str, Event]] = []
    schema = describe_by_votes(
        Raw(frame, {"format": "csv"}), subject=subject, rows=rows, rho=rho, spend=lambda p, e: spent.append((p, e))
    )
    return schema, spent


def test_kinds_are_found_and_bounds_and_labels_are_not_looked_for() -> None:
    schema, _ = described(table())
    kinds = {c.name: c.kind for c in schema}
    assert kinds == {
        "age": "integer",
        "dose": "number",
        "treated": "boolean",
        "ward": "category",
        "admitted": "date",
        "sodium": "integer",
        "patient_name": "text",
    }
    assert schema["dose"].decimals == 2
    assert schema["sodium"].missing == ("NA",)
    assert schema["patient_name"].handling == "blank"
    assert all(c.low is None and c.high is None for c in schema)
    assert all(not c.categories for c in schema if c.name != "treated")


def test_the_charge_is_what_was_asked_for_and_comes_first() -> None:
    _, spent = described(table(), rho=0.02)
    ((purpose, event),) = spent
    assert purpose == "describe/votes"
    assert renyi_of(event, 8.0) == pytest.approx(8 * 0.02)
    assert epsilon_of(event, 1e-6).pld is None, "what follows depends on the votes, which only Renyi accounts allow"
    several = event_of(sigma_of(0.02, 5, rows=3), 5, 3)
    assert renyi_of(several, 8.0) == pytest.approx(8 * 0.02)

    def refuse(purpose: str, event: Event) -> None:
        raise RuntimeError("not granted")

    with pytest.raises(RuntimeError, match="not granted"):
        describe_by_votes(Raw(table(), {}), subject=None, rows=1, rho=0.02, spend=refuse)


def test_a_column_whose_votes_drown_is_left_blank_and_the_rest_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget is spent by then, so it buys what it can."""
    monkeypatch.setattr(votes.mechanisms, "noisy", lambda counts, sigma: counts)
    scattered = table().assign(dose=[f"{v % 9}.{'7' * (1 + v % 6)}" for v in range(N)])
    schema, _ = described(scattered, rho=0.0001)
    assert schema["dose"].handling == "blank"
    assert "declare it" in schema["dose"].why
    assert schema["age"].kind == "integer"


def test_too_few_patients_for_any_column_are_asked_for_a_schema() -> None:
    with pytest.raises(InputError, match="write a schema"):
        described(table(40), rho=0.002)


def test_of_a_schema_only_what_a_person_declared_is_believed() -> None:
    """What `describe` read off the patients is found again by votes, and only that is charged."""
    read = Schema(
        (
            Column("age", "integer", low=18, high=94, bounds="declared", missing=("-1",)),
            Column("dose", "number", decimals=6, unit="mg", role="sensitive", missing=("nobody else writes so",)),
            Column("ward", "category", handling="blank"),
        )
    )
    spent: list[Event] = []
    raw = Raw(table()[["age", "dose", "ward"]], {})
    asked = {"subject": None, "rows": 1, "rho": 0.05}
    found = describe_by_votes(raw, **asked, spend=lambda _, e: spent.append(e), known=read)
    assert (found["age"], found["ward"]) == (read["age"], read["ward"])
    dose = found["dose"]
    assert (dose.decimals, dose.missing, dose.unit, dose.role) == (2, ("",), "mg", "sensitive")
    assert spent == [event_of(sigma_of(0.05, 1, 1), 1, 1)], "one column voted"
    all_declared = replace(read, columns=(read["age"], read["ward"]))
    assert describe_by_votes(raw, **asked, spend=lambda *_: pytest.fail("charged"), known=all_declared) is all_declared


def test_a_column_whose_name_identifies_costs_nothing_and_is_not_read() -> None:
    frame = table().drop(columns=["patient_name"])
    _, without = described(frame)
    _, with_name = described(table())
    assert without == with_name


def test_each_row_moves_one_count_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What sensitivity is claimed: with the noise taken away, one more patient changes one count, by one."""
    seen: list[np.ndarray] = []

    def exact(counts: np.ndarray, sigma: float) -> np.ndarray:
        seen.append(counts)
        return counts

    monkeypatch.setattr(votes.mechanisms, "noisy", exact)
    described(table())
    described(pd.concat([table(), table(1, seed=9).assign(ward="a label of nobody else")], ignore_index=True))
    half = len(seen) // 2
    for before, after in zip(seen[:half], seen[half:], strict=True):
        assert np.abs(after - before).sum() == 1
        assert len(before) == len(CHOICES)


def test_a_patient_with_many_rows_votes_as_often_as_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(votes.mechanisms, "noisy", lambda counts, sigma: seen.append(int(counts.sum())) or counts)
    frame = table(600)[["age", "ward"]].assign(patient_id=["P0"] * 500 + [f"P{i}" for i in range(1, 101)])
    described(frame, subject="patient_id", rows=2)
    assert seen == [102, 102]


def test_neighbours_get_the_same_schema_unless_noise_says_otherwise() -> None:
    """A patient alone with a rare label, a stray text among numbers, many decimals: none of it shows."""
    odd = table(1).assign(ward="unheard of", age="ninety", dose="1.234567", sodium="?")
    schema, _ = described(table())
    other, _ = described(pd.concat([table(), odd], ignore_index=True))
    assert other == schema


def test_too_few_patients_are_told_to_be_described_by_a_person() -> None:
    with pytest.raises(InputError, match="schema"):
        described(table(60), rho=0.001)


def test_cells_that_do_not_fit_are_read_as_missing_each_by_itself() -> None:
    schema, _ = described(table())
    frame = table(5).assign(age=["41", "forty", "", "1.5", "7"], admitted=["2024-01-07", "soon", "", "1/2/3", "x"])
    clean = fitting(Raw(frame, {}), schema).frame
    assert clean["age"].tolist() == ["41", "", "", "", "7"]
    assert clean["admitted"].tolist() == ["2024-01-07", "", "", "", ""]
    assert clean["ward"].equals(frame["ward"])
    assert fitting(Raw(frame.assign(treated="2"), {}), schema).frame["treated"].tolist() == [""] * 5


def test_a_count_that_is_mostly_nought_or_one_is_no_flag() -> None:
    frame = table()[["ward"]].assign(emergencies=["0"] * 3800 + ["1"] * 100 + ["2"] * 60 + ["11"] * 40)
    schema, _ = described(frame)
    assert schema["emergencies"].kind == "integer"


@pytest.mark.parametrize(
    ("text", "choice"),
    [("", "missing "), ("?", "missing ?"), ("0", "bit"), ("-12", "whole"), ("007", "label"), ("1.50", "decimals 2"),
     ("2024-02-29", "date %Y-%m-%d"), ("2024-02-30", "label"), ("1e5", "label"), ("F", "label")],
)  # fmt: skip
def test_what_a_cell_votes_for(text: str, choice: str) -> None:
    assert choice_of(text) == choice


def test_the_noise_is_there() -> None:
    """Two describings of one table differ in their counts by about sigma: the noise is drawn, and drawn anew."""
    sigma = 40.0
    counts = [votes._count(np.zeros(300, np.int64), ["label"], CHOICES, sigma) for _ in range(2)]
    gaps = [counts[0][c] - counts[1][c] for c in CHOICES]
    assert 0.5 < np.std(gaps) / (sigma * math.sqrt(2)) < 1.6
