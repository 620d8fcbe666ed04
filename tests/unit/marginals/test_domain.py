from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.data.codes.hierarchy import hierarchy_of
from semblance.data.dataset import Dataset
from semblance.marginals.budget import Budget
from semblance.marginals.compress import learn_compression
from semblance.marginals.curator import rho_of
from semblance.marginals.domain import Search, _joined, encode, find_cells, looks_of, stable_threshold, undeclared_of
from semblance.marginals.estimate import Measurement
from semblance.marginals.patients import cap_rows
from semblance.marginals.scale import Ruler
from semblance.privacy.events import Event, to_json
from semblance.schema import Column, Schema

SEARCH = Search(sigma=5.0, label_sigma=4.0, most=1, delta=1e-6, cells=16)


def table(columns: tuple[Column, ...], **values: object) -> Dataset:
    kinds = {c.name: "float64" if c.numeric else "object" for c in columns}
    frame = pd.DataFrame({c.name: pd.Series(values[c.name.replace(" ", "_")], dtype=kinds[c.name]) for c in columns})
    return Dataset(frame, Schema(columns))


def cells_of(data: Dataset, search: Search = SEARCH):
    return find_cells(data, search, lambda purpose, event: None)


DECLARED = [
    Column("age", "integer", low=0, high=120, bounds="declared"),
    Column("dose", "number", low=-5.0, high=1e6, decimals=2, bounds="declared"),
    Column("day", "date", low=17_000.0, high=18_000.0, bounds="declared"),
    Column("second", "datetime", low=0.0, high=2e9, bounds="declared"),
    Column("fixed", "number", low=2.5, high=2.5, decimals=1, bounds="declared"),
    Column("free", "number", decimals=3),
    Column("count", "integer"),
]


@pytest.mark.parametrize("column", DECLARED, ids=lambda c: c.name)
def test_a_ruler_covers_its_range_without_gaps_or_overlaps(column: Column) -> None:
    ruler = Ruler.of(column)
    rng = np.random.default_rng(1)
    low = -1e6 if column.low is None else column.low
    high = 1e6 if column.high is None else column.high
    values = np.concatenate([rng.uniform(low, high, 500), rng.uniform(max(low, -3), min(high, max(low, 3)), 500)])
    values = np.clip(np.round(values / ruler.step) * ruler.step, low, high)
    at = ruler.positions(values)
    assert at.min() >= 0
    assert at.max() < 2**ruler.depth
    for value, place in zip(values[:200], at[:200], strict=True):
        first, last = ruler.ends(int(place), int(place) + 1)
        assert first - ruler.step / 2 <= value <= last + ruler.step / 2
    order = np.argsort(values)
    assert (np.diff(at[order]) >= 0).all()
    cut = 2 ** (ruler.depth - 1)
    if ruler.depth:
        assert ruler.ends(0, cut)[1] < ruler.ends(cut, 2**ruler.depth)[0] + ruler.step / 2


def test_numbers_are_cut_where_the_rows_are_and_shared_values_stay_themselves() -> None:
    rng = np.random.default_rng(2)
    gain = np.where(rng.random(20_000) < 0.9, 0, np.round(rng.lognormal(8, 1, 20_000)))
    data = table((Column("gain", "integer", low=0, high=99_999, bounds="declared"),), gain=np.minimum(gain, 99_999))
    (cells,) = cells_of(data)
    assert cells.spikes[0] == 0.0
    assert np.isnan(cells.spikes[1:]).sum() >= 5
    codes, sizes = encode(data, [cells])
    counts = np.bincount(codes[:, 0], minlength=sizes[0])
    assert counts[0] > 17_000
    assert counts[1:].max() < 1500
    assert counts[-2:].sum() == 0, "no value is missing or unknown here"
    drawn = cells.decode(codes[:, 0], rng)
    assert np.array_equal(cells.encode(drawn), codes[:, 0])


