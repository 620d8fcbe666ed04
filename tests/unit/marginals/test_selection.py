from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from semblance.errors import BudgetExceeded
from semblance.marginals import aim, mst
from semblance.marginals.coarse import Levels, Merge, find_levels
from semblance.marginals.curator import (
    OpenCurator,
    PrivateCurator,
    Question,
    charged,
    gap,
    gaussian_event,
    rho_of,
    score,
    sigma_for,
)
from semblance.marginals.draw import draw_rows
from semblance.marginals.estimate import Graph
from semblance.marginals.table import Table, count
from semblance.privacy.events import Composed, DiscreteGaussian, Event, Repeated, Selection, Zcdp

RNG = np.random.default_rng(0)


def chain_table(n: int = 8000, columns: int = 6) -> Table:
    """Each column copies the one before it, with a fifth of the rows drawn anew."""
    rng = np.random.default_rng(7)
    codes = np.empty((n, columns), dtype=np.int32)
    codes[:, 0] = rng.integers(0, 4, n)
    for c in range(1, columns):
        anew = rng.random(n) < 0.2
        codes[:, c] = np.where(anew, rng.integers(0, 4, n), codes[:, c - 1])
    return Table(codes, (4,) * columns)


def parity_table(n: int = 8000) -> Table:
    """The last column is the parity of the first two, of which no pair of columns tells anything."""
    rng = np.random.default_rng(8)
    first = rng.integers(0, 2, (n, 4))
    return Table(np.column_stack([first, first[:, 0] ^ first[:, 1]]).astype(np.int32), (2,) * 5)


def private(table: Table, spent: list[Event], event: Event) -> PrivateCurator:
    def spend(purpose: str, entered: Event) -> None:
        spent.append(entered)

    return PrivateCurator(table, charged(spend, "test", event))


def ones(table: Table, rho: float = 1.0):
    sigma = sigma_for(rho / len(table.sizes), table.most)
    total = Repeated(gaussian_event(sigma, table.most), len(table.sizes))
    return private(table, [], total).measure([(i,) for i in range(len(table.sizes))], sigma)


def error(table: Table, graph: Graph, attrs: tuple[int, ...]) -> float:
    """Total variation distance of a marginal of drawn rows."""
    drawn = draw_rows(graph, 20_000, np.random.default_rng(1))
    true = table.count(attrs) / len(table.codes)
    return 0.5 * float(np.abs(count(drawn, attrs, table.sizes) / len(drawn) - true).sum())


def tree_of(graph: Graph) -> set[tuple[int, ...]]:
    return {attrs for attrs in graph.potentials if len(attrs) == 2}


def test_mst_finds_a_planted_chain_within_its_charge() -> None:
    table, spent = chain_table(), []
    event = mst.event(len(table.sizes), 0.5, 1)
    graph = mst.mst(private(table, spent, event), ones(table), rho=0.5, most=1, rng=RNG)
    assert tree_of(graph) == {(i, i + 1) for i in range(5)}
    assert max(error(table, graph, pair) for pair in combinations(range(6), 2)) < 0.05
    assert spent == [event]
    assert rho_of(event) == pytest.approx(0.5)
    assert event == Composed(
        (Repeated(Selection(math.sqrt(8 * 0.1 / 5)), 5), Repeated(DiscreteGaussian(sigma_for(0.08, 1)), 5))
    )


def test_mst_with_next_to_no_budget_learns_next_to_nothing() -> None:
    """The measured pairs are noise: were exact counts used somewhere, the chain would still be found."""
    table = chain_table()
    trees = []
    for _ in range(3):
        event = mst.event(6, 1e-7, 1)
        trees.append(tree_of(mst.mst(private(table, [], event), ones(table), rho=1e-7, most=1, rng=RNG, steps=20)))
    assert not all(tree == {(i, i + 1) for i in range(5)} for tree in trees)


def test_aim_finds_what_only_three_columns_together_tell() -> None:
    table, spent = parity_table(), []
    asked = aim.workload(5, 4)
    curator = private(table, spent, Zcdp(0.5))
    plan = aim.Plan(0.5, 1, steps=200)
    graph = aim.aim(curator, ones(table), asked, levels=Levels(table.sizes), plan=plan, rng=RNG)
    assert (0, 1, 4) in graph.potentials
    assert error(table, graph, (0, 1, 4)) < 0.03
    assert spent == [Zcdp(0.5)]


def test_aim_stays_within_its_charge_and_uses_it_up() -> None:
    table, used = chain_table(2000, 4), []

    def use(event: Event) -> None:
        used.append(rho_of(event))

    plan, levels = aim.Plan(0.3, 1, steps=20), Levels(table.sizes)
    aim.aim(PrivateCurator(table, use), ones(table), aim.workload(4, None), levels=levels, plan=plan, rng=RNG)
    assert sum(used) == pytest.approx(0.3)


def test_aim_keeps_the_graph_within_its_room() -> None:
    table = chain_table(3000, 6)
    plan = aim.Plan(2.0, 1, max_cells=150, steps=20)
    curator, levels = private(table, [], Zcdp(2.0)), Levels(table.sizes)
    graph = aim.aim(curator, ones(table), aim.workload(6, 0), levels=levels, plan=plan, rng=RNG)
    assert sum(m.size for m in graph.marginals) <= 150


