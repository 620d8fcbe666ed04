"""Named streams: the same purpose gives the same numbers, whatever ran before."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semblance.seeds import Seeds

purposes = st.text(min_size=1, max_size=20)


@given(st.integers(0, 2**63), purposes)
def test_a_purpose_restarts_its_stream(root: int, purpose: str) -> None:
    seeds = Seeds(root)
    first = seeds(purpose).random(3)
    seeds("something else").random(5)
    assert np.array_equal(first, seeds(purpose).random(3))


@given(st.integers(0, 2**63), purposes, purposes)
def test_purposes_do_not_share_a_stream(root: int, one: str, other: str) -> None:
    same = np.array_equal(Seeds(root)(one).random(2), Seeds(root)(other).random(2))
    assert same == (one == other)


@given(st.integers(0, 2**63), purposes)
def test_integers_fit_a_library_that_wants_31_bits(root: int, purpose: str) -> None:
    assert 0 <= Seeds(root).integer(purpose) < 2**31


def test_a_sub_task_has_streams_of_its_own() -> None:
    seeds = Seeds(1)
    assert seeds.within("fold/1")("split").random() != seeds.within("fold/2")("split").random()
    assert seeds.within("fold/1")("split").random() != seeds("split").random()


def test_the_same_numbers_in_another_process() -> None:
    """Not keyed by Python's `hash`, which differs from process to process."""
    code = "from semblance.seeds import Seeds; print(Seeds(7)('split').integers(10**9))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == Seeds(7)("split").integers(10**9)
