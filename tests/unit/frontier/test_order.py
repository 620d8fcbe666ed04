"""Curves whose order is known: what only rises is said to, a planted turn is found, and noise turns nothing."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.frontier.order import order_of, rising
from semblance.frontier.points import Luck

KNOB = [0.5, 1.0, 2.0, 4.0, 8.0]


def judged(values: list[float], error: float) -> str:
    return order_of(KNOB, values, [error] * len(values)).verdict


def test_planted_curves_are_named() -> None:
    assert judged([0.50, 0.55, 0.60, 0.65, 0.70], 0.01) == "rises"
    assert judged([0.70, 0.65, 0.60, 0.55, 0.50], 0.01) == "falls"
    assert judged([0.60, 0.61, 0.60, 0.59, 0.60], 0.01) == "flat"
    assert judged([0.50, 0.60, 0.70, 0.60, 0.50], 0.01) == "turns"


def test_a_step_against_the_order_is_forgiven_within_its_error_only() -> None:
    wiggle = [0.50, 0.60, 0.58, 0.65, 0.70]
    assert judged(wiggle, 0.02) == "rises"
    found = order_of(KNOB, wiggle, [0.002] * 5)
    assert found.verdict == "turns"
    assert found.turn == (1.0, 2.0)
    assert found.p_rises is not None
    assert found.p_rises < 0.001


def test_without_an_error_no_step_is_forgiven() -> None:
    assert judged([1.0, 2.0, 3.0, 4.0, 5.0], 0.0) == "rises"
    assert judged([1.0, 2.0, 1.9, 4.0, 5.0], 0.0) == "turns"
    assert judged([1.0, 1.0, 1.0, 1.0, 1.0], 0.0) == "flat"


def test_errors_that_were_learned_are_trusted_less() -> None:
    """With errors from two fits at each of five values: a flat line is doubted no more often than stated."""
    rng, doubted = np.random.default_rng(0), 0
    for _ in range(300):
        fits = rng.normal(size=(5, 2))
        luck = Luck.of(list(fits), [1.0] * 5)
        found = order_of(KNOB, list(fits.mean(axis=1)), [luck.error(2)] * 5, freedom=luck.freedom)
        doubted += found.verdict != "flat"
    assert doubted <= 25  # 15 expected
    values, errors = [0.50, 0.52, 0.54, 0.56, 0.58], [0.015] * 5
    p_known, p_learned = (order_of(KNOB, values, errors, freedom=n).p_falls for n in (0, 2))
    assert p_known is not None
    assert p_learned is not None
    assert p_known < p_learned


def test_one_point_has_no_order() -> None:
    assert order_of([1.0], [0.5], [0.1]).verdict == "unknown"


def test_the_line_is_that_of_pooled_adjacent_violators() -> None:
    """Worked out by hand: 3 and 2 are pooled to 2.5; 4 and 1, weighing 1 and 3, to 1.75."""
    line = rising(np.array([[1.0, 3.0, 2.0, 5.0]]), np.ones(4))
    assert line[0] == pytest.approx([1.0, 2.5, 2.5, 5.0])
    line = rising(np.array([[4.0, 1.0, 2.0]]), np.array([1.0, 3.0, 1.0]))
    assert line[0] == pytest.approx([1.75, 1.75, 2.0])


def test_a_true_order_is_doubted_no_more_often_than_stated() -> None:
    """Flat is the hardest order of all: 5 in 100 draws may be said to change, and so fewer may be said to turn."""
    rng = np.random.default_rng(0)
    draws = [order_of(KNOB, list(0.6 + 0.02 * rng.standard_normal(5)), [0.02] * 5) for _ in range(200)]
    doubted = sum(d.p_rises < 0.05 for d in draws if d.p_rises is not None)
    assert doubted <= 20  # 10 expected; 20 or more come once in 300
    assert sum(d.verdict != "flat" for d in draws) <= 20
    rises = [
        order_of(KNOB, list(np.linspace(0.5, 0.7, 5) + 0.02 * rng.standard_normal(5)), [0.02] * 5) for _ in range(100)
    ]
    assert sum(r.verdict == "rises" for r in rises) >= 95
