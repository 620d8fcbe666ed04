"""Forms of surrogates, and the checks behind the content rules."""

from __future__ import annotations

import pytest

from semblance.data.describe.column_words import words
from semblance.data.describe.identifier_content import kind_of, luhn, resident_id
from semblance.data.describe.identifiers import Cells, find, pattern_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patientunitstayid", ("patient", "unit", "stay", "id")),
        ("LastName", ("last", "name")),
        ("num.co", ("num", "co")),
        ("MRN2", ("mrn", "2")),
        ("病历号", ("病历号",)),
        ("platelet", ("platelet",)),
    ],
)
def test_names_are_cut_into_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


def test_check_digits() -> None:
    assert resident_id("11010519491231002X")  # the example of GB 11643-1999
    assert not resident_id("110105194912310021")
    assert not resident_id("11010519491331002X")
    assert luhn("4539 1488 0343 6467")
    assert not luhn("4539 1488 0343 6468")


def test_constant_parts_are_kept_only_when_many_share_them() -> None:
    many = [f"MRN{i:05d}" for i in range(10_000, 10_040)]
    assert pattern_of(many) == "pattern:\\M\\R\\N\\1\\0\\0##"
    assert pattern_of(many[:5]) == "pattern:AAA#####"
    assert pattern_of(["12", "345"]) == "pattern:###"
    assert pattern_of([f"苏A{i}" for i in range(100, 140)]).startswith("pattern:\\苏\\A")


def test_measurements_that_never_repeat_are_not_identifiers() -> None:
    lab = tuple(f"{100 + i * 0.137:.3f}" for i in range(200))
    assert find("x", Cells(lab, 200)) is None
    pressure = tuple(f"{100 + i}/{60 + i}" for i in range(50))
    assert find("bp", Cells(pressure, 50)) is None
    counts = tuple(str(100_003 + 37 * i) for i in range(200))
    assert find("platelet_count", Cells(counts, 200)) is None


def test_flags_about_identifiers_are_not_identifiers() -> None:
    for name in ("phone", "email", "ssn", "address", "姓名"):
        assert find(name, Cells(("0", "1"), 500)) is None
    assert find("account_balance", Cells(tuple(f"{i}.50" for i in range(90)), 90)) is None


def test_running_numbers_are_told_by_their_order() -> None:
    running = tuple(str(i) for i in range(1, 41))
    assert kind_of(running, n=40, increasing=True) == "unique code"
    assert kind_of(running, n=40, increasing=False) is None
