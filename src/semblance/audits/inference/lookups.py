"""DiSCO and RepU as findings, with held-out patients as the control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.advantage import FEW, Tally, one_sided_p
from semblance.attacks.targets import Targets
from semblance.audits.inference.disclosure import Disclosed, Keys, disclosed, expected, replicated
from semblance.audits.inference.secrets import Secret
from semblance.contracts import Comparison
from semblance.evidence import Finding

Mask = NDArray[np.bool_]

ASKS = {
    "disco": "Of how many training patients does the table disclose a secret, rightly, by quasi-identifiers alone?",
    "repu": "How many training patients are unique by quasi-identifiers both in reality and in the synthetic table?",
}


def blank(which: str, why: str, *, skipped: bool = False) -> Finding:
    """One of the two, not measured."""
    return Finding(
        f"inference.{which}.share",
        ASKS[which],
        unit="share",
        direction="lower",
        status="skipped" if skipped else "underpowered",
        why=why,
    )


@dataclass(frozen=True)
class Share:
    """Who was hit, members first, and what it may be compared with."""

    hit: Mask
    member: Mask

    def tallies(self) -> tuple[Tally, Tally]:
        sides = (self.hit[self.member], self.hit[~self.member])
        return Tally(int(sides[0].sum()), len(sides[0])), Tally(int(sides[1].sum()), len(sides[1]))

    def excess(self, confidence: float = 0.95) -> stats.Estimate:
        """Training patients hit minus held-out patients hit, with Newcombe's interval."""
        a, b = self.tallies()
        return stats.newcombe(a.hits, a.n, b.hits, b.n, confidence=confidence)

    def entry(self, confidence: float) -> dict[str, Any]:
        """What a chart needs: the share with its interval, the control, and the difference with its own."""
        a, b = self.tallies()
        low, high = stats.wilson(a.hits, a.n, confidence=confidence)
        found = self.excess(confidence)
        return {
            "value": a.rate,
            "low": low,
            "high": high,
            "others": b.rate,
            "excess": {"value": found.value, "low": found.low, "high": found.high},
            "p": one_sided_p(a, b),
        }


def repu(keys: Keys, comparison: Comparison, targets: Targets) -> Finding:
    """The share of training patients unique in both tables."""
    original, synthetic, both = replicated(keys, comparison.train, comparison.fake, targets.members, targets.others)
    share = Share(both, targets.member)
    entry = share.entry(0.95)
    detail = {
        **entry,
        "members": entry["value"],
        "keys": [c.name for c in keys.columns],
        "unique_original": float(original[targets.member].mean()),
        "unique_synthetic": float(synthetic[targets.member].mean()),
        "queries": int((~targets.member).sum()),
    }
    method = (
        f"RepU of Raab, Nowok and Dibben (2024): share of training patients whose {len(keys.columns)} "
        "quasi-identifiers no other training patient has and one synthetic patient has; Wilson interval; the baseline "
        "is the same share of held-out patients"
    )
    return _finding("repu", entry, detail, targets, method)


def disco(keys: Keys, secrets: Sequence[Secret], comparison: Comparison, targets: Targets) -> Finding:
    """The share of training patients whose cell gives their secret away, for the secret with the largest excess."""
    level = 1 - 0.05 / len(secrets)
    listed = [_of_secret(keys, s, comparison, targets, level) for s in secrets]
    adjusted = stats.holm([entry["p"] for entry in listed])
    listed = [{**entry, "holm": float(p)} for entry, p in zip(listed, adjusted, strict=True)]
    top = max(listed, key=lambda entry: entry["excess"]["value"])
    detail = {
        "name": top["name"],
        "members": top["value"],
        "others": top["others"],
        "excess": top["excess"],
        "p": float(adjusted.min()),
        "keys": [c.name for c in keys.columns],
        "secrets": listed,
        "queries": len(secrets) * int((~targets.member).sum()),
    }
    method = (
        "DiSCO of Raab, Nowok and Dibben (2024): share of training patients whose synthetic cell by "
        f"{len(keys.columns)} quasi-identifiers holds one secret, and theirs; of {len(secrets)} secrets the one with "
        "the largest excess over held-out patients, who are the baseline; Wilson interval, Bonferroni over the secrets"
    )
    return _finding("disco", top, detail, targets, method)


def _finding(which: str, entry: dict[str, Any], detail: dict[str, Any], targets: Targets, method: str) -> Finding:
    sides = targets.members.n_rows, targets.others.n_rows
    few = min(sides) < FEW
    return replace(
        blank(which, "not yet measured"),
        value=entry["value"],
        low=entry["low"],
        high=entry["high"],
        n=sum(sides),
        baseline=entry["others"],
        status="underpowered" if few else "measured",
        why=f"fewer than {FEW} training or held-out patients" if few else "",
        method=method,
        detail=detail,
    )


def _of_secret(
    keys: Keys, secret: Secret, comparison: Comparison, targets: Targets, confidence: float
) -> dict[str, Any]:
    sides = (targets.members, targets.others)
    asked = np.concatenate([keys(side, but=secret.name) for side in sides])
    truth = np.concatenate([secret.values(side) for side in sides])
    found = disclosed(secret, keys(comparison.fake, but=secret.name), comparison.fake, asked, truth)
    member = targets.member
    own = disclosed(secret, keys(comparison.train, but=secret.name), comparison.train, asked[member], truth[member])
    return {
        "name": secret.name,
        **Share(found.right, member).entry(confidence),
        "in_synthetic": float(found.present[member].mean()),
        "disclosive": float(found.disclosive[member].mean()),
        "original": float(own.right.mean()),
        **_expected(secret, keys, targets, found),
    }


def _expected(secret: Secret, keys: Keys, targets: Targets, found: Disclosed) -> dict[str, Any]:
    """How much of what was disclosed follows from the population, by no key or by one: nobody's loss."""
    common = expected(secret, keys, (targets.members, targets.others))
    hit = found.right & targets.member
    total = max(1, int(hit.sum()))
    shares = {name: float((mask & hit).sum() / total) for name, mask in common.items()}
    together = np.logical_or.reduce([*common.values(), np.zeros(len(hit), dtype=bool)])
    return {
        "expected": float((together & hit).sum() / total),
        "expected_one_way": shares.get("", 0.0),
        "expected_two_way": [{"key": n, "share": s} for n, s in shares.items() if n and s > 0],
    }
