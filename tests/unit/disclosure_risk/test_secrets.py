"""l-diversity and t-closeness: by hand, by the papers, by brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.data.dataset import Dataset
from semblance.disclosure_risk.secrets import Diversity, diversity
from semblance.schema import Column, Schema


def judged(column: Column, values: list[object], classes: list[int]) -> Diversity:
    data = Dataset(pd.DataFrame({column.name: values}), Schema((column,)))
    return diversity(data, np.arange(len(values)), column, np.array(classes))


def test_labels_counted_by_hand() -> None:
    # class 0: flu, flu, hiv; class 1: flu alone; class 2: nobody's is known
    found = judged(Column("s", "category"), ["flu", "flu", "hiv", "flu", None], [0, 0, 0, 1, 2])
    assert found.sizes.tolist() == [3, 1]
    assert found.distinct.tolist() == [2, 1]
    assert found.entropy == pytest.approx([np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))), 1.0])
    # overall 3/4 flu, 1/4 hiv: |2/3 − 3/4| = 1/12 and |1 − 3/4| = 1/4
    assert found.closeness == pytest.approx([1 / 12, 1 / 4])
    assert not found.ordered
    assert found.share(found.distinct == 1) == 0.25


def test_salaries_of_the_paper_on_t_closeness() -> None:
    """Li, Li and Venkatasubramanian (2007): nine salaries; 3, 4, 5 are farther from all than 6, 8, 11."""
    salaries = [3.0, 4.0, 5.0, 6.0, 11.0, 8.0, 7.0, 9.0, 10.0]
    found = judged(Column("salary", "number"), salaries, [0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert found.ordered
    assert found.closeness[0] == pytest.approx(0.375)
    assert found.closeness[1] == pytest.approx(0.167, abs=5e-4)
    assert found.closeness[2] == pytest.approx(0.236, abs=5e-4)


def test_steps_keep_the_order_of_their_categories() -> None:
    column = Column("pain", "ordinal", categories=("none", "mild", "severe"))
    found = judged(column, ["none", "mild", "severe"], [0, 1, 2])
    # cumulated shares 1/3, 2/3, 1: the middle one is nearest to all
    assert found.closeness == pytest.approx([1 / 2, 1 / 3, 1 / 2])


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=40),
    st.sampled_from(["number", "category"]),
)
@settings(max_examples=60, deadline=None)
def test_distances_agree_with_their_definitions(pairs: list[tuple[int, int]], kind: str) -> None:
    classes = np.unique([c for c, _ in pairs], return_inverse=True)[1]
    values = [v for _, v in pairs]
    shown: list[object] = [float(v) if kind == "number" else str(v) for v in values]
    found = judged(Column("s", kind), shown, classes.tolist())  # type: ignore[arg-type]
    levels = np.unique(values)
    overall = np.array([np.mean(np.array(values) == v) for v in levels])
    for k in range(classes.max() + 1):
        mine = np.array(values)[classes == k]
        share = np.array([np.mean(mine == v) for v in levels])
        if kind == "number":
            expected = np.abs(np.cumsum(share - overall)).sum() / max(1, len(levels) - 1)
        else:
            expected = np.abs(share - overall).sum() / 2
        assert found.closeness[k] == pytest.approx(expected, abs=1e-12)
        assert found.distinct[k] == len(np.unique(mine))
        assert found.entropy[k] == pytest.approx(np.exp(-(share[share > 0] * np.log(share[share > 0])).sum()))
