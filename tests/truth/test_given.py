"""Conditional draws, filled cells and log-probabilities agree with the fitted chain's own joint, cell by cell.

The tables are small enough to list every combination of cells; the truth is the model's, not the data's.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from semblance.contracts import Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.generators.chain import Chain, ChainModel
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

LEVEL = 1e-4  # of each chi-square test; a few dozen of them with fixed seeds
COLUMNS = (
    Column("season", "category", categories=("spring", "summer", "autumn", "winter")),
    Column("score", "integer", low=0, high=9),
    Column("ward", "category", categories=("icu", "surgery", "medicine"), missing=("",)),
    Column("died", "boolean", categories=("no", "yes")),
)


def run_with(seed: int) -> Run:
    return Run(Seeds(seed), Ledger(), Local(workers=1))


@cache
def fitted() -> ChainModel:
    """Four linked columns: a score that follows the season, a ward (or none) that follows both, a death by all."""
    rng = np.random.default_rng(11)
    n = 4000
    season = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    score = rng.binomial(9, 0.2 + 0.18 * season)
    ward = np.where(rng.random(n) < 0.25 - 0.05 * season, 3, np.minimum(rng.binomial(3, score / 12), 2))
    died = rng.random(n) < 1 / (1 + np.exp(4 - 0.5 * score - (ward == 0) - season * (ward == 2)))
    names = [np.array([*c.categories, None], dtype=object) for c in COLUMNS]
    frame = pd.DataFrame(
        {
            "season": pd.Series(names[0][season], dtype=object),
            "score": score.astype(float),
            "ward": pd.Series(names[2][ward], dtype=object),
            "died": pd.Series(names[3][died.astype(int)], dtype=object),
        }
    )
    model = Chain(trees=40, min_leaf=20).fit(Dataset(frame, Schema(COLUMNS)), run_with(0))
    assert all(np.isfinite(cells.spikes).all() for cells in model.cells)  # so that cells can be listed by their values
    return model


def every_row() -> Dataset:
    """All combinations of cells."""
    values = [[*cells.spikes, *cells.labels, *([None] if cells.has_missing else [])] for cells in fitted().cells]
    rows = pd.DataFrame(list(product(*values)), columns=list(fitted().order))
    frame = pd.DataFrame({c.name: rows[c.name].astype(np.float64 if c.numeric else object) for c in COLUMNS})
    return Dataset(frame.where(frame.notna(), None).astype({"score": np.float64}), fitted().schema)


@cache
def joint() -> pd.Series:
    """Probability of each combination of cells, "-" for missing."""
    rows = every_row()
    index = pd.MultiIndex.from_frame(rows.frame.fillna("-"))
    return pd.Series(np.exp(fitted().log_prob(rows)), index=index)


def agree(drawn: pd.DataFrame, truth: pd.Series) -> float:
    """Chi-square p-value of drawn rows against their probabilities; combinations expected under 5 times are pooled."""
    counts = drawn.fillna("-").value_counts(sort=False)
    assert set(counts.index) <= set(truth.index[truth > 0])
    table = pd.DataFrame({"p": truth, "seen": counts.reindex(truth.index).fillna(0)})
    few = table["p"] * len(drawn) < 5
    table = pd.concat([table[~few], table[few].sum().to_frame().T])
    table = table[table["p"] > 0]
    return float(chisquare(table["seen"], table["p"] / table["p"].sum() * len(drawn)).pvalue)


def test_the_probabilities_of_all_rows_sum_to_one() -> None:
    assert joint().sum() == pytest.approx(1.0, abs=1e-9)
    assert (joint() > 0).all()


def test_plain_rows_follow_them() -> None:
    assert agree(fitted().sample(20_000, run_with(3)).frame, joint()) > LEVEL


CASES = {
    "first": (["season=winter"], lambda r: r.season == "winter"),
    "first, several": (["season in winter|spring"], lambda r: r.season.isin(["winter", "spring"])),
    "middle, a bound": (["score>=6"], lambda r: r.score >= 6),
    "middle, two bounds and a gap": (
        ["score>1", "score<=8", "score!=4"],
        lambda r: (r.score > 1) & (r.score <= 8) & (r.score != 4),
    ),
    "missing": (["ward is missing"], lambda r: r.ward == "-"),
    "present": (["ward is present"], lambda r: r.ward != "-"),
    "last": (["died=yes"], lambda r: r.died == "yes"),
    "two apart": (["season=spring", "died=yes"], lambda r: (r.season == "spring") & (r.died == "yes")),
    "rare together": (
        ["score<=1", "ward in icu|medicine", "died=yes"],
        lambda r: (r.score <= 1) & r.ward.isin(["icu", "medicine"]) & (r.died == "yes"),
    ),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_rows_drawn_under_conditions_follow_the_conditional(case: str, seed: int) -> None:
    given, meets = CASES[case]
    truth = joint()[meets(joint().index.to_frame()).to_numpy()]
    drawn, account = fitted().sample_given(4000, given, run_with(seed))
    assert agree(drawn.frame, truth / truth.sum()) > LEVEL
    assert account.probability == pytest.approx(truth.sum(), rel=0.15)
    assert account.caution is None


def test_a_condition_on_the_first_column_costs_nothing() -> None:
    _, account = fitted().sample_given(3000, ["season=winter"], run_with(0))
    assert (account.particles, account.repeated) == (3000, 0)
    assert account.probability == pytest.approx(joint().xs("winter", level="season").sum(), rel=1e-9)


HOLES = [("season",), ("score",), ("ward",), ("died",), ("season", "died"), ("season", "score", "ward")]


@pytest.mark.parametrize("holes", HOLES, ids="+".join)
def test_filled_cells_follow_the_conditional_of_what_is_known(holes: tuple[str, ...]) -> None:
    known = {"season": "summer", "score": 5.0, "ward": "surgery", "died": "yes"}
    rows = pd.DataFrame([{k: (None if k in holes else v) for k, v in known.items()}] * 3000)
    rows = rows.astype({c.name: np.float64 if c.numeric else object for c in COLUMNS})
    filled, account = fitted().impute(Dataset(rows, fitted().schema), run_with(4))
    index = joint().index.to_frame()
    fits = np.logical_and.reduce([(index[k] == v).to_numpy() for k, v in known.items() if k not in holes])
    truth = joint()[fits & (index["ward"] != "-").to_numpy()]
    assert agree(filled.frame, truth / truth.sum()) > LEVEL
    assert (account.rows, account.cells, account.thin) == (3000, 3000 * len(holes), 0)


def test_a_gap_that_is_not_to_be_filled_counts_as_known() -> None:
    rows = pd.DataFrame({"season": ["summer"], "score": [np.nan], "ward": [None], "died": ["no"]}).loc[[0] * 3000]
    filled, _ = fitted().impute(Dataset(rows.reset_index(drop=True), fitted().schema), run_with(5), columns=("score",))
    assert filled.frame["ward"].isna().all()
    truth = joint().xs(("summer", "-", "no"), level=("season", "ward", "died"), drop_level=False)
    assert agree(filled.frame, truth / truth.sum()) > LEVEL
