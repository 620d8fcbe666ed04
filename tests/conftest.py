"""What every test may use: a small table of made-up patients."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(autouse=True)
def _command_line_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` sets hooks for a process of its own; here warnings stay errors and unforeseen errors stay visible."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "warnoptions", ["error"])


@pytest.fixture(autouse=True, scope="session")
def _one_processor() -> Iterator[None]:
    """Nets as small as those of tests gain nothing from a second thread, which would fight with the tests beside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semblance.nets.PROCESSORS", 1)
        yield


@pytest.fixture(autouse=True)
def _ledger_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a test spends is nobody else's."""
    monkeypatch.setenv("SEMBLANCE_LEDGER", str(tmp_path_factory.mktemp("ledger") / "ledger.db"))


def made_up_patients(n: int, *, seed: int = 0) -> pd.DataFrame:
    """`n` people who never lived, with links between their columns: age and sex drive pressure, pressure drives death.

    No column of theirs is as unique as a name, so that nothing here is an identifier.
    """
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 95, n)
    sex = rng.choice(["female", "male"], n)
    pressure = np.round(90 + 0.6 * age + 6 * (sex == "male") + rng.normal(0, 10, n), 0).astype(int)
    risk = 1 / (1 + np.exp(-(pressure - 140) / 8))
    ward = np.where(age > 65, rng.choice(["geriatrics", "surgery"], n), rng.choice(["surgery", "trauma"], n))
    sodium = np.round(rng.normal(139, 4, n), 1).astype(object)
    sodium[rng.random(n) < 0.15] = ""
    died = np.where(rng.random(n) < risk, "yes", "no")
    return pd.DataFrame(
        {"age": age, "sex": sex, "ward": ward, "pressure": pressure, "sodium": sodium, "died": died},
    )


@pytest.fixture(scope="session")
def patients_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 400 made-up patients; the outcome is ``died``."""
    path = tmp_path_factory.mktemp("patients") / "patients.csv"
    made_up_patients(400).to_csv(path, index=False)
    return path
