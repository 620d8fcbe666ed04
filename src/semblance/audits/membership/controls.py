"""How large a leak the shadow attack would have seen: the judged table with some real rows mixed in, scored again.

The shadow models are there already, so a leaky control costs only the reading of one more table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.leak import LEAKS, mix
from semblance.audits.membership import answers
from semblance.audits.membership.lira import Attack
from semblance.contracts import Comparison, Run
from semblance.evidence import Finding
from semblance.stats import Estimate

Floats = NDArray[np.float64]

RATE = 0.01
AGAIN = math.sqrt(2)
"""A second draw of a leak scatters around the first by this many times the scatter of one: both are drawn."""


def leak(attack: Attack, plain: Floats, comparison: Comparison, run: Run) -> Finding:
    """`power.shadow.leak`: the smallest leak from which on every larger one is seen.

    What is asked is the share of members found at 1 % false alarms where that can be certified, the area otherwise:
    chosen by the number of held-out patients, never by what was found.

    Args:
        plain: Scores without a leak: (n_targets,).
    """
    member = attack.targets.member
    others = int((~member).sum())
    sharp = others >= stats.smallest_n(RATE)
    tried = [share for share in LEAKS if share == 0 or round(share * comparison.fake.n_rows)]
    quiet = replace(run, seeds=run.seeds.within("power"))

    def measure(share: float) -> Estimate:
        score = attack.scores(mix(comparison, share, quiet)) if share else plain
        if not sharp:
            return stats.auc_interval(score, member)
        hit = answers.hits(blank(), answers.ring(score, member, attack.part, RATE), member, rate=RATE, method="")
        assert hit.value is not None
        assert hit.low is not None
        assert hit.high is not None
        return Estimate(hit.value, hit.low, hit.high)

    found = run.engine.map(measure, tried)
    name = "membership.shadow.tpr_at_fpr_1pct" if sharp else "membership.shadow.auc"
    return _limit(tried, found, name, RATE if sharp else 0.5, n=len(member), queries=others * len(tried))


def _limit(
    tried: Sequence[float], found: Sequence[Estimate], name: str, baseline: float, *, n: int, queries: int
) -> Finding:
    """Where leaks are seen: where the interval begins above the baseline and above the answer without a leak."""

    def seen(i: int, widths: float) -> bool:
        floor = max(baseline, found[0].value) if i else baseline
        return found[i].value - widths * (found[i].value - found[i].low) > floor

    doses = [
        {"leak": share, "value": answer.value, "low": answer.low, "high": answer.high, "seen": seen(i, 1.0)}
        for i, (share, answer) in enumerate(zip(tried, found, strict=True))
    ]
    value = _from_here_on(tried, [seen(i, 1.0) for i in range(len(tried))])
    sure = _from_here_on(tried, [seen(i, 1.0 + AGAIN) for i in range(len(tried))])
    missed = [share for i, share in enumerate(tried) if i and not seen(i, 1.0)]
    told = "the attack sees something in the table as it is; a leak counts as seen where it shows beyond that"
    none = f"not even a leak of {tried[-1]:.0%} of the rows was seen"
    shares = ", ".join(f"{100 * share:g}" for share in tried)
    return replace(
        blank(),
        value=value,
        low=None if value is None else max(missed, default=0.0),
        high=None if value is None else 1.0 if sure is None else max(sure, value),
        n=n,
        status="underpowered" if value is None else "measured",
        why=none if value is None else told * seen(0, 1.0),
        method=f"the judged table with a known share of its rows replaced by training rows, attacked again, at {shares}"
        f" % of its rows; seen where the interval of {name} begins above its baseline and above its value without a "
        "leak; the interval ends at the smallest leak that another draw would show with 97.5 % probability",
        detail={"finding": name, "baseline": baseline, "standing": seen(0, 1.0), "queries": queries, "doses": doses},
    )


def _from_here_on(tried: Sequence[float], seen: Sequence[bool]) -> float | None:
    """The smallest leak above 0 that was seen together with every larger one."""
    value = None
    for share, rings in zip(tried[:0:-1], seen[:0:-1], strict=True):
        if not rings:
            break
        value = share
    return value


def blank() -> Finding:
    """Not yet measured."""
    return Finding(
        "power.shadow.leak",
        "How large a leak of real rows would membership by shadow models have seen?",
        unit="share",
        direction="lower",
        status="underpowered",
        why="the attack itself could not be measured on these tables",
    )
