"""The group of patients that is told best: an average over all would hide it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance import stats
from semblance.attacks.targets import SMALLEST, Targets
from semblance.evidence import Finding


def group(blank: Finding, score: NDArray[np.float64], targets: Targets, *, method: str) -> Finding:
    """The group with the largest area. The lower bound holds for all groups together (Bonferroni). The upper is the
    largest of their own, since whichever is told best lies below its own bound as often as stated (Berger 1982): a
    small group may be worse off than its area says, and the bound of a large one would hide it.
    """
    if not targets.groups:
        why = f"no group has {SMALLEST} training and {SMALLEST} held-out patients"
        return replace(blank, status="underpowered", why=why)
    level = 1 - 0.05 / len(targets.groups)
    found, p = [], []
    for name, mask in targets.groups.items():
        mine, member = score[mask], targets.member[mask]
        own = stats.auc_interval(mine, member)
        own = own._replace(low=stats.auc_interval(mine, member, confidence=level).low)
        found.append((name, own, int(mask.sum())))
        p.append(float(distributions.mannwhitneyu(mine[member], mine[~member], alternative="greater").pvalue))
    adjusted = stats.holm(p)
    at = int(np.argmax([area.value for _, area, _ in found]))
    name, area, n = found[at]
    return replace(
        blank,
        value=area.value,
        low=max(area.low for _, area, _ in found),
        high=max(area.high for _, area, _ in found),
        n=n,
        status="measured",
        why="",
        method=f"{method}; DeLong interval, the lower bound Bonferroni's over {len(found)} groups, the upper bound the "
        "largest of theirs",
        detail={
            "group": name,
            "p": float(adjusted[at]),
            "groups": [
                {"name": name, "value": area.value, "low": area.low, "high": area.high, "p": float(adjusted[i])}
                for i, (name, area, _) in enumerate(found)
            ],
        },
    )
