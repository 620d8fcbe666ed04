"""From hits to findings: each secret, the worst of them, the isolated patients, the worst subgroup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.advantage import FEW, Tally, advantage, one_sided_p
from semblance.audits.inference.attack import Arena, Attacked
from semblance.audits.inference.secrets import Secret
from semblance.evidence import Finding

Floats = NDArray[np.float64]
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
        members, others: Shares at the number of independent answers that they are worth.
        naive: The same for a learner without the synthetic table, of training patients.
        asked: Training and held-out patients behind them.
    """

    members: Tally
    others: Tally
    naive: Tally
    asked: tuple[int, int]

    @classmethod
    def of(cls, hits: Sequence[Mask], naive: Sequence[Mask], members: Mask, others: Mask) -> Leak:
        """Share of secrets guessed right, mean over patients.

        Args:
            hits, naive: One mask for each secret. members, others: Whom to count. All (n,).
        """
        return cls(
            _worth([h[members] for h in hits]),
            _worth([h[others] for h in hits]),
            _worth([h[members] for h in naive]),
            (int(members.sum()), int(others.sum())),
        )

    def estimate(self, confidence: float = 0.95) -> stats.Estimate:
        """The difference with Newcombe's interval."""
        a, b = self.members, self.others
        return stats.newcombe(a.hits, a.n, b.hits, b.n, confidence=confidence)

    @property
    def p(self) -> float:
        return one_sided_p(self.members, self.others)

    @property
    def few(self) -> bool:
        return min(self.asked) < FEW


def _worth(hits: Sequence[Mask]) -> Tally:
    """Hits at an effective number of answers: a patient asked k secrets counts as 1 to k, as their spread tells."""
    share = np.mean(hits, axis=0)
    n, rate = len(share), float(share.mean()) if len(share) else 0.0
    spread = float(share.var(ddof=1)) if n > 1 else 0.0
    one = rate * (1 - rate)
    # Were all answers alike the spread would say nothing: one answer a patient is the careful number.
    effective = n * min(len(hits), max(1.0, one / spread)) if spread > 0 else float(n)
    return Tally(rate * effective, effective)


def name_of(secret: Secret) -> str:
    """The finding of a secret carries the column's name as it is, unless another finding has that name already."""
    return f"inference.{'column ' if secret.name in TOGETHER else ''}{secret.name}.advantage"


def question_of(secret: Secret) -> str:
    return f"Can an attacker guess {secret.name} of a training patient better than that of a patient never seen?"


def of_secrets(arena: Arena, attacked: Sequence[Attacked]) -> list[Finding]:
    """One finding for each secret, with Holm's adjusted p over all of them."""
    found = [_of_secret(arena, a) for a in attacked]
    adjusted = stats.holm([f.detail["p"] for f in found])
    return [replace(f, detail={**f.detail, "holm": float(p)}) for f, p in zip(found, adjusted, strict=True)]


def _of_secret(arena: Arena, attacked: Attacked) -> Finding:
    secret, member, counted = attacked.secret, arena.targets.member, ~arena.choosing
    members, others = counted & member, counted & ~member
    reach = f"at most {secret.tolerance:g} off" if secret.column.numeric else "the same label"
    return advantage(
        name_of(secret),
        question_of(secret),
        members=_tally(attacked.best, members),
        others=_tally(attacked.best, others),
        naive=_tally(attacked.naive, members),
        method=f"guesses by {attacked.chosen}, the strongest of {len(attacked.hits)} attackers on a quarter of the "
        f"patients, measured on the others; right when {reach}, or missing where it is missing",
        detail={
            "attacker": attacked.chosen,
            "attackers": [_compare(n, h, member) for n, h in attacked.hits.items()],
            "naive_others": _tally(attacked.naive, others).rate,
            "constant": _tally(attacked.constant, members).rate,
            "tolerance": secret.tolerance,
            "why": secret.chosen,
            "queries": (len(attacked.hits) + 2) * int((~member).sum()),
        },
    )


def _compare(name: str, hits: Mask, member: Mask) -> dict[str, Any]:
    """One attacker's rates on everybody. For reading only: the best of several is flattered by being the best."""
    of_members, of_others = _tally(hits, member).rate, _tally(hits, ~member).rate
    return {"name": name, "members": of_members, "others": of_others, "value": of_members - of_others}


