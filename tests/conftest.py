"""What every test may use: a small table of made-up patients and a Run that leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.contracts import Run
from semblance.engines.local import Local
from semblance.privacy.ledger import Ledger
from semblance.seeds import Seeds

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def shared_data() -> Path:
    """Real tables beside the checkout; a test that wants them is skipped where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("shared/data is not beside this checkout")
    return SHARED_DATA


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """A Run with one worker: ``make_run(seed=3)``."""

    def make(*, seed: int = 0, quick: bool = False) -> Run:
        return Run(Seeds(seed), Ledger(), Local(workers=1), quick=quick)

    return make


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
