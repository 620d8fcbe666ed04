from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.conditionals.balance import read_balance, rows_of_each
from semblance.errors import InputError


def labels_of(column: str) -> tuple[str, ...]:
    if column != "ward":
        raise InputError("no such column")
    return ("icu", "high: care", "surgery")


def test_a_column_alone_means_equal_numbers() -> None:
    assert read_balance("ward", labels_of) == ("ward", dict.fromkeys(labels_of("ward"), pytest.approx(1 / 3)))


def test_shares_are_relative() -> None:
    column, shares = read_balance("ward=icu:1, high: care:3", labels_of)
    assert (column, shares) == ("ward", {"icu": 0.25, "high: care": 0.75})


@pytest.mark.parametrize("text", ["ward=", "ward=icu", "ward=ward:1", "ward=icu:0", "ward=icu:-1", "ward=icu:x", "bed"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_balance(text, labels_of)


@given(st.integers(1, 500), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_rows_add_up_and_follow_the_shares(n: int, parts: list[int]) -> None:
    shares = {str(i): part / sum(parts) for i, part in enumerate(parts)}
    rows = rows_of_each(shares, n)
    assert sum(rows.values()) == n
    assert all(abs(rows[label] - share * n) < 1 for label, share in shares.items())
