"""At most so many of each patient, whoever else is there."""

from __future__ import annotations

import numpy as np

from semblance.privacy.capping import few_of_each


def test_few_of_each_are_kept_in_order_and_nobody_is_left_out() -> None:
    subjects = np.random.default_rng(0).integers(0, 40, 500)
    for most in (1, 3):
        kept = few_of_each(subjects, most)
        assert (np.diff(kept) > 0).all()
        counts = np.bincount(subjects[kept], minlength=40)
        assert (counts == np.minimum(np.bincount(subjects, minlength=40), most)).all()


def test_which_are_kept_is_chance() -> None:
    found = np.concatenate([few_of_each(np.zeros(4, dtype=np.int64), 1) for _ in range(400)])
    assert (np.abs(np.bincount(found, minlength=4) - 100) < 45).all()


def test_nobody() -> None:
    assert len(few_of_each(np.zeros(0, dtype=np.int64), 2)) == 0
