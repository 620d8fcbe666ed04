from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.data.dataset import Dataset
from semblance.data.encode import Bins, Features, Space, comparable, row_keys
from semblance.schema import Column, Schema

NUMBER, DAY, LABEL, CODE = (
    Column("n", "number"),
    Column("d", "date"),
    Column("l", "category"),
    Column("k", "code"),
)
COLUMNS = (NUMBER, DAY, LABEL, CODE)


def table(rows: list[tuple[float | None, str | None, str | None, str | None]]) -> Dataset:
    frame = pd.DataFrame(
        {
            "n": pd.Series([r[0] for r in rows], dtype=float),
            "d": pd.Series(pd.to_datetime([r[1] for r in rows]), dtype="datetime64[us]"),
            "l": pd.Series([r[2] for r in rows], dtype=object),
            "k": pd.Series([r[3] for r in rows], dtype=object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


ROWS = table(
    [
        (1.0, "2020-01-01", "x", "001"),
        (2.0, "2020-01-02", "x", "002"),
        (3.0, None, "y", "003"),
        (None, "2020-01-04", None, "004"),
    ]
)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a - b).astype(float) ** 2).sum())


class TestSpace:
    def test_equal_rows_are_one_point(self) -> None:
        points = Space.fit([ROWS], COLUMNS)(ROWS)
        again = Space.fit([ROWS], COLUMNS)(ROWS.take(np.array([3, 2, 1, 0])))
        assert (points == again[::-1]).all()

    def test_squared_distance_is_ranks_and_mismatches(self) -> None:
        points = Space.fit([ROWS], COLUMNS)(ROWS)
        # 1 and 2 are one third of the ranks apart, the days likewise; the codes differ.
        assert distance(points[0], points[1]) == pytest.approx(2 / 9 + 1, abs=1e-6)

    def test_missing_and_missing_agree(self) -> None:
        both = table([(None, None, None, None), (None, None, None, None)])
        points = Space.fit([ROWS], COLUMNS)(both)
        assert distance(points[0], points[1]) == 0

    def test_missing_is_off_to_the_side(self) -> None:
        points = Space.fit([ROWS], (NUMBER,))(table([(2.0, None, None, None), (None, None, None, None)]))
        assert distance(points[0], points[1]) == pytest.approx(0.25)

    def test_rare_and_unknown_labels_have_a_place(self) -> None:
        many = table([(0.0, None, "x", f"{i:03d}") for i in range(200)])
        space = Space.fit([many], (CODE,), common=10, hashed=4)
        assert space.width == 14
        points = space(table([(0.0, None, None, "unheard of"), (0.0, None, None, "000")]))
        assert (points**2).sum(axis=1) == pytest.approx(0.5)

    def test_weights_add_up_by_column(self) -> None:
        space = Space.fit([ROWS], COLUMNS)
        assert space.by_column(np.ones(space.width)).sum() == space.width

    def test_of_nothing(self) -> None:
        empty = ROWS.take(np.array([], dtype=np.int64))
        assert Space.fit([empty], COLUMNS)(ROWS).shape[0] == 4
        assert Space.fit([ROWS], COLUMNS)(empty).shape[0] == 0


class TestRowKeys:
    def test_equal_only_when_all_is_equal(self) -> None:
        other = table(
            [(1.0, "2020-01-01", "x", "001"), (1.0, "2020-01-01", "x", "1"), (None, "2020-01-04", None, "004")]
        )
        keys, others = row_keys(ROWS, COLUMNS), row_keys(other, COLUMNS)
        assert keys[0] == others[0]
        assert keys[3] == others[2]
        assert others[1] not in keys
        assert len(set(keys)) == 4

    def test_rounding_noise_and_the_sign_of_zero_do_not_matter(self) -> None:
        pair = table([(0.1 + 0.2, None, None, None), (0.3, None, None, None)])
        assert len(set(row_keys(pair, COLUMNS))) == 1
        zeros = table([(0.0, None, None, None), (-0.0, None, None, None)])
        assert len(set(row_keys(zeros, COLUMNS))) == 1

    def test_no_columns(self) -> None:
        assert len(row_keys(ROWS, ())) == 4


class TestFeatures:
    def test_codes_are_shared_and_missing_is_one_of_them(self) -> None:
        features = Features.fit([ROWS], COLUMNS)
        matrix = features(ROWS)
        assert features.categorical == [2, 3]
        assert matrix[0, 2] == matrix[1, 2]
        assert not np.isnan(matrix[3, 2])
        assert np.isnan(matrix[3, 0])
        assert np.isnan(matrix[2, 1])

    def test_a_label_never_seen_is_missing(self) -> None:
        assert np.isnan(Features.fit([ROWS], COLUMNS)(table([(1.0, None, "new", None)]))[0, 2])

    def test_order_of_tables_does_not_matter(self) -> None:
        other = table([(1.0, None, "y", "9"), (1.0, None, "y", "9")])
        one, two = Features.fit([ROWS, other], COLUMNS), Features.fit([other, ROWS], COLUMNS)
        assert (one(ROWS)[:, 2:] == two(ROWS)[:, 2:]).all()


class TestBins:
    def test_sizes_bound_the_codes(self) -> None:
        bins = Bins.fit([ROWS], COLUMNS, bins=10, common=2)
        codes = bins(table([(9.0, "1990-01-01", "new", "new"), (None, None, None, None)]))
        assert (codes >= 0).all()
        assert (codes < bins.sizes).all()
        assert codes[1, 0] == bins.sizes[0] - 1

    def test_a_spike_has_a_bin_of_its_own(self) -> None:
        spiky = table([(v, None, None, None) for v in [0.0] * 60 + list(range(1, 41))])
        codes = Bins.fit([spiky], (NUMBER,), bins=10, common=5)(spiky)[:, 0]
        assert set(codes[:60]) == {0}
        assert 0 not in codes[60:]


def test_comparable_columns_exist_on_both_sides_and_are_modelled() -> None:
    real = Dataset(ROWS.frame, Schema((NUMBER, DAY, LABEL, Column("k", "code", role="subject", handling="surrogate"))))
    fake = Dataset(ROWS.frame[["n", "l"]].assign(n="text"), Schema((Column("n", "category"), LABEL)))
    assert [c.name for c in comparable(real, fake)] == ["l"]
