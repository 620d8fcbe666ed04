"""Hits among training patients against hits among patients never seen: what an attack gained from the synthetic table.

The same attack is run on both. What it finds among held-out patients it owes to the population, not to a leak
(Giomi et al. 2023 call this the control attack; Yeom et al. 2018 the membership advantage), so the leak is the
difference. Its interval is never clipped: a difference may be negative, and an upper bound that was rounded up to zero
would hide how little the sample can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy import stats as distributions

from semblance import stats
from semblance.evidence import NOTHING_TO_ASK, Finding, Status

FEW = 100
"""Attacks on either side below which a difference of shares is noise."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often an attack hit. `n` counts patients, one attack each."""

    hits: float
    n: float

    @property
    def rate(self) -> float:
        return self.hits / self.n if self.n else 0.0


def advantage(
    name: str,
    question: str,
    *,
    members: Tally,
    others: Tally,
    naive: Tally | None = None,
    method: str = "",
    detail: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
) -> Finding:
    """The finding of one attack: share of training patients hit minus share of held-out patients hit.

    Args:
        members, others: Hits among training patients, and among held-out patients: the control.
        naive: Hits, among training patients, of a guess that looks at no synthetic row. An attack no better than it
            has not shown what it can do, and the report says so.
        method: How it was measured. detail: What a chart needs beside the rates.

    Returns:
        A finding in shares, lower is better, baseline 0, with Newcombe's interval (1998, method 10); `high` is a
        one-sided bound at confidence (1 + `confidence`) / 2. Underpowered below 100 attacks on either side. The detail
        holds the rates "members", "others" and "naive", and "p", the one-sided p of no difference.
    """
    found = stats.newcombe(members.hits, members.n, others.hits, others.n, confidence=confidence)
    few = min(members.n, others.n) < FEW
    rates: dict[str, Any] = {"members": members.rate, "others": others.rate, "p": one_sided_p(members, others)}
    if naive is not None:
        low, high = stats.wilson(naive.hits, naive.n)
        rates |= {"naive": naive.rate, "naive_low": low, "naive_high": high}
    return Finding(
        name,
        question,
        value=found.value,
        low=found.low,
        high=found.high,
        confidence=confidence,
        n=int(members.n + others.n),
        unit="share",
        direction="lower",
        baseline=0.0,
        status="underpowered" if few else "measured",
        why=f"fewer than {FEW} attacks on training or on held-out patients" if few else "",
        method=f"{method}; share of training patients hit minus share of held-out patients hit; Newcombe interval",
        detail={**rates, **(detail or {})},
    )


def unmeasured(name: str, question: str, *, status: Status, why: str) -> Finding:
    """The finding of an attack that could not be made. Skipped means that there was nothing to ask, and says so."""
    return Finding(
        name,
        question,
        unit="share",
        direction="lower",
        baseline=0.0,
        status=status,
        why=why,
        detail={NOTHING_TO_ASK: True} if status == "skipped" else {},
    )


def one_sided_p(members: Tally, others: Tally) -> float:
    """Chance of at least this many hits among members, were both sides alike (Fisher's exact test, one-sided)."""
    a, n, b, m = (round(x) for x in (members.hits, members.n, others.hits, others.n))
    if min(n, m) == 0:
        return 1.0
    return float(distributions.hypergeom.sf(a - 1, n + m, a + b, n))
