from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from semblance.marginals.draw import draw_rows
from semblance.marginals.estimate import Graph, Measurement, fit, total_rows
from semblance.marginals.junction import join, links, total_cells, triangulate
from semblance.marginals.propagation import axes_without, calibrate, spread
from semblance.marginals.table import Table, count

SIZES = (3, 4, 2, 5, 3)
ALL = tuple(range(5))
SETS = [(0, 1), (1, 2), (2, 3), (0, 3), (4,)]  # a circle of four, and one apart


def by_hand(potentials: dict[tuple[int, ...], np.ndarray]) -> np.ndarray:
    """The whole joint distribution, with nothing clever: (3, 4, 2, 5, 3)."""
    joint = np.zeros(SIZES)
    for attrs, values in potentials.items():
        joint = joint + spread(values, attrs, ALL)
    joint = np.exp(joint)
    return joint / joint.sum()


@pytest.fixture
def potentials() -> dict[tuple[int, ...], np.ndarray]:
    rng = np.random.default_rng(3)
    return {attrs: rng.normal(size=[SIZES[a] for a in attrs]) for attrs in SETS}


def test_cliques_hold_every_set_and_share_along_the_tree() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        sizes = tuple(int(s) for s in rng.integers(2, 6, size=9))
        sets = [tuple(sorted(rng.choice(9, size=int(rng.integers(1, 4)), replace=False))) for _ in range(8)]
        sets = [tuple(int(a) for a in attrs) for attrs in sets]
        junction = join(triangulate(sets, sizes), sizes)
        assert all(junction.home(attrs, sizes) >= 0 for attrs in sets)
        assert {a for clique in junction.cliques for a in clique} == set(range(9))
        for column in range(9):  # running intersection: who holds a column is connected
            holding = [i for i, clique in enumerate(junction.cliques) if column in clique]
            linked = [i for i in holding if column in junction.shared[i]]
            assert len(linked) == len(holding) - 1
        cells = sum(np.prod([sizes[a] for a in clique]) for clique in junction.cliques)
        assert total_cells(links(sets, 9), sizes) == cells


def test_propagation_agrees_with_the_whole_joint(potentials) -> None:
    joint = by_hand(potentials)
    graph = Graph.of(SIZES, 1.0, potentials)
    for clique, marginal in zip(graph.junction.cliques, graph.marginals, strict=True):
        np.testing.assert_allclose(marginal, joint.sum(axis=axes_without(ALL, clique)), atol=1e-12)


def test_what_is_ruled_out_stays_out(potentials) -> None:
    potentials[0, 1][1, :] = -np.inf
    potentials[2, 3][:, 4] = -np.inf
    graph = Graph.of(SIZES, 1.0, potentials)
    joint = by_hand(potentials)
    for attrs in [(0,), (1,), (3,), (4,)]:
        np.testing.assert_allclose(graph.marginal(attrs), joint.sum(axis=axes_without(ALL, attrs)), atol=1e-12)
    codes = draw_rows(graph, 2000, np.random.default_rng(0))
    assert not (codes[:, 0] == 1).any()
    assert not (codes[:, 3] == 4).any()


def test_drawn_rows_follow_the_joint(potentials) -> None:
    n = 100_000
    codes = draw_rows(Graph.of(SIZES, 1.0, potentials), n, np.random.default_rng(2))
    joint = by_hand(potentials)
    for pair in combinations(ALL, 2):
        drawn = count(codes, pair, SIZES) / n
        true = joint.sum(axis=axes_without(ALL, pair))
        assert np.abs(drawn - true).max() < 6 * np.sqrt(0.25 / n), pair
    for clique in ((0, 1), (1, 2)):  # within a clique every cell comes up as often as it should, up to a row a group
        true = joint.sum(axis=axes_without(ALL, clique))
        assert np.abs(count(codes, clique, SIZES) - n * true).max() < 40


def test_exact_marginals_are_met_exactly(potentials) -> None:
    joint = by_hand(potentials)
    measured = [Measurement(a, 1000 * joint.sum(axis=axes_without(ALL, a)), 1.0) for a in SETS]
    graph = fit(measured, SIZES, steps=800, tolerance=0.0)
    for m in measured:
        np.testing.assert_allclose(graph.marginal(m.attrs), m.counts / 1000, atol=1e-4)
    assert graph.rows == pytest.approx(1000)


def test_contradictions_are_settled_by_weight() -> None:
    """Two noisy answers to one question: the fit lies at their weighted mean, which is what least squares says."""
    measured = [Measurement((0,), np.array([600.0, 400.0]), 10.0), Measurement((0,), np.array([700.0, 300.0]), 20.0)]
    graph = fit(measured, (2,), steps=500, tolerance=0.0)
    assert graph.marginal((0,))[0] == pytest.approx((0.6 * 4 + 0.7) / 5, abs=1e-6)


def test_counts_below_nothing_become_nothing() -> None:
    graph = fit([Measurement((0,), np.array([900.0, 130.0, -30.0]), 5.0)], (3,), steps=800, tolerance=0.0)
    assert graph.marginal((0,))[2] < 1e-3
    assert graph.marginal((0,)).sum() == pytest.approx(1)


def test_a_warm_start_reaches_the_same_place(potentials) -> None:
    joint = by_hand(potentials)
    rng = np.random.default_rng(5)
    noise = {a: rng.normal(0, 3, [SIZES[i] for i in a]) for a in SETS}
    measured = [Measurement(a, 1000 * joint.sum(axis=axes_without(ALL, a)) + noise[a], 3.0) for a in SETS]
    cold = fit(measured, SIZES, steps=800, tolerance=0.0)
    first = fit(measured[:2], SIZES, steps=300)
    warm = fit(measured, SIZES, steps=800, tolerance=0.0, start=first.potentials)
    for attrs in SETS:
        np.testing.assert_allclose(cold.marginal(attrs), warm.marginal(attrs), atol=1e-3)


def test_sums_that_are_less_noisy_tell_more_about_the_number_of_rows() -> None:
    few, many = Measurement((0,), np.full(2, 500.0), 1.0), Measurement((1,), np.full(200, 6.0), 1.0)
    assert total_rows([few, many]) == pytest.approx((1000 * 100 + 1200) / 101)


def test_calibrating_one_clique_is_softmax() -> None:
    junction = join([(0,)], (3,))
    (marginal,) = calibrate(junction, [np.log(np.array([1.0, 2.0, 5.0]))])
    np.testing.assert_allclose(marginal, [0.125, 0.25, 0.625])


def test_a_table_refuses_codes_without_a_cell_and_shows_no_codes() -> None:
    with pytest.raises(ValueError, match="outside"):
        Table(np.array([[0, 4]], dtype=np.int32), (2, 4))
    with pytest.raises(ValueError, match="size"):
        Table(np.array([[0, 1]], dtype=np.int32), (2,))
    assert repr(Table(np.array([[1, 3]], dtype=np.int32), (2, 4))) == "Table(2 columns)"
