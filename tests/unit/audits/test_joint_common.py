"""One patient who lacks two values is no link between two columns."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.audits.fidelity.joint import _common, cramers_v


def test_a_single_patient_makes_no_association() -> None:
    table = np.zeros((11, 11))
    table[:10, :10] = 27.0  # two independent columns in tenths …
    table[10, 10] = 1.0  # … and one patient for whom both are missing
    assert cramers_v(table) > 0.25
    assert cramers_v(_common(table)) == 0.0


def test_what_many_patients_lack_together_still_shows() -> None:
    table = np.zeros((3, 3))
    table[:2, :2] = 100.0
    table[2, 2] = 200.0
    assert cramers_v(_common(table)) == pytest.approx(cramers_v(table))
    assert cramers_v(table) > 0.6
