"""Diagnosis codes of a private table, found by noisy votes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.data.codes.hierarchy import hierarchy_of
from semblance.data.describe import votes
from semblance.data.describe.code_votes import CODES, ballot, speaks_of_diagnoses, vote_of
from semblance.data.describe.votes import CHOICES, describe_by_votes
from semblance.data.raw import Raw
from semblance.privacy.events import Event
from semblance.schema import Column

N = 6000
STRIPPED = ("428", "414", "486", "V57", "250.8", "250.01", "250", "E849")
"""As a spreadsheet leaves them: 250.80 and 250.00 have lost zeros."""


def column(labels: tuple[str, ...], *, name: str = "diag_1", rho: float = 0.01, n: int = N) -> Column:
    codes = np.random.default_rng(0).choice(labels, n)
    frame = pd.DataFrame({name: codes, "ward": "north"})
    spent: list[Event] = []
    found = describe_by_votes(Raw(frame, {}), subject=None, rows=1, rho=rho, spend=lambda _, event: spent.append(event))
    return found[name]


def test_codes_get_all_that_are_published_in_the_spelling_of_the_column() -> None:
    found = column((*STRIPPED * 5, "8"))
    assert found.code_system == "icd9cm"
    assert found.bounds == "declared"
    assert {"8", *STRIPPED} <= set(found.categories)
    assert {"9", "427", "V58", "250.83"} <= set(found.categories), "nobody has these"
    assert not {"008", "250.80", "428.0"} & set(found.categories), "written otherwise than in this column"
    assert 1000 < len(found.categories) < 2000


@pytest.mark.parametrize(
    ("labels", "system", "some", "not_"),
    [
        (("E11.9", "I50.0", "J44.1", "A41"), "icd10", {"E11.9", "I50.0", "J44.1", "A41"}, {"E119"}),
        (("25080", "4280", "V5789", "0088"), "icd9cm", {"25083", "4280", "0088"}, {"250.83", "88"}),
    ],
)
def test_other_systems_and_spellings(labels: tuple[str, ...], system: str, some: set[str], not_: set[str]) -> None:
    found = column(labels)
    assert found.code_system == system
    assert some <= set(found.categories)
    assert not not_ & set(found.categories)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("number_diagnoses", ("1", "2", "9", "16")),
        ("days_since_diagnosis", ("100", "428", "250")),
        ("diagnosis", ("asthma", "stroke")),
        ("diag_1", ("428", "asthma", "250", "stroke")),
        ("lab", ("428", "250", "V57")),
    ],
)
def test_what_is_no_code_is_left_as_it_is(name: str, labels: tuple[str, ...]) -> None:
    found = column(labels, name=name)
    assert not found.code_system
    assert not found.categories


def test_a_row_moves_each_of_two_counts_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sensitivity that is charged: a column of diagnoses casts two votes a row, any other one."""
    seen: list[np.ndarray] = []
    charged: list[Event] = []
    monkeypatch.setattr(votes.mechanisms, "noisy", lambda counts, sigma: seen.append(counts) or counts)
    table = pd.DataFrame({"diag_1": [*STRIPPED, "nonsense", "", "250.83"] * 20, "ward": "north"})
    for frame in (table, pd.concat([table, table.iloc[-1:]], ignore_index=True)):
        describe_by_votes(Raw(frame, {}), subject=None, rows=1, rho=0.5, spend=lambda _, event: charged.append(event))
    assert [len(counts) for counts in seen[:3]] == [len(CHOICES) + len(CODES), len(ballot()), len(CHOICES)]
    assert [int(np.abs(after - before).sum()) for before, after in zip(seen[:3], seen[3:], strict=True)] == [1, 1, 1]
    assert charged[0].rho == pytest.approx(0.5)  # type: ignore[union-attr]


def test_votes_of_single_codes() -> None:
    assert vote_of("250.83") is not None
    assert vote_of("250.83").ended == "icd9cm 250"  # type: ignore[union-attr]
    assert vote_of("428").ended == ""  # type: ignore[union-attr]
    assert [vote_of(text) for text in ("8", "250.99", "v57", "asthma", "", "0")] == [None] * 6
    assert len(set(ballot())) == len(ballot())
    known = hierarchy_of("icd9cm")
    assert known is not None
    assert f"icd9cm {next(iter(known.endings))}" in ballot()


def test_names() -> None:
    assert speaks_of_diagnoses("diag_1")
    assert speaks_of_diagnoses("primary_icd10")
    assert not any(map(speaks_of_diagnoses, ("number_diagnoses", "date_of_diagnosis", "icd_procedure", "ward")))
