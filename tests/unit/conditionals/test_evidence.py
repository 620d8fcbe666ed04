"""Every value that comes out meets every condition, as it is written; and nothing that could is left out."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from semblance.conditionals.condition import read_condition
from semblance.conditionals.evidence import Allowed, allow, log_density, present
from semblance.data.cells import Cells, make_cells
from semblance.data.dataset import Dataset, to_scale
from semblance.data.parse import render
from semblance.errors import InputError
from semblance.schema import Column, Schema

COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}


def number_cells(*, decimals: int = 1, seed: int = 0, missing: bool = True) -> Cells:
    """Spikes at 10 and 20 amid an even spread from 0 to 40."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0, 40, 1200).round(decimals)
    values = np.concatenate([spread, np.repeat([10.0, 20.0], 150), [np.nan] * (100 if missing else 0)])
    column = Column("dose", "number", decimals=decimals, low=0, high=40, missing=("NA",))
    return make_cells(pd.Series(values), column, subjects=np.arange(len(values)))


def moment_cells(form: str) -> Cells:
    rng = np.random.default_rng(0)
    stamps = pd.Timestamp("2014-06-01") + pd.to_timedelta(rng.integers(0, 900 * 24 * 60, 800), unit="min")
    kind = "datetime" if "%H" in form else "date"
    values = pd.Series(stamps if kind == "datetime" else stamps.normalize()).astype("datetime64[us]")
    return make_cells(values, Column("seen", kind, date_format=form), subjects=np.arange(800))


def label_cells(kind: str = "category", *, code: str = "") -> Cells:
    labels = ["low"] * 40 + ["mid"] * 50 + ["high"] * 30 + [" odd "] * 20 + ["rare"] * 3 + [None] * 20
    column = Column("grade", kind, categories=("low", "mid", "high", " odd ", "rare"), missing=("?",))  # type: ignore[arg-type]
    return make_cells(pd.Series(labels, dtype=object), column, subjects=np.arange(len(labels)))


def under(cells: Cells, *texts: str) -> Allowed:
    return allow(cells, [read_condition(text, [cells.column.name]) for text in texts])


def drawn(allowed: Allowed, n: int = 400, seed: int = 0) -> pd.Series[Any]:
    """Values by share alone, from every cell that is allowed at all."""
    rng = np.random.default_rng(seed)
    some = np.flatnonzero(allowed.share)
    return allowed.decode(np.concatenate([some, rng.choice(some, n)]).astype(np.int32), rng)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([0, 1, 3]),
    st.lists(st.tuples(st.sampled_from(sorted(COMPARE)), st.floats(-1, 41).map(lambda v: round(v, 2))), max_size=3),
)
def test_numbers_meet_their_conditions_exactly_after_rounding(decimals: int, asked: list[tuple[str, float]]) -> None:
    cells = number_cells(decimals=decimals)
    texts = [f"dose{sign}{value!r}" for sign, value in asked]
    try:
        allowed = under(cells, "dose is present", *texts)
    except InputError:
        grid = np.arange(0, 40 * 10**decimals + 1) / 10**decimals
        met = np.logical_and.reduce([np.ones(len(grid), bool), *(COMPARE[s](grid, v) for s, v in asked)])
        likely = (grid[met] > 0.5) & (grid[met] < 39.5)  # the model's own tails end a little earlier
        assert not likely.any()
        return
    values = drawn(allowed)
    assert values.notna().all()
    for sign, value in asked:
        assert COMPARE[sign](values, value).all()
    assert (values == values.round(decimals)).all()


def test_a_bound_keeps_its_part_of_a_cell_and_its_shape() -> None:
    cells = number_cells(decimals=3)
    allowed = under(cells, "dose>=13.7", "dose<=14.9")
    plain = cells.decode(np.repeat(np.flatnonzero(allowed.share), 40_000).astype(np.int32), np.random.default_rng(1))
    kept = plain[(plain >= 13.7) & (plain <= 14.9)]
    for cell in np.flatnonzero(allowed.share).tolist():
        whole = cells.decode(np.full(40_000, cell, np.int32), np.random.default_rng(2))
        assert allowed.share[cell] == pytest.approx(((whole >= 13.7) & (whole <= 14.9)).mean(), abs=0.02)
    weights = allowed.share / allowed.share.sum()
    codes = np.random.default_rng(3).choice(len(weights), 5000, p=weights).astype(np.int32)
    assert kstest(allowed.decode(codes, np.random.default_rng(4)), kept).pvalue > 1e-3


