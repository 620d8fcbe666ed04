"""Filling gaps: what is known stays, what is drawn follows from it, and memory stays put."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.conditionals import imputation
from semblance.conditionals.bisection import bisect
from semblance.conditionals.evidence import Allowed
from semblance.conditionals.imputation import fill
from semblance.conditionals.link import Link
from semblance.seeds import Seeds


class Copies(Link):
    """A column of two cells that says again what the column before it said, nine times in ten."""

    def odds(self, before: np.ndarray, asked: np.ndarray, *, workers: int) -> np.ndarray:
        return np.where(before[:, -1] == 1, 1.0, -1.0) * np.log(9)


def column(kind: type[Link]) -> Link:
    return kind(bisect(np.array([1, 1]), smoothing=0.0), ("",))


CHAIN = [column(Link), column(Copies), column(Copies)]
ANY = dict.fromkeys(range(3), Allowed(None, np.ones(2)))  # type: ignore[arg-type]


def filled(rows: list[list[int]], holes: list[list[int]], n: int = 3000, **more: int) -> tuple[np.ndarray, np.ndarray]:
    codes = np.repeat(np.array(rows, np.float32), n, axis=0)
    unknown = np.repeat(np.array(holes, dtype=bool), n, axis=0)
    return fill(CHAIN, ANY, codes, unknown, seeds=Seeds(more.pop("seed", 0)), workers=1, **more)


def test_a_gap_is_filled_from_both_sides() -> None:
    codes, effective = filled([[1, -1, 1], [-1, 1, 0], [1, 0, -1]], [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert codes[:3000, 1].mean() == pytest.approx(81 / 82, abs=0.01)
    assert codes[3000:6000, 0].mean() == pytest.approx(0.9, abs=0.02)
    assert codes[6000:, 2].mean() == pytest.approx(0.1, abs=0.02)
    assert (codes[:3000, 0] == 1).all()
    assert (codes[3000:6000, 2] == 0).all()
    assert effective.min() > 1


def test_rows_without_a_gap_are_left_alone() -> None:
    codes, effective = filled([[1, 0, 1], [-1, -1, -1]], [[0, 0, 0], [1, 1, 1]], n=500)
    assert (codes[:500] == [1, 0, 1]).all()
    assert (effective[:500] == 0).all()
    assert effective[500:] == pytest.approx(imputation.PARTICLES)  # nothing known, nothing to weigh
    same = (codes[500:, 0] == codes[500:, 1]).mean()
    assert same == pytest.approx(0.9, abs=0.06)


def test_a_value_without_a_cell_stays_unknown_and_says_nothing() -> None:
    codes, _ = filled([[-1, 1, -1]], [[0, 0, 1]])
    assert (codes[:, 0] == -1).all()
    codes, _ = filled([[-1, -1, 1]], [[1, 0, 0]])
    assert codes[:, 0].mean() == pytest.approx(0.5, abs=0.03)  # the column between, which would tell, has no cell


def test_a_row_that_few_particles_fit_is_drawn_again_from_more() -> None:
    rows, holes = [[-1, -1, 1]], [[1, 1, 0]]
    _, first = filled(rows, holes, n=200, particles=4)
    assert first.min() >= imputation.FEW or first.max() > 4  # more than four particles can only come from the second
    assert first.mean() > 4


def test_parts_bound_the_memory_and_change_nothing_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imputation, "ROOM", 32 * 3 * 100)
    codes, _ = filled([[1, -1, 1]], [[0, 1, 0]], n=1000)
    assert codes[:, 1].mean() == pytest.approx(81 / 82, abs=0.02)
    again, _ = filled([[1, -1, 1]], [[0, 1, 0]], n=1000)
    assert (codes == again).all()
    other, _ = filled([[1, -1, 0]], [[0, 1, 0]], n=1000, seed=1)
    assert 0.4 < other[:, 1].mean() < 0.6


def test_what_a_gap_may_become_tells_about_the_gaps_before_it() -> None:
    allowed = {**ANY, 1: Allowed(None, np.array([0.0, 1.0]))}  # type: ignore[arg-type]
    codes = np.full((3000, 3), -1, np.float32)
    made, _ = fill(CHAIN, allowed, codes, np.ones((3000, 3), bool), seeds=Seeds(0), workers=1)
    assert (made[:, 1] == 1).all()
    assert made[:, 0].mean() == pytest.approx(0.9, abs=0.02)


class Echoes(Link):
    """A column of two cells that says again what the first column said, nine times in ten."""

    def odds(self, before: np.ndarray, asked: np.ndarray, *, workers: int) -> np.ndarray:
        return np.where(before[:, 0] == 1, 1.0, -1.0) * np.log(9)


def test_weights_count_once_where_particles_are_resampled_on_the_way() -> None:
    seldom = Link(bisect(np.array([4, 1]), smoothing=0.0), ("",))
    chain = [seldom, *[column(Echoes)] * 3]
    codes = np.repeat(np.array([[-1, 1, -1, 0]], np.float32), 4000, axis=0)
    made, _ = fill(
        chain, {**ANY, 3: ANY[0]}, codes, np.isin(codes, -1), seeds=Seeds(0), workers=1
    )  # one says 1, the other 0: what is left is what there was
    assert made[:, 0].mean() == pytest.approx(0.2, abs=0.025)
    codes[:, 3] = 1
    made, _ = fill(chain, {**ANY, 3: ANY[0]}, codes, np.isin(codes, -1), seeds=Seeds(0), workers=1)
    assert made[:, 0].mean() == pytest.approx(0.2 * 0.81 / (0.2 * 0.81 + 0.8 * 0.01), abs=0.025)
