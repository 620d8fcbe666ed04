"""Would the attacks have seen a leak? Each is run on leaky controls: the judged table with some real rows mixed in.

A quiet attack means something only if it would have rung on a table that leaks. The controls (``attacks/leak.py``)
replace a known share of the synthetic rows by training rows; the answer is the smallest share from which on an attack
sees every larger one. It holds for this table, these patients and this kind of leak: whole rows, word for word. A
leak that is smeared over many rows is harder to see, and nothing here says how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from scipy import stats as distributions

from semblance.attacks.leak import LEAKS, mix
from semblance.audits.copies import Copies
from semblance.audits.membership import Membership
from semblance.contracts import Audit, Comparison, Run, silent
from semblance.engines.local import Local
from semblance.evidence import Finding, Status

AGAIN = math.sqrt(2)
"""A second draw scatters around the first by this many times the scatter of one: both are drawn."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of attack.

    Attributes:
        words: What it is called in a sentence.
        findings: Its answer: the first of these that was measured in every control, chosen by what could be
            measured and never by what was found.
    """

    name: str
    words: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """An audit of a size that can be repeated on every control, and the families that it answers for.

    Attributes:
        audit: In a full run. quick: In a quick one.
    """

    audit: Audit
    quick: Audit
    families: tuple[Family, ...]


ATTACKS = (
    Attack(
        Copies(queries=400, pool=20_000, permutations=200),
        Copies(queries=400, pool=10_000, permutations=200),
        (Family("copies", "the search for copies", ("copies.exact.excess",)),),
    ),
    Attack(
        Membership(members=4_000, others=6_000, rows=12_000),
        Membership(members=4_000, others=4_000, rows=12_000),
        (
            Family(
                "distance",
                "membership by distance",
                ("membership.distance.tpr_at_fpr_1pct", "membership.distance.auc"),
            ),
            Family(
                "density", "membership by density", ("membership.density.tpr_at_fpr_1pct", "membership.density.auc")
            ),
        ),
    ),
)


def self_test(
    comparison: Comparison, run: Run, *, attacks: Sequence[Attack] = ATTACKS, leaks: Sequence[float] = LEAKS
) -> tuple[Finding, ...]:
    """One finding `power.<family>.leak` each, and `power.best.leak` of all of them together.

    Args:
        leaks: Shares of real rows, 0 among them.

    Returns:
        Shares of rows, lower is better. `value` is the smallest leak that the attack saw, with every larger one. `low`
        is the largest that it did not see. `high` is the smallest that another draw of the leak would show with 97.5 %
        probability, as it would every larger one; 1 where no leak tried is that plain. Underpowered where the attack
        could not be measured, or saw no leak.

    Privacy: attacks the holdout once more for every leak; the leaky tables never leave this function.
    """
    rows = comparison.fake.n_rows
    tried = [leak for leak in sorted(leaks) if leak == 0 or round(leak * rows)]
    quiet = replace(run, seeds=run.seeds.within("power"), engine=Local(1), progress=silent)
    jobs = [(i, leak) for leak in tried for i in range(len(attacks))]

    def judge(job: tuple[int, float]) -> dict[str, Finding]:
        run.progress("planting leaks", jobs.index(job), len(jobs))
        i, leak = job
        audit = attacks[i].quick if run.quick else attacks[i].audit
        return {finding.name: finding for finding in audit.judge(mix(comparison, leak, quiet), quiet)}

    answers = dict(zip(jobs, run.engine.map(judge, jobs), strict=True))
    run.progress("planting leaks", len(jobs), len(jobs))
    responses = [
        respond(family, tried, [answers[i, leak] for leak in tried])
        for i, attack in enumerate(attacks)
        for family in attack.families
    ]
    return (*(response.finding() for response in responses), together(responses))


@dataclass(frozen=True, slots=True)
class Response:
    """What one family answered to each leak.

    Attributes:
        leaks: In rising order, the first of them 0.
        answers: The same finding under each leak; empty where it was not measured under all of them.
    """

    family: Family
    leaks: tuple[float, ...]
    answers: tuple[Finding, ...]

    def margin(self, i: int, widths: float) -> float:
        """How far the answer to leak `i`, less so many half widths of its interval, lies above what is no news.

        No news is the baseline, and under a leak also the answer without one, where that is higher: what the table
        shows by itself is not the leak's doing.
        """
        found, plain = self.answers[i], self.answers[0]
        assert found.value is not None
        assert found.low is not None
        assert plain.value is not None
        baseline = found.baseline or 0.0
        floor = max(baseline, plain.value) if i else baseline
        return found.value - widths * (found.value - found.low) - floor

    def seen(self, widths: float) -> tuple[bool, ...]:
        """Under which leaks the attack rings."""
        return tuple(self.margin(i, widths) > 0 for i in range(len(self.answers)))

    def finding(self) -> Finding:
        """`power.<family>.leak`."""
        name = f"power.{self.family.name}.leak"
        question = f"How large a leak of real rows would {self.family.words} have seen?"
        if not self.answers:
            why = "the attack itself could not be measured on these tables"
            return Finding(name, question, unit="share", direction="lower", status="underpowered", why=why)
        read, seen = self.answers[0], self.seen(1.0)
        doses = [
            {"leak": leak, "value": found.value, "low": found.low, "high": found.high, "seen": rings}
            for leak, found, rings in zip(self.leaks, self.answers, seen, strict=True)
        ]
        return Finding(
            name,
            question,
            **Limit.of(self.leaks, seen, self.seen(1.0 + AGAIN))._asdict(),
            n=read.n,
            unit="share",
            direction="lower",
            method=f"the judged table with a known share of its rows replaced by training rows, attacked again, at "
            f"{_shares(self.leaks)}; seen where the interval of {read.name} begins above its baseline and above its "
            "value without a leak; the interval ends at the smallest leak that another draw would show with 97.5 % "
            "probability",
            detail={"finding": read.name, "baseline": read.baseline or 0.0, "standing": seen[0], "doses": doses},
        )


def respond(family: Family, leaks: Sequence[float], controls: Sequence[dict[str, Finding]]) -> Response:
    """What `family` answered to each leak, from all findings under each."""
    for name in family.findings:
        answers = [found[name] for found in controls if name in found and found[name].status == "measured"]
        if len(answers) == len(controls) and all(a.low is not None for a in answers):
            return Response(family, tuple(leaks), tuple(answers))
    return Response(family, tuple(leaks), ())


def together(responses: Sequence[Response]) -> Finding:
    """`power.best.leak`: the smallest leak that any of the attacks sees, each held to a stricter level.

    Taking the best of several attacks gives chance several tries, so each interval is widened to what Bonferroni asks
    (the first step of Holm's procedure), in the normal approximation: all of them together ring on an innocent table
    no more often than one of them alone would.
    """
    known = [r for r in responses if r.answers]
    name, question = "power.best.leak", "How large a leak of real rows would all attacks together have seen?"
    if not known:
        why = "none of the attacks could be measured on these tables"
        return Finding(name, question, unit="share", direction="lower", status="underpowered", why=why)
    wider = float(distributions.norm.isf(0.025 / len(known)) / distributions.norm.isf(0.025))
    leaks = known[0].leaks
    seen, plain = (
        tuple(any(rings) for rings in zip(*(r.seen(widths) for r in known), strict=True))
        for widths in (wider, wider + AGAIN)
    )
    by = [[r.family.name for r in known if r.margin(i, wider) > 0] for i in range(len(leaks))]
    return Finding(
        name,
        question,
        **Limit.of(leaks, seen, plain)._asdict(),
        n=max(r.answers[0].n for r in known),
        unit="share",
        direction="lower",
        method=f"the smallest leak that any of {len(known)} attacks sees, each of their intervals widened so that "
        f"together they ring on an innocent table no more often than one would (Bonferroni), at {_shares(leaks)}",
        detail={
            "families": [r.family.name for r in known],
            "standing": seen[0],
            "doses": [
                {"leak": leak, "seen": rings, "by": who} for leak, rings, who in zip(leaks, seen, by, strict=True)
            ],
        },
    )


class Limit(NamedTuple):
    """The part of a finding that says from which leak on one is seen."""

    value: float | None
    low: float | None
    high: float | None
    status: Status
    why: str

    @classmethod
    def of(cls, leaks: Sequence[float], seen: Sequence[bool], plain: Sequence[bool]) -> Limit:
        """Where leaks are seen, and where another draw of them would be too; both begin with no leak."""
        value, sure = _from_here_on(leaks, seen), _from_here_on(leaks, plain)
        if value is None:
            why = f"not even a leak of {leaks[-1]:.0%} of the rows was seen"
            return cls(None, None, None, "underpowered", why)
        missed = [leak for leak, rings in zip(leaks[1:], seen[1:], strict=True) if not rings]
        why = "the attack sees something in the table as it is; a leak counts as seen where it shows beyond that"
        return cls(
            value, max(missed, default=0.0), 1.0 if sure is None else max(sure, value), "measured", why * seen[0]
        )


def _from_here_on(leaks: Sequence[float], seen: Sequence[bool]) -> float | None:
    """The smallest leak above 0 that was seen together with every larger one."""
    found = None
    for leak, rings in zip(leaks[:0:-1], seen[:0:-1], strict=True):
        if not rings:
            break
        found = leak
    return found


def _shares(leaks: Sequence[float]) -> str:
    return ", ".join(f"{100 * leak:g}" for leak in leaks) + " % of its rows"