def test_a_draw_at_the_very_edge_is_not_rounded_across_it() -> None:
    class Lowest:
        def random(self, n: int) -> np.ndarray:
            return np.zeros(n)

    column = Column("dose", "integer")
    nothing = np.empty(0)
    cells = Cells(column, (), np.array([np.nan]), (np.array([0.0, 20.0]),), nothing, np.zeros(1, np.int32), False)
    for bound in range(1, 20):  # 10.5 rounds to 10, 11.5 to 12: every other edge would fall
        edge = under(cells, f"dose>={bound}").decode(np.zeros(1, np.int32), Lowest())  # type: ignore[arg-type]
        assert edge.item() == bound


def test_a_gap_inside_a_cell_is_left_out() -> None:
    cells = number_cells(decimals=2)
    allowed = under(cells, "dose>14", "dose<15", "dose!=14.5", "dose is present")
    values = drawn(allowed, 20_000)
    assert values.between(14.01, 14.99).all()
    assert not (values == 14.5).any()
    assert {14.49, 14.51} <= set(values)


def test_sets_of_numbers_and_missing() -> None:
    cells = number_cells()
    assert set(drawn(under(cells, "dose in 10|20"))) == {10.0, 20.0}
    assert set(drawn(under(cells, "dose=11.5"))) == {11.5}
    values = drawn(under(cells, "dose in 20|"))
    assert set(values.dropna()) == {20.0}
    assert values.isna().any()
    for text in ("dose=", "dose is missing", "dose=NA", "dose = "):
        assert drawn(under(cells, text)).isna().all()
    for text in ("dose!=20", "dose>=0", "dose is present"):
        assert drawn(under(cells, text)).notna().all()


def test_impossible_conditions_are_one_sentence_in_the_users_own_words() -> None:
    for texts in (["dose>=50"], ["dose>20", "dose<20"], ["dose=11.55"], ["dose is missing", "dose>3"]):
        with pytest.raises(InputError, match="'dose'") as caught:
            under(number_cells(), *texts)
        assert texts[0] in str(caught.value)
    with pytest.raises(InputError, match="no value"):
        under(number_cells(missing=False), "dose is missing")
    with pytest.raises(InputError, match="not a number"):
        under(number_cells(), "dose>many")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("seen>=2015-03-01", "2015-03-01 00:00", None),
        ("seen>2015-03-01", "2015-03-02 00:00", None),
        ("seen<=2015-03-01", None, "2015-03-01 23:59"),
        ("seen<2015-03-01", None, "2015-02-28 23:59"),
        ("seen=2015-03-01", "2015-03-01 00:00", "2015-03-01 23:59"),
        ("seen>2015-03-01 12:30", "2015-03-01 12:31", None),
        ("seen<=2015-03-01T12:30:20", None, "2015-03-01 12:30"),
    ],
)
def test_a_day_of_moments_is_the_whole_day_and_minutes_hold_as_written(
    text: str, first: str | None, last: str | None
) -> None:
    allowed = under(moment_cells("%Y-%m-%d %H:%M"), text)
    values = drawn(allowed, 3000)
    schema = Schema((allowed.cells.column,))
    written = pd.to_datetime(render(Dataset(values.to_frame("seen"), schema))["seen"])
    assert (written == values).all()
    assert written.min() >= pd.Timestamp(first or "2014-05-01")
    assert written.max() <= pd.Timestamp(last or "2017-05-01")
    if first and last:  # the whole day comes up, not only its midnight
        assert (written.dt.hour == 0).any()
        assert (written.dt.hour == 23).any()


def test_days_are_read_as_the_column_writes_them_or_as_iso() -> None:
    cells = moment_cells("%d.%m.%Y")
    for text in ("seen<01.03.2015", "seen<2015-03-01"):
        assert drawn(under(cells, text)).max() == pd.Timestamp("2015-02-28")
    assert set(drawn(under(cells, "seen=2015-03-01"))) == {pd.Timestamp("2015-03-01")}
    with pytest.raises(InputError, match="not a date"):
        under(cells, "seen<soon")