def _tally(hits: Mask, who: Mask) -> Tally:
    return Tally(int(hits[who].sum()), int(who.sum()))


def of_worst(arena: Arena, attacked: Sequence[Attacked]) -> Finding:
    """The secret that leaks most."""
    everyone = np.ones(len(arena.choosing), dtype=bool)
    leaks = {a.secret.name: _leak(arena, [a], everyone) for a in attacked}
    return _together("worst", leaks, "secrets", f"the worst of {len(leaks)} secrets")


def of_outliers(arena: Arena, attacked: Sequence[Attacked]) -> Finding:
    """All secrets of the isolated patients; in the detail each by itself."""
    isolated = arena.targets.outliers
    every = {a.secret.name: _leak(arena, [a], isolated) for a in attacked}
    mean = {"isolated patients": _leak(arena, attacked, isolated)}
    found = _together("outliers", mean, "groups", f"mean over {len(attacked)} secrets of each isolated patient")
    return replace(found, detail={**found.detail, "secrets": _listed(every)})


def of_groups(arena: Arena, attacked: Sequence[Attacked]) -> Finding:
    """The subgroup whose secrets leak most."""
    leaks = {name: _leak(arena, attacked, who) for name, who in arena.targets.groups.items()}
    leaks = {name: leak for name, leak in leaks.items() if not leak.few}
    if not leaks:
        return blank("groups", f"no subgroup has {FEW} training and {FEW} held-out patients")
    how = f"mean over {len(attacked)} secrets of each patient, the worst of {len(leaks)} subgroups"
    return _together("groups", leaks, "groups", how)


def _leak(arena: Arena, attacked: Sequence[Attacked], who: Mask) -> Leak:
    counted, member = who & ~arena.choosing, arena.targets.member
    return Leak.of([a.best for a in attacked], [a.naive for a in attacked], counted & member, counted & ~member)


def blank(which: str, why: str, *, skipped: bool = False) -> Finding:
    """A finding over all secrets that was not measured."""
    return Finding(
        f"inference.{which}.advantage",
        TOGETHER[which],
        unit="share",
        direction="lower",
        baseline=0.0,
        status="skipped" if skipped else "underpowered",
        why=why,
    )


def _together(which: str, leaks: Mapping[str, Leak], what: str, how: str) -> Finding:
    """The largest of several leaks.

    The lower bound holds for all of them together (Bonferroni), so an alarm comes no more often than stated. The upper
    bound is the largest of their own: whichever truly leaks most lies below its own bound as often as stated, hence
    below the largest (the intersection–union argument of Berger 1982).
    """
    listed = _listed(leaks)
    top = max(listed, key=lambda part: part["value"])
    leak = leaks[top["name"]]
    few = any(part.few for part in leaks.values())
    naive_low, naive_high = stats.wilson(leak.naive.hits, leak.naive.n)
    return replace(
        blank(which, "not yet measured"),
        value=top["value"],
        low=max(part["low"] for part in listed),
        high=max(part["high"] for part in listed),
        n=sum(leak.asked),
        status="underpowered" if few else "measured",
        why=f"fewer than {FEW} attacks on training or on held-out patients" if few else "",
        method=f"the strongest attacker on each secret, as in its own finding; {how}; share of training patients hit "
        "minus share of held-out patients hit; Newcombe interval, the lower bound Bonferroni's over all",
        detail={
            "members": leak.members.rate,
            "others": leak.others.rate,
            "naive": leak.naive.rate,
            "naive_low": naive_low,
            "naive_high": naive_high,
            "p": min(part["holm"] for part in listed),
            "name": top["name"],
            what: listed,
            "queries": 0,  # the same answers as in the findings of the secrets
        },
    )


def _listed(leaks: Mapping[str, Leak]) -> list[dict[str, Any]]:
    adjusted = stats.holm([leak.p for leak in leaks.values()])
    listed = []
    for (name, leak), p in zip(leaks.items(), adjusted, strict=True):
        own = leak.estimate()
        low = leak.estimate(1 - 0.05 / len(leaks)).low
        listed.append({"name": name, "value": own.value, "low": low, "high": own.high, "p": leak.p, "holm": float(p)})
    return listed
