"""What an attack answered to leaks of rising size, and the smallest leak that it would have seen.

The leaks are planted by ``attacks/leak.py``. One draw of each is attacked, so the answer comes with what another draw
might have shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from scipy import stats as distributions

from semblance.evidence import Finding, Status
from semblance.stats import Estimate

TAIL = 0.025
"""Chance that a 95 % interval begins above the truth."""
AGAIN = math.sqrt(2)
"""A second draw scatters around the first by this many times the scatter of one: both are drawn."""


@dataclass(frozen=True, slots=True)
class Response:
    """What one attack answered to each leak.

    Attributes:
        attack: Short name, as in `power.<attack>.leak`. words: What it is called in a sentence.
        finding: The finding that was read, larger where more leaks. baseline: What it is on an innocent table.
        leaks: Shares of real rows in rising order, the first of them 0. answers: The finding under each.
        n: Patients attacked. queries: Questions put to the holdout.
    """

    attack: str
    words: str
    finding: str
    baseline: float
    leaks: tuple[float, ...]
    answers: tuple[Estimate, ...]
    n: int = 0
    queries: int = 0

    def margin(self, i: int, widths: float) -> float:
        """How far the answer to leak `i`, less so many half widths of its interval, lies above what is no news.

        No news is the baseline, and under a leak also the answer without one, where that is higher: what the table
        shows by itself is not the leak's doing.
        """
        found = self.answers[i]
        floor = max(self.baseline, self.answers[0].value) if i else self.baseline
        return found.value - widths * (found.value - found.low) - floor

    def seen(self, widths: float = 1.0) -> tuple[bool, ...]:
        """Under which leaks the attack rings, its interval widened so many times."""
        return tuple(self.margin(i, widths) > 0 for i in range(len(self.leaks)))

    def limit(self) -> Finding:
        """`power.<attack>.leak`, in shares of rows; lower is better.

        `value` is the smallest leak seen together with every larger one; `low` the largest not seen; `high` the
        smallest that another draw would show with 97.5 % probability, as it would every larger one, and 1 where no
        leak tried is that plain. Underpowered where not even the largest was seen.
        """
        seen = self.seen()
        return Finding(
            **_asks(self.attack, self.words),
            **_Limit.of(self.leaks, seen, self.seen(1.0 + AGAIN))._asdict(),
            n=self.n,
            method=f"the judged table with a known share of its rows replaced by training rows, attacked again, at "
            f"{_shares(self.leaks)} % of its rows; seen where the interval of {self.finding} begins above its baseline "
            "and above its value without a leak; the interval ends at the smallest leak that another draw would show "
            "with 97.5 % probability",
            detail={
                "finding": self.finding,
                "baseline": self.baseline,
                "standing": seen[0],
                "queries": self.queries,
                "doses": [
                    {"leak": leak, **answer._asdict(), "seen": rings}
                    for leak, answer, rings in zip(self.leaks, self.answers, seen, strict=True)
                ],
            },
        )

    @classmethod
    def recorded(cls, limit: Finding) -> Response | None:
        """Read back from what `limit` made of it; None where nothing was measured."""
        detail: Mapping[str, Any] = limit.detail
        if not detail.get("doses") or "finding" not in detail:
            return None
        answers = tuple(Estimate(d["value"], d["low"], d["high"]) for d in detail["doses"])
        leaks = tuple(d["leak"] for d in detail["doses"])
        name = limit.name.removeprefix("power.").removesuffix(".leak")
        return cls(name, name, detail["finding"], detail["baseline"], leaks, answers, limit.n, detail["queries"])


def unmeasured(attack: str, words: str) -> Finding:
    """`power.<attack>.leak` of an attack that says nothing about such tables."""
    why = "the attack itself could not be measured on these tables"
    return Finding(**_asks(attack, words), status="underpowered", why=why)


def together(responses: Sequence[Response]) -> Finding:
    """`power.best.leak`: the smallest leak that any of the attacks sees, each held to a stricter level.

    Taking the best of several attacks gives chance several tries, so each interval is widened to what Bonferroni asks
    (the first step of Holm's procedure), in the normal approximation: all of them together ring on an innocent table
    no more often than one of them alone would.
    """
    asks = {**_asks("best", "all attacks together")}
    if not responses:
        return Finding(**asks, status="underpowered", why="none of the attacks could be measured on these tables")
    wider = float(distributions.norm.isf(TAIL / len(responses)) / distributions.norm.isf(TAIL))
    leaks = sorted({leak for r in responses for leak in r.leaks})

    def rung_by(widths: float) -> list[list[str]]:
        rings = [dict(zip(r.leaks, r.seen(widths), strict=True)) for r in responses]
        return [[r.attack for r, heard in zip(responses, rings, strict=True) if heard.get(leak)] for leak in leaks]

    by, sure = rung_by(wider), rung_by(wider + AGAIN)
    return Finding(
        **asks,
        **_Limit.of(leaks, [bool(who) for who in by], [bool(who) for who in sure])._asdict(),
        n=max(r.n for r in responses),
        method=f"the smallest leak that any of {len(responses)} attacks sees, each of their intervals widened so that "
        f"together they ring on an innocent table no more often than one would (Bonferroni), at {_shares(leaks)} % of "
        "its rows",
        detail={
            "attacks": [r.attack for r in responses],
            "standing": bool(by[0]),
            "doses": [{"leak": leak, "seen": bool(who), "by": who} for leak, who in zip(leaks, by, strict=True)],
        },
    )


class _Limit(NamedTuple):
    value: float | None
    low: float | None
    high: float | None
    status: Status
    why: str

    @classmethod
    def of(cls, leaks: Sequence[float], seen: Sequence[bool], sure: Sequence[bool]) -> _Limit:
        """Where leaks are seen, and where another draw of them would surely be too; all three begin with no leak."""
        value, plain = _from_here_on(leaks, seen), _from_here_on(leaks, sure)
        if value is None:
            why = f"not even a leak of {leaks[-1]:.0%} of the rows was seen"
            return cls(None, None, None, "underpowered", why)
        missed = [leak for leak, rings in zip(leaks[1:], seen[1:], strict=True) if not rings]
        why = "the attack sees something in the table as it is; a leak counts as seen where it shows beyond that"
        return cls(
            value, max(missed, default=0.0), 1.0 if plain is None else max(plain, value), "measured", why * seen[0]
        )


def _from_here_on(leaks: Sequence[float], seen: Sequence[bool]) -> float | None:
    """The smallest leak above 0 that was seen together with every larger one."""
    found = None
    for leak, rings in zip(leaks[:0:-1], seen[:0:-1], strict=True):
        if not rings:
            break
        found = leak
    return found


def _asks(attack: str, words: str) -> dict[str, Any]:
    question = f"How large a leak of real rows would {words} have seen?"
    return {"name": f"power.{attack}.leak", "question": question, "unit": "share", "direction": "lower"}


def _shares(leaks: Sequence[float]) -> str:
    return ", ".join(f"{100 * leak:g}" for leak in leaks)