def test_columns_without_links_stay_without() -> None:
    rng = np.random.default_rng(3)
    table = Table(rng.integers(0, 3, (8000, 4)).astype(np.int32), (3,) * 4)
    curator, plan, levels = private(table, [], Zcdp(0.05)), aim.Plan(0.05, 1, steps=100), Levels(table.sizes)
    graph = aim.aim(curator, ones(table), aim.workload(4, 3), levels=levels, plan=plan, rng=RNG)
    assert max(error(table, graph, pair) for pair in combinations(range(4), 2)) < 0.05


def test_a_curator_charges_before_it_answers_and_refuses_what_was_not_charged() -> None:
    table = chain_table(100, 3)

    def refuse(purpose: str, event: Event) -> None:
        raise BudgetExceeded("no")

    with pytest.raises(BudgetExceeded):
        charged(refuse, "test", Zcdp(1.0))
    curator = private(table, [], Zcdp(0.5))
    curator.measure([(0,)], sigma_for(0.3, 1))
    with pytest.raises(BudgetExceeded, match="nothing was drawn"):
        curator.measure([(1,)], sigma_for(0.3, 1))
    with pytest.raises(BudgetExceeded):
        private(table, [], Zcdp(0.5)).choose([Question((0, 1), 1.0, 0.0)], table.codes, 100.0, 2.1)


def test_measurements_have_the_noise_they_claim() -> None:
    table = Table(np.zeros((50, 1), dtype=np.int32), (20_000,))
    curator = PrivateCurator(table, lambda event: None)
    (found,) = curator.measure([(0,)], 7.5)
    assert found.counts.std() == pytest.approx(7.5, rel=0.04)
    (exact,) = OpenCurator(table).measure([(0,)], 7.5)
    assert exact.counts[0] == 50


def test_no_row_moves_a_score_further_than_its_weight() -> None:
    table, rng = chain_table(60, 3), np.random.default_rng(5)
    told = rng.integers(0, 4, (500, 3)).astype(np.int32)
    wide = Merge.of(np.array([0, 1, 1, 0], dtype=np.int32))

    def scored(one: Table, question: Question) -> float:
        return score(gap(one.count(question.attrs), question.attrs, told, 61.3, one.sizes), question)

    for attrs, merges in [((0,), ()), ((0, 1), ()), ((0, 1), (wide, None)), ((0, 1, 2), (wide, None, wide))]:
        question = Question(attrs, 0.7, 12.0, 1, merges)
        whole = scored(table, question)
        for gone in range(60):
            fewer = Table(np.delete(table.codes, gone, axis=0), table.sizes)
            assert abs(scored(fewer, question) - whole) <= 0.7 + 1e-9


def test_a_patient_of_several_rows_is_charged_for_all_of_them() -> None:
    assert rho_of(gaussian_event(3.0, 1)) == pytest.approx(1 / 18)
    assert gaussian_event(3.0, 4) == Zcdp(16 / 18)
    assert sigma_for(1 / 18, 4) == pytest.approx(12.0)
    used: list[Event] = []
    table = Table(np.zeros((9, 1), dtype=np.int32), (2,), most=4)
    PrivateCurator(table, used.append).measure([(0,), (0,)], 3.0)
    assert used == [Repeated(Zcdp(16 / 18), 2)]


def slope_table(n: int = 4000, cells: int = 40) -> Table:
    """Two numbers in many cells each, which rise together a little."""
    rng = np.random.default_rng(11)
    first = rng.normal(size=n)
    second = 0.6 * first + 0.8 * rng.normal(size=n)
    cut = [np.searchsorted(np.quantile(x, np.linspace(0, 1, cells + 1)[1:-1]), x) for x in (first, second)]
    return Table(np.column_stack(cut).astype(np.int32), (cells, cells))


def test_what_would_drown_in_narrow_cells_is_found_in_wide_ones() -> None:
    """So little budget that 40 x 40 cells hold nothing but noise."""
    table, rho = slope_table(), 0.02
    found = {}
    for name in ("narrow", "wide"):
        measured = ones(table, 0.02)
        levels = find_levels([one.counts for one in measured], [40, 40]) if name == "wide" else Levels(table.sizes)
        plan = aim.Plan(rho, 1, steps=200)
        graph = aim.aim(
            private(table, [], Zcdp(rho)), measured, aim.workload(2, None), levels=levels, plan=plan, rng=RNG
        )
        drawn = draw_rows(graph, 20_000, np.random.default_rng(1))
        found[name] = float(np.corrcoef(drawn.T)[0, 1])
    true = float(np.corrcoef(table.codes.T)[0, 1])
    assert found["wide"] > 0.7 * true
    assert abs(found["narrow"]) < 0.5 * true


def test_a_coarse_answer_is_charged_as_one_marginal_and_has_its_noise() -> None:
    table = Table(np.zeros((50, 2), dtype=np.int32), (300, 300))
    wide = Merge.of(np.repeat(np.arange(100), 3).astype(np.int32))
    used: list[Event] = []
    found = PrivateCurator(table, used.append).answer(Question((0, 1), 1.0, 0.0, 1, (wide, wide)), 7.5)
    assert used == [DiscreteGaussian(7.5, 1)]
    assert found.counts.shape == (100, 100)
    assert found.counts.std() == pytest.approx(7.5, rel=0.05)
    exact = OpenCurator(table).answer(Question((0, 1), 1.0, 0.0, 1, (wide, wide)), 7.5)
    assert exact.counts[0, 0] == exact.counts.sum() == 50
