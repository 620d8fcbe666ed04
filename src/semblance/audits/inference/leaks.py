"""From hits to findings: each secret, the worst of them, the isolated patients, the worst subgroup.

Every finding here is the largest of several leaks: several attackers on one secret, or several secrets, or several
groups. Its lower bound is the largest of their lower bounds at a confidence that holds for all of them together
(Bonferroni), so an alarm comes no more often than stated however many were tried. Its upper bound is the largest of
their own upper bounds: whichever truly leaks most lies below its own as often as stated, and so below the largest (the
intersection–union argument of Berger 1982). No patient is spent on choosing the strongest attacker. The value is that
of the leak with the largest lower bound: the one that is best established, not the luckiest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.advantage import FEW, Tally, one_sided_p, unmeasured
from semblance.attacks.targets import Targets
from semblance.audits.inference.attack import Attacked
from semblance.audits.inference.secrets import Secret
from semblance.evidence import Finding

Mask = NDArray[np.bool_]

TOGETHER = {
    "worst": "Of all secrets, how much does the table give away about the one it protects least?",
    "outliers": "Can an attacker guess secrets of isolated training patients better than those of isolated strangers?",
    "groups": "Of all subgroups, how much does the table give away about the secrets of the one it protects least?",
}
"""What each finding over all secrets asks."""


@dataclass(frozen=True)
class Leak:
    """How often secrets were guessed right, of training and of held-out patients.

    Attributes:
        members, others: Hits at the number of independent answers that they are worth.
        naive: The same for a learner without the synthetic table, of training patients.
        asked: Training and held-out patients behind them.
    """

    members: Tally
    others: Tally
    naive: Tally
    asked: tuple[int, int]

    @classmethod
    def of(cls, hits: Sequence[Mask], naive: Sequence[Mask], who: Mask, member: Mask) -> Leak:
        """Share of secrets guessed right, mean over the patients `who`.

        Args:
            hits, naive: One mask for each secret, over all patients attacked: (n,). who, member: (n,).
        """
        sides = who & member, who & ~member
        return cls(
            _worth([h[sides[0]] for h in hits]),
            _worth([h[sides[1]] for h in hits]),
            _worth([h[sides[0]] for h in naive]),
            (int(sides[0].sum()), int(sides[1].sum())),
        )

    def estimate(self, confidence: float = 0.95) -> stats.Estimate:
        """The difference with Newcombe's interval."""
        a, b = self.members, self.others
        return stats.newcombe(a.hits, a.n, b.hits, b.n, confidence=confidence)

    @property
    def p(self) -> float:
        return one_sided_p(self.members, self.others)


def _worth(hits: Sequence[Mask]) -> Tally:
    """Hits at an effective number of answers: a patient asked k secrets counts as 1 to k, as their spread tells."""
    share = np.mean(hits, axis=0)
    n, rate = len(share), float(share.mean()) if len(share) else 0.0
    spread = float(share.var(ddof=1)) if n > 1 else 0.0
    # Were all patients alike, their spread would say nothing: one answer a patient is the careful number.
    effective = n * min(len(hits), max(1.0, rate * (1 - rate) / spread)) if spread > 0 else float(n)
    return Tally(rate * effective, effective)


def name_of(secret: Secret) -> str:
    """The finding of a secret carries the column's name as it is, unless another finding has that name already."""
    return f"inference.{'column ' if secret.name in TOGETHER else ''}{secret.name}.advantage"


def question_of(secret: Secret) -> str:
    return f"Can an attacker guess {secret.name} of a training patient better than that of a patient never seen?"


def blank(name: str, question: str, why: str, *, skipped: bool = False) -> Finding:
    """A finding that was not measured."""
    return unmeasured(name, question, status="skipped" if skipped else "underpowered", why=why)


def blank_together(which: str, why: str, *, skipped: bool = False) -> Finding:
    return blank(f"inference.{which}.advantage", TOGETHER[which], why, skipped=skipped)


def findings(targets: Targets, attacked: Sequence[Attacked], looked_up: Sequence[Attacked] = ()) -> list[Finding]:
    """Each secret, with Holm's p over all secrets and attackers; the worst; isolated patients; the worst subgroup.

    Args:
        looked_up: Columns that were only looked up: they can be the worst, and have no finding of their own.
    """
    everyone = np.ones(len(targets.member), dtype=bool)
    leaks = {a.secret.name: _by_attacker(targets, [a], everyone) for a in attacked}
    found = [_of_secret(targets, a, leaks[a.secret.name]) for a in attacked]
    leaks |= {a.secret.name: _by_attacker(targets, [a], everyone) for a in looked_up}
    how = f"the worst of {len(leaks)} secrets"
    worst = _strongest("inference.worst.advantage", TOGETHER["worst"], leaks, "secrets", how)
    # The secrets' own answers are counted there.
    queries = len(looked_up) * int((~targets.member).sum())
    return [
        *found,
        replace(worst, detail={**worst.detail, "queries": queries}),
        _of_outliers(targets, attacked),
        _of_groups(targets, attacked),
    ]


