"""How large a leak the shadow attack would have seen: the judged table with some real rows mixed in, scored again.

The shadow models are there already, so a leaky control costs only the reading of one more table.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.leak import LEAKS, mix
from semblance.attacks.response import Response, unmeasured
from semblance.audits.membership import answers
from semblance.audits.membership.lira import Attack
from semblance.contracts import Comparison, Run
from semblance.evidence import Finding
from semblance.stats import Estimate

Floats = NDArray[np.float64]

RATE = 0.01
NAME, WORDS = "shadow", "membership by shadow models"


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
    tried = tuple(share for share in LEAKS if share == 0 or round(share * comparison.fake.n_rows))
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

    return Response(
        NAME,
        WORDS,
        "membership.shadow.tpr_at_fpr_1pct" if sharp else "membership.shadow.auc",
        RATE if sharp else 0.5,
        tried,
        tuple(run.engine.map(measure, tried)),
        n=len(member),
        queries=others * len(tried),
    ).limit()


def blank() -> Finding:
    """Not yet measured."""
    return unmeasured(NAME, WORDS)
