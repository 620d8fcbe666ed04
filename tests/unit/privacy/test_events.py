from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.errors import Unsupported
from semblance.privacy import events as ev

noises = st.floats(0.01, 1e4)
leaves = st.one_of(
    st.builds(ev.Gaussian, noises),
    st.builds(ev.DiscreteGaussian, noises, st.integers(1, 50)),
    st.builds(ev.Laplace, noises),
    st.builds(ev.Selection, noises),
    st.builds(ev.Zcdp, noises),
    st.builds(ev.Failure, st.floats(0, 0.5)),
    st.just(ev.Uncharged()),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(ev.Poisson, st.floats(0.001, 1), inner),
        st.builds(ev.Repeated, inner, st.integers(1, 1000)),
        st.builds(ev.Composed, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@given(trees)
def test_a_tree_comes_back_from_json_as_it_was(tree: ev.Event) -> None:
    assert ev.from_json(json.loads(json.dumps(ev.to_json(tree)))) == tree
    assert ev.describe(tree)


@pytest.mark.parametrize(
    "written",
    [
        {"event": "magic"},
        {"event": "gaussian", "noise_multiplier": -1},
        {"event": "gaussian", "noise_multiplier": 1, "kind": "other"},
        {"event": "repeated", "count": 2},
        "gaussian",
        None,
    ],
)
def test_what_is_not_known_is_refused(written: object) -> None:
    with pytest.raises(Unsupported):
        ev.from_json(written)


def test_impossible_parameters_are_refused() -> None:
    for make in (
        lambda: ev.Gaussian(0),
        lambda: ev.Laplace(float("inf")),
        lambda: ev.Failure(1.0),
        lambda: ev.Poisson(0, ev.Gaussian(1)),
        lambda: ev.Repeated(ev.Gaussian(1), 0),
    ):
        with pytest.raises(ValueError, match="must be"):
            make()