def _of_secret(targets: Targets, attacked: Attacked, leaks: Mapping[str, Leak]) -> Finding:
    secret = attacked.secret
    reach = f"at most {secret.tolerance:g} off" if secret.column.numeric else "the same label"
    how = f"a guess is right when {reach}, or missing where it is missing"
    parts = {name: {name: leak} for name, leak in leaks.items()}
    found = _strongest(name_of(secret), question_of(secret), parts, "attackers", how)
    member = targets.member
    extra = {
        "naive_others": _share(attacked.naive[found.detail["attacker"]], ~member),
        "constant": _share(attacked.constant, member),
        "tolerance": secret.tolerance,
        "why": secret.chosen,
        "queries": (len(leaks) + 3) * int((~member).sum()),
    }
    return replace(found, detail={**found.detail, **extra})


def _share(hits: Mask, who: Mask) -> float:
    return float(hits[who].mean()) if who.any() else 0.0


def _of_outliers(targets: Targets, attacked: Sequence[Attacked]) -> Finding:
    """All secrets of the isolated patients; in the detail each by itself."""
    name, question = "inference.outliers.advantage", TOGETHER["outliers"]
    together = {"isolated patients": _by_attacker(targets, attacked, targets.outliers)}
    how = f"mean over {len(attacked)} secrets of each isolated patient"
    found = _strongest(name, question, together, "groups", how)
    each = {a.secret.name: _by_attacker(targets, [a], targets.outliers) for a in attacked}
    return replace(found, detail={**found.detail, "secrets": _listed(each)})


def _of_groups(targets: Targets, attacked: Sequence[Attacked]) -> Finding:
    """The subgroup whose secrets leak most."""
    if not targets.groups:
        return blank_together("groups", f"no subgroup has {FEW} training and {FEW} held-out patients")
    leaks = {name: _by_attacker(targets, attacked, who) for name, who in targets.groups.items()}
    how = f"mean over {len(attacked)} secrets of each patient, the worst of {len(leaks)} subgroups"
    return _strongest("inference.groups.advantage", TOGETHER["groups"], leaks, "groups", how)


def _by_attacker(targets: Targets, attacked: Sequence[Attacked], who: Mask) -> dict[str, Leak]:
    """The leak to each attacker, over the secrets that he can attack."""
    names = dict.fromkeys(name for a in attacked for name in a.hits)
    found = {}
    for name in names:
        able = [a for a in attacked if name in a.hits]
        found[name] = Leak.of([a.hits[name] for a in able], [a.naive[name] for a in able], who, targets.member)
    return found


def _strongest(name: str, question: str, parts: Mapping[str, Mapping[str, Leak]], what: str, how: str) -> Finding:
    """The largest leak over all parts and attackers; see the top of this file.

    Args:
        parts: Leaks by part (a secret, a group, an attacker), then by attacker.
        what: What the parts are called in the detail. how: What is special about them, in words.
    """
    listed = _listed(parts)
    top = max(listed, key=lambda part: part["low"])
    leak = parts[top["name"]][top["attacker"]]
    every = [leak for part in parts.values() for leak in part.values()]
    few = min(min(leak.asked) for leak in every) < FEW
    naive_low, naive_high = stats.wilson(leak.naive.hits, leak.naive.n)
    return replace(
        blank(name, question, f"fewer than {FEW} attacks on training or on held-out patients"),
        value=top["value"],
        low=top["low"],
        high=max(part["high"] for part in listed),
        n=sum(leak.asked),
        status="underpowered" if few else "measured",
        why=f"fewer than {FEW} attacks on training or on held-out patients" if few else "",
        method=f"guesses by {top['attacker']}; {how}; share of training patients hit minus share of held-out patients "
        f"hit; Newcombe interval, the lower bound Bonferroni's over {len(every)} attacks, the upper bound the largest "
        "of theirs",
        detail={
            "members": leak.members.rate,
            "others": leak.others.rate,
            "naive": leak.naive.rate,
            "naive_low": naive_low,
            "naive_high": naive_high,
            "p": min(part["p"] for part in listed),
            "name": top["name"],
            "attacker": top["attacker"],
            what: listed,
            "queries": 0,  # the same answers as in the findings of the secrets
        },
    )


def _listed(parts: Mapping[str, Mapping[str, Leak]]) -> list[dict[str, Any]]:
    """Of each part the attacker whose leak is best established, the largest upper bound, the smallest Holm p."""
    many = sum(len(part) for part in parts.values())
    adjusted = iter(stats.holm([leak.p for part in parts.values() for leak in part.values()]))
    listed = []
    for name, part in parts.items():
        lows = {attacker: leak.estimate(1 - 0.05 / many).low for attacker, leak in part.items()}
        attacker = max(lows, key=lambda a: lows[a])
        listed.append(
            {
                "name": name,
                "attacker": attacker,
                "value": part[attacker].estimate().value,
                "low": lows[attacker],
                "high": max(leak.estimate().high for leak in part.values()),
                "p": min(float(next(adjusted)) for _ in part),
            }
        )
    return listed