def test_sizes_without_declared_bounds_are_found() -> None:
    rng = np.random.default_rng(3)
    data = table((Column("x", "number", decimals=3, low=1.0, high=2.0),), x=np.round(rng.normal(-400, 25, 20_000), 3))
    (cells,) = cells_of(data)
    codes, _ = encode(data, [cells])
    drawn = cells.decode(codes[:, 0], rng).to_numpy()
    assert np.quantile(np.abs(drawn - data.frame["x"]), 0.9) < 60
    assert cells.column.low is None
    assert cells.column.high is None


def test_cells_without_bounds_neither_overlap_nor_reach_into_the_void() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([np.round(rng.uniform(-30, 90, 20_000)), np.full(200, 5000.0)])
    (cells,) = cells_of(table((Column("x", "integer"),), x=values))
    ends = np.array([(k[0], k[-1]) for k in cells.knots])
    assert (ends[1:, 0] > ends[:-1, 1]).all()
    codes, _ = encode(table((Column("x", "integer"),), x=values), [cells])
    drawn = cells.decode(codes[:, 0], rng).to_numpy()
    assert drawn.max() < 16_384
    assert np.array_equal(drawn < 0, values < 0)


def test_cells_do_not_depend_on_bounds_read_off_the_data() -> None:
    rulers = {Ruler.of(Column("x", "number", low=low, high=9.0, decimals=1)) for low in (0.0, 3.5)}
    assert len(rulers) == 1