def test_labels() -> None:
    cells = label_cells()
    assert set(drawn(under(cells, "grade in low|mid"))) == {"low", "mid"}
    assert set(drawn(under(cells, "grade!=low"))) == {"mid", "high", " odd "}
    assert set(drawn(under(cells, "grade= odd "))) == {" odd "}
    assert set(drawn(under(cells, "grade = low"))) == {"low"}
    assert set(drawn(under(cells, "grade in low|?"))) == {"low", None}
    assert set(drawn(under(cells, "grade!=rare"))) == {"low", "mid", "high", " odd "}
    with pytest.raises(InputError, match="too few patients"):
        under(cells, "grade=rare")
    for text in ("grade=lo", "grade!=lo", "grade in low|lo"):
        with pytest.raises(InputError, match="has no label 'lo'"):
            under(cells, text)
    with pytest.raises(InputError, match="without an order"):
        under(cells, "grade>=mid")


def test_ordered_labels_compare_by_their_meaning() -> None:
    cells = label_cells("ordinal")
    assert set(drawn(under(cells, "grade>=mid"))) == {"mid", "high", " odd "}
    assert set(drawn(under(cells, "grade<rare"))) == {"low", "mid", "high", " odd "}
    assert set(drawn(under(cells, "grade>low", "grade<=mid"))) == {"mid"}
    with pytest.raises(InputError, match="has no label 'top'"):
        under(cells, "grade<top")


def test_present_is_everything_but_the_gap() -> None:
    cells = number_cells()
    some = present(cells)
    assert some is not None
    assert (some.share == np.append(np.ones(cells.n_values), 0.0)).all()
    rng = np.random.default_rng
    codes = np.arange(cells.n_values, dtype=np.int32)
    pd.testing.assert_series_equal(some.decode(codes, rng(0)), cells.decode(codes, rng(0)))
    empty = make_cells(pd.Series([None] * 20, dtype=object), Column("x", "category"), subjects=np.arange(20))
    assert present(empty) is None


def test_the_density_inside_a_cell_sums_to_one_over_what_can_be_written() -> None:
    cells = number_cells(decimals=2)
    grid = np.round(np.arange(-100, 4200) / 100, 2)
    for cell in cells.quantile_cells[:3].tolist():
        density = np.exp(log_density(cells, np.full(len(grid), cell, np.int32), grid))
        assert density.sum() * 0.01 == pytest.approx(1.0)
    spike = int(np.flatnonzero(cells.spikes == 20)[0])
    assert log_density(cells, np.array([spike, cells.n - 1], np.int32), np.array([20.0, np.nan])).tolist() == [0.0, 0.0]
    assert to_scale(cells.decode(np.array([spike], np.int32), np.random.default_rng(0)), cells.column) == [20.0]


def code_cells() -> Cells:
    """Diagnoses of which two are common; eleven patients share a category of rare ones."""
    rare = [f"250.{i}{j}" for i in range(4, 8) for j in range(3)] + ["250.03"]
    labels = ["250.00"] * 60 + ["401.9"] * 60 + rare
    column = Column("diagnosis", "code", categories=tuple(sorted(set(labels))), code_system="ICD-9-CM")
    return make_cells(pd.Series(labels, dtype=object), column, subjects=np.arange(len(labels)))


def test_a_code_from_a_pool_can_be_asked_for_and_asked_away() -> None:
    cells = code_cells()
    assert cells.pools is not None
    assert cells.pools.n == 1
    (pool,) = cells.pools.members
    codes = set(cells.pools.members[pool])
    assert set(drawn(under(cells, "diagnosis=250.40"), 50)) == {"250.40"}
    assert under(cells, "diagnosis=250.40").share[pool] == pytest.approx(1 / len(codes))
    without = under(cells, "diagnosis!=250.40")
    assert without.share[pool] == pytest.approx(1 - 1 / len(codes))
    assert set(drawn(without, 20_000)) == {"250.00", "401.9"} | codes - {"250.40"}
    assert set(drawn(under(cells, "diagnosis in 250.40|401.9"))) == {"250.40", "401.9"}
    with pytest.raises(InputError, match="has no label"):  # the pool's own name is not a code
        under(cells, f"diagnosis={cells.labels[pool]}")
