"""Which rows break a rule, told by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.data.dataset import Dataset
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.broken import inspect
from semblance.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("a", "number", decimals=1),
        Column("b", "number", decimals=1),
        Column("c", "number", decimals=1),
        Column("begin", "date"),
        Column("end", "datetime", date_format="%Y-%m-%d %H:%M"),
        Column("sex", "category"),
        Column("ward", "code"),
    )
)
ROWS = pd.DataFrame(
    {
        "a": [1.0, 2.0, 2.0, np.nan, 9.0],
        "b": [2.0, 2.0, np.nan, 1.0, 1.0],
        "c": [3.0, 4.1, 1.0, 2.0, 10.04],
        "begin": pd.to_datetime(["2020-01-02", "2020-01-02", "2020-01-03", None, "2020-01-02"]).astype(
            "datetime64[us]"
        ),
        "end": pd.to_datetime(
            ["2020-01-02 08:00", "2020-01-01 23:59", "2020-01-03 00:00", "2020-01-01 00:00", "2020-02-01 00:00"]
        ).astype("datetime64[us]"),
        "sex": pd.Series(["F", "M", None, None, "F"], dtype=object),
        "ward": pd.Series(["1", "2", "1", None, "2"], dtype=object),
    }
)
DATA = Dataset(ROWS, SCHEMA)


@pytest.mark.parametrize(
    ("rule", "applies", "broken"),
    [
        (Order(("a", "b"), (False,)), [0, 1, 4], [4]),
        (Order(("a", "b"), (True,)), [0, 1, 4], [1, 4]),
        (Order(("a", "b", "c"), (False, False)), [0, 1, 2, 3, 4], [2, 4]),  # the ends count where the middle is missing
        (Order(("begin", "end"), (False,)), [0, 1, 2, 4], [1]),  # the moment is not before its own day
        (Order(("begin", "end"), (True,)), [0, 1, 2, 4], [0, 1, 2]),
        (Order(("end", "begin"), (False,)), [0, 1, 2, 4], [4]),
        (Anchor("begin", ("end",)), [], []),
        (MissingUnless("a", 'sex == "F"'), [1, 2, 3], [1, 2]),
        (Derived("c", "a + b"), [0, 1, 2, 3, 4], [1, 2, 3]),  # an input missing, so should be the sum; .04 is rounding
        (Derived("c", "a + b", tolerance=0.2), [0, 1, 2, 3, 4], [2, 3]),
        (Derived("c", "a + b", tolerance=0.0), [0, 1, 2, 3, 4], [1, 2, 3, 4]),
        (Combination(("sex", "ward")), [0, 1, 2, 4], [4]),
    ],
    ids=str,
)
def test_each_row_by_hand(rule: Rule, applies: list[int], broken: list[int]) -> None:
    found = inspect(DATA, rule, real=[DATA.take(np.arange(4))])
    assert np.flatnonzero(found.applies).tolist() == applies
    assert np.flatnonzero(found.broken).tolist() == broken


def test_a_date_that_is_computed() -> None:
    data = Dataset(ROWS, Schema(SCHEMA.columns, rules=(Derived("begin", "end - 1 / 24"),)))
    assert np.flatnonzero(inspect(data, data.schema.rules[0]).broken).tolist() == [4]
