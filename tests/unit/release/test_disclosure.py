from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.evidence import Evidence, Finding
from semblance.release.disclosure import protect, protect_count


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, None),
        (0, 0),
        (1, None),
        (10, None),
        (11, 15),
        (12, 15),
        (13, 15),
        (17, 15),
        (18, 20),
        (22, 20),
        (1003, 1005),
    ],
)
def test_a_count(count: int | None, shown: int | None) -> None:
    assert protect_count(count) == shown


def finding(**detail: Any) -> Finding:
    return Finding("a.b", "?", 0.5, 0.4, 0.6, n=100, detail=detail)


def test_counts_are_found_however_deep_and_nothing_else_is_touched() -> None:
    detail = {
        "columns": [{"name": "age", "holdout_counts": [3, 40, None], "edges": [3, 7], "floor": 0.07}],
        "grid": {"synthetic_counts": [[0, 4], [11, 23]]},
        "by": {"rows_counts": {"a": 7, "b": 8.0, "c": 19}},
        "share": 0.03,
    }
    protected = protect(Evidence((finding(**detail),))).findings[0]
    assert protected.detail == {
        "columns": [{"name": "age", "holdout_counts": [None, 40, None], "edges": [3, 7], "floor": 0.07}],
        "grid": {"synthetic_counts": [[0, None], [15, 25]]},
        "by": {"rows_counts": {"a": None, "b": None, "c": 20}},
        "share": 0.03,
    }
    assert (protected.value, protected.low, protected.high, protected.n) == (0.5, 0.4, 0.6, 100)


def test_small_totals_and_provenance_are_protected_too() -> None:
    few = Finding("a.b", "?", status="underpowered", why="too few", n=7)
    evidence = protect(Evidence((few,), provenance={"site_counts": {"north": 4, "south": 400}, "seed": 7}))
    assert evidence.findings[0].n == 0
    assert evidence.provenance == {"site_counts": {"north": None, "south": 400}, "seed": 7}


Tree = st.recursive(
    st.integers(0, 60) | st.none() | st.floats(0, 60),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b_counts", "counts"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def leaves(value: Any, *, counted: bool = False) -> list[Any]:
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in leaves(v, counted=counted or str(k).endswith("counts"))]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in leaves(v, counted=counted)]
    return [value] if counted else []


@given(st.dictionaries(st.sampled_from(["x", "x_counts"]), Tree, max_size=2))
def test_no_small_count_survives_and_twice_is_once(detail: dict[str, Any]) -> None:
    once = protect(Evidence((finding(**detail),)))
    assert all(x is None or x == 0 or (x >= 15 and x % 5 == 0) for x in leaves(once.findings[0].detail))
    assert protect(once) == once