def test_declared_labels_are_cells_whether_they_occur_or_not() -> None:
    column = Column("sex", "category", categories=("F", "M", "X"), bounds="declared")
    (cells,) = cells_of(table((column,), sex=["F"] * 50 + ["U"] * 3 + [None] * 7))
    assert cells.labels == ("F", "M", "X")
    codes, sizes = encode(table((column,), sex=["F", "M", "X", None, "U"]), [cells])
    assert codes[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert sizes == (5,)


def test_a_label_of_one_patient_is_found_no_more_often_than_delta() -> None:
    """A generous delta, so that the promise can be seen: one patient's label, asked for 1,500 times."""
    delta, asked = 0.05, 1500
    column = Column("code", "code", categories=("A", "B"))
    data = table((column,), code=["A"] * 400 + ["B"])
    found = 0
    for _ in range(asked):
        labels = cells_of(data, Search(sigma=3.0, label_sigma=3.0, most=1, delta=delta, cells=8))[0].labels
        assert "A" in labels
        found += "B" in labels
    assert found / asked <= delta + 4 * math.sqrt(delta / asked)
    assert found > 0, "a threshold this far off would find nothing real either"


def test_the_threshold_covers_all_labels_a_patient_can_bring() -> None:
    assert stable_threshold(10.0, 1, 1e-6) < stable_threshold(10.0, 5, 1e-6)
    one = stable_threshold(10.0, 1, 1e-6)
    assert one - 1 > 10 * 4.75
    assert one <= 10 * 5


def test_searching_is_charged_before_it_is_done_and_by_the_schema_alone() -> None:
    columns = (
        Column("age", "integer", low=0, high=127, bounds="declared"),
        Column("sex", "category", categories=("F", "M"), bounds="declared"),
        Column("code", "code", categories=("A",)),
    )
    charges: list[Event] = []

    def refuse(purpose: str, event: Event) -> None:
        charges.append(event)
        raise ZeroDivisionError

    for rows in (1, 50):
        data = table(columns, age=np.arange(rows) % 90, sex=["F"] * rows, code=["A"] * rows)
        with pytest.raises(ZeroDivisionError):
            find_cells(data, SEARCH, refuse)
    assert to_json(charges[0]) == to_json(charges[1]) == to_json(SEARCH.event(data.schema))
    assert (looks_of(data.schema), undeclared_of(data.schema)) == (3, 1)
    told = to_json(charges[0])["of"]
    assert told == [
        {"event": "repeated", "of": {"event": "discrete_gaussian", "sigma": 5.0, "sensitivity": 1}, "count": 3},
        {"event": "repeated", "of": {"event": "discrete_gaussian", "sigma": 4.0, "sensitivity": 1}, "count": 1},
        {"event": "failure", "delta": 1e-6},
    ]


def test_a_patient_keeps_only_so_many_rows_and_others_keep_theirs() -> None:
    columns = (Column("id", "code", role="subject", handling="surrogate"), Column("x", "integer"))
    names = ["a"] * 50 + ["b"] * 2 + ["c"] * 3 + [None] * 4
    data = table(columns, id=names, x=np.arange(59))
    seen = set()
    for _ in range(30):
        capped = cap_rows(data, 3)
        counts = capped.frame["id"].value_counts(dropna=False)
        assert counts.get("a") == counts.get("c") == 3
        assert counts.get("b") == 2
        assert capped.frame["id"].isna().sum() == 4, "a row without a patient is a patient of its own"
        assert (np.diff(capped.frame["x"]) > 0).all()
        seen.add(tuple(capped.frame["x"][capped.frame["id"] == "a"]))
    assert len(seen) > 15, "which rows stay is drawn anew each time"


def test_rare_labels_share_a_group_and_gaps_do_not_come_from_noise() -> None:
    rng = np.random.default_rng(0)
    column = Column("sex", "category", categories=("F", "M"), bounds="declared")
    cells = cells_of(table((column,), sex=["F", "M"])) * 2  # F, M, missing, unknown
    ones = [
        Measurement((0,), np.array([900.0, 8.0, 4.0, 60.0]), 5.0),
        Measurement((1,), np.array([500.0, 480.0, 12.0, 60.0]), 5.0),
    ]
    groups = learn_compression(ones, cells)
    assert groups.sizes == (3, 3)
    codes = np.full((4000, 2), 2, dtype=np.int32)
    wide = groups.expand(codes, rng)
    assert set(wide[:, 0]) == {1}, "missing is not clearly there"
    assert set(wide[:, 1]) == {3}, "the only one not clearly there counts as the rarest that is"
    again = type(groups).from_dict(groups.to_dict())
    assert np.array_equal(again.expand(codes, np.random.default_rng(0)), groups.expand(codes, np.random.default_rng(0)))


def test_rare_codes_share_a_group_with_their_chapter() -> None:
    known = hierarchy_of("icd9cm")
    assert known is not None
    labels = tuple(c for c in known.endings if c.isdigit() and 390 <= int(c) < 580)
    column = Column("dx", "category", categories=labels, bounds="declared", code_system="icd9cm")
    (cells,) = cells_of(table((column,), dx=[labels[0]]))
    counts = np.zeros(len(labels) + 2)
    of = {label: i for i, label in enumerate(labels)}
    counts[[of["410"], of["411"], of["428"]]] = 6.0, 3.0, 500.0  # two rare hearts and a common one
    counts[of["490"]] = 40.0  # a lung alone, clear of noise
    counts[of["530"]] = 1.0  # hardly any gut
    groups = learn_compression([Measurement((0,), counts, 2.5)], [cells])
    (group,), (share,) = groups.groups, groups.shares
    assert group[of["410"]] == group[of["411"]] == group[of["412"]] != group[of["428"]]
    assert group[of["530"]] == group[of["531"]] == group[of["491"]] != group[of["410"]], "no chapter is clear there"
    assert share[of["410"]] == 2 * share[of["411"]] > share[of["412"]] == 0


def test_numbers_are_put_together_until_they_are_clear_and_empty_stretches_stay_empty() -> None:
    data = table((Column("x", "integer", low=0, high=63, bounds="declared"),), x=np.repeat(np.arange(64), 500))
    (cells,) = cells_of(data, Search(sigma=1.0, label_sigma=1.0, most=1, delta=1e-6, cells=64))
    assert cells.n_values == 64
    counts = np.tile([5.0, -5.0], 33)
    counts[:10] = 1000.0
    counts[20:23] = 9.5  # each alone is lost in noise of 5, together they are not
    counts[64:] = 0.0  # missing, and unknown
    groups = learn_compression([Measurement((0,), counts, 5.0)], [cells])
    drawn = groups.shares[0] > 0
    assert np.flatnonzero(drawn[:64]).tolist() == [*range(10), 20, 21, 22]
    assert not drawn[64]
    assert groups.sizes[0] == 12
    wide = groups.expand(np.full((3000, 1), 10, dtype=np.int32), np.random.default_rng(1))
    assert np.bincount(wide[:, 0])[20:].min() > 850


def test_few_looks_find_a_scale_that_nobody_declared() -> None:
    """One for all powers of two, then quarters: seventeen halvings for the price of six looks."""
    assert Ruler.of(Column("x", "integer")).looks == (7, 2, 2, 2, 2, 2)
    assert Ruler.of(Column("age", "integer", low=0, high=120, bounds="declared")).looks == (4, 2, 1)
    for column in DECLARED:
        assert sum(Ruler.of(column).looks) == Ruler.of(column).depth


def test_values_among_sizes_that_nobody_has_are_not_drawn_there() -> None:
    """A thin, far-off part of a column beside the powers of two that are empty between it and the rest."""
    rng = np.random.default_rng(4)
    values = np.where(rng.random(20_000) < 0.95, 0.0, rng.integers(4096, 16_384, 20_000).astype(float))
    data = table((Column("gain", "integer"),), gain=values)
    (cells,) = cells_of(data, Search(sigma=50.0, label_sigma=4.0, most=1, delta=1e-6, cells=128))
    codes, _ = encode(data, [cells])
    drawn = cells.decode(codes[:, 0], rng).to_numpy()
    assert np.mean((drawn > 1) & (drawn < 2000)) < 0.001
    assert np.mean(drawn >= 2000) == pytest.approx(0.05, abs=0.005)


def test_the_power_in_which_most_were_seen_stands_for_those_in_which_hardly_anybody_was() -> None:
    parts = [((0, 8), 3), ((8, 16), -2), ((16, 24), 21), ((24, 32), 5), ((40, 48), 4), ((48, 56), 90), ((56, 64), 1)]
    near = _joined(parts, 10.0, far=False)
    assert near == [(0, 32), (40, 48), (48, 56), (56, 64)]
    assert _joined(parts, 10.0, far=True) == [(16, 24), (40, 48), (48, 56), (56, 64)]


def test_links_are_told_in_wider_cells_than_shapes() -> None:
    rng = np.random.default_rng(5)
    data = table((Column("x", "integer", low=0, high=1023, bounds="declared"),), x=rng.integers(0, 1024, 30_000))
    (cells,) = cells_of(data, Search(sigma=5.0, label_sigma=4.0, most=1, delta=1e-6, cells=64))
    codes, sizes = encode(data, [cells])
    counts = np.bincount(codes[:, 0], minlength=sizes[0]).astype(float)
    fine = learn_compression([Measurement((0,), counts, 5.0)], [cells])
    wide = learn_compression([Measurement((0,), counts, 5.0)], [cells], widest=8)
    assert fine.sizes[0] > 40
    assert 6 <= wide.ordered([cells])[0] <= 9
    assert wide.expand(np.zeros((500, 1), np.int32), rng)[:, 0].max() > 3, "a wide cell is drawn as its narrow ones"


def test_a_long_declared_list_is_counted_with_less_noise_and_the_whole_costs_the_same() -> None:
    columns = tuple(Column(name, "category", categories=("a", "b"), bounds="declared") for name in "uvw")
    long = Column("dx", "category", categories=tuple(map(str, range(1000))), bounds="declared")
    brief = replace(long, categories=("0",))
    short, wide = (Budget(Schema((*columns, c)), 0.1, 1, 1e-6, "aim", 32) for c in (brief, long))
    assert len(set(short.sigmas_of_ones)) == 1
    assert wide.sigmas_of_ones[3] < 0.6 * short.sigmas_of_ones[3] < wide.sigmas_of_ones[0]
    assert rho_of(wide.ones) == pytest.approx(rho_of(short.ones))
