"""On fresh patients, singling out and linkage alarm no more often than stated, at even and uneven splits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semblance.audits.linkage import Linkage
from semblance.audits.singling_out import SinglingOut
from semblance.contracts import Audit, Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("age", "integer", role="quasi-identifier"),
    Column("sex", "category", role="quasi-identifier"),
    Column("a", "number", decimals=2),
    Column("b", "number", decimals=1),
    Column("seen", "date"),
    Column("y", "boolean", role="target"),
)
AUDITS: dict[str, Audit] = {"singling_out": SinglingOut(attacks=800), "linkage": Linkage()}


def table(n: int, rng: np.random.Generator) -> Dataset:
    """Few unusual patients with long tails, a measurement often missing, dates, negative numbers."""
    cause = rng.standard_t(4, size=n)
    frame = pd.DataFrame(
        {
            "age": np.round(60 + 8 * cause + 8 * rng.normal(size=n)),
            "sex": rng.choice(["f", "m"], n).astype(object),
            "a": np.round(cause + rng.standard_t(3, size=n), 2),
            "b": pd.Series(np.round(rng.exponential(np.exp(cause / 4)), 1)).mask(rng.random(n) < 0.3),
            "seen": (pd.Timestamp("1969-06-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")).astype(
                "datetime64[us]"
            ),
            "y": np.where(cause + rng.logistic(size=n) > 0, "1", "0").astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def false_alarms(audit: Audit, sizes: tuple[int, int, int], trials: int) -> dict[str, tuple[int, int]]:
    """Of each finding, how often its interval lay above zero, and how often its p was at most 0.05."""
    found: dict[str, tuple[int, int]] = {}
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        train, held, fake = (table(n, rng) for n in sizes)
        comparison = Comparison(train, held, replace(fake, origin="synthetic"))
        for finding in audit.judge(comparison, Run(Seeds(seed), Ledger(), Local(1), quick=True)):
            if finding.low is not None:
                above, small = found.get(finding.name, (0, 0))
                found[finding.name] = (above + (finding.low > 0), small + (finding.detail["p"] <= 0.05))
    return found


def check(audit: Audit, sizes: tuple[int, int, int], trials: int) -> None:
    found = false_alarms(audit, sizes, trials)
    assert len(found) >= 3
    for name, (above, small) in found.items():
        # One-sided: the interval has 95 %, so 2.5 % above; each within the 99 % band of a binomial.
        assert above <= binom.ppf(0.995, trials, 0.025), name
        assert small <= binom.ppf(0.995, trials, 0.05), name


SIZES = pytest.mark.parametrize("sizes", [(250, 250, 250), (400, 100, 400)], ids=["50/50", "80/20"])


@SIZES
@pytest.mark.parametrize("audit", AUDITS)
def test_forty_innocent_tables(audit: str, sizes: tuple[int, int, int]) -> None:
    check(AUDITS[audit], sizes, 40)


@pytest.mark.slow
@SIZES
@pytest.mark.parametrize("audit", AUDITS)
def test_two_hundred_innocent_tables(audit: str, sizes: tuple[int, int, int]) -> None:
    check(AUDITS[audit], sizes, 200)
