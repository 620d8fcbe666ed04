from __future__ import annotations

import numpy as np
import pytest

from semblance.conditionals.bisection import bisect
from semblance.conditionals.evidence import Allowed
from semblance.conditionals.link import Link
from semblance.conditionals.particles import FEWEST, MOST, Pool, draw_given, pick
from semblance.contracts import Account
from semblance.seeds import Seeds


class Follows(Link):
    """A column of two cells that all but repeats the first one."""

    def odds(self, before: np.ndarray, asked: np.ndarray, *, workers: int) -> np.ndarray:
        return np.where(before[:, 0] == 1, 6.0, -6.0)


def coin(ones: int, zeros: int, kind: type[Link] = Link) -> Link:
    return kind(bisect(np.array([zeros, ones]), smoothing=0.0), ("",))


def only(cell: int) -> Allowed:
    return Allowed(None, (np.arange(2) == cell).astype(float))  # type: ignore[arg-type]


def test_systematic_picks_are_in_proportion_to_the_last_unit() -> None:
    shares = np.array([0.1, 0.0, 0.45, 0.45])
    for seed in range(5):
        counts = np.bincount(pick(shares, 40, np.random.default_rng(seed)), minlength=4)
        assert (np.abs(counts - 40 * shares) < 1).all()
        assert counts[1] == 0


def test_particles_of_one_ancestor_count_as_one() -> None:
    codes = np.zeros((4, 1), np.float32)
    assert Pool(codes, np.zeros(4), np.arange(4)).effective == pytest.approx(4)
    assert Pool(codes, np.zeros(4), np.array([0, 0, 1, 1])).effective == pytest.approx(2)
    assert Pool(codes, np.log([1, 1, 1, 3]), np.arange(4)).effective == pytest.approx(36 / 12)
    assert Pool(codes, np.full(4, -np.inf), np.arange(4)).effective == pytest.approx(4)


def test_more_particles_are_grown_where_the_weights_are_uneven_and_only_there() -> None:
    chain = [coin(1, 9), coin(1, 1), coin(1, 9, Follows)]
    even = draw_given(chain, {1: only(1)}, 600, seeds=Seeds(0), workers=1)[1]
    assert (even.particles, even.effective) == (600, pytest.approx(600))
    codes, uneven = draw_given(chain, {2: only(1)}, 600, seeds=Seeds(0), workers=1)
    assert uneven.particles > 4 * 600
    assert uneven.effective > 600
    assert uneven.probability == pytest.approx(0.1, abs=0.02)
    assert codes[:, 0].mean() > 0.95
    assert (codes[:, 2] == 1).all()


def test_there_is_an_end_to_it_and_the_account_says_so() -> None:
    chain = [coin(1, 199), coin(1, 199, Follows)]
    codes, account = draw_given(chain, {1: only(1)}, 600, seeds=Seeds(3), workers=1)
    assert account.particles == MOST * 600
    assert (codes[:, 1] == 1).all()
    assert codes[:, 0].mean() == pytest.approx(0.67, abs=0.1)
    assert account.effective < 300
    assert account.repeated > 0
    assert account.caution is not None
    assert "600 rows" in account.caution


def test_unlikely_beginnings_are_resampled_on_the_way() -> None:
    chain = [coin(1, 19), coin(1, 19, Follows), *[coin(1, 19, Follows)] * 3]
    allowed = {1: only(1), 4: only(1)}
    codes, account = draw_given(chain, allowed, 500, seeds=Seeds(1), workers=1)
    truth = 0.05 * (1 / (1 + np.exp(-6))) ** 2  # and a beginning of 0 would have to turn twice
    assert account.probability == pytest.approx(truth, rel=0.2)
    assert codes[:, 0].all()


def test_the_same_seed_gives_the_same_rows_and_few_rows_are_as_good() -> None:
    chain = [coin(1, 1), coin(1, 9, Follows), coin(1, 1)]
    one, two, other = (draw_given(chain, {1: only(1)}, 50, seeds=Seeds(s), workers=1) for s in (1, 1, 2))
    assert (one[0] == two[0]).all()
    assert one[1] == two[1]
    assert (one[0] != other[0]).any()
    assert one[1].particles == FEWEST


def test_blocks_of_rows_make_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    from semblance.conditionals import particles

    monkeypatch.setattr(particles, "BLOCK", 300)
    seen: list[tuple[int, int]] = []
    codes, account = draw_given(
        [coin(1, 1), coin(1, 9, Follows)],
        {1: only(1)},
        700,
        seeds=Seeds(0),
        workers=1,
        progress=lambda stage, done, total: seen.append((done, total)),
    )
    assert codes.shape == (700, 2)
    assert account.rows == 700
    assert account.probability == pytest.approx(0.5, abs=0.05)
    assert seen == [(0, 700), (300, 700), (600, 700), (700, 700)]


def test_accounts_add_up() -> None:
    both = Account.together([Account(10, 100, 50.0, 1, 0.2), Account(5, 300, 10.0, 2, 0.4)])
    assert both == Account(15, 400, 60.0, 3, pytest.approx(0.35))  # type: ignore[arg-type]
