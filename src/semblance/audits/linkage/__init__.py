"""Can two tables about the same patients be joined through the synthetic one?

Linkability is the second of the three risks of the Article 29 Working Party (Opinion 05/2014). The attacker holds two
tables with different columns and no common key, looks for the synthetic rows nearest to a record of each, and joins
two records that meet in a synthetic row (Giomi et al. 2023). Columns that hang together let records of strangers meet
too, so the same is tried on held-out patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from semblance import stats
from semblance.attacks.advantage import FEW, Tally, advantage, one_sided_p, unmeasured
from semblance.attacks.targets import Targets, choose
from semblance.audits.linkage.links import DECLARED, Halves, Mask, at_random, by_chance, declared, linked
from semblance.contracts import Comparison, Run
from semblance.data.encode import comparable
from semblance.evidence import Finding, Status

REACH = (1, 5)
"""How many nearest synthetic rows the attacker looks at on each side."""
CHOOSING = 0.25
"""Share of the patients on whom the strongest way to link is chosen; the others are counted."""
_QUESTIONS = {
    "declared": "Can what outsiders know of a training patient be linked to the rest through the synthetic table?",
    "random": "Can two halves of a training patient's record be linked through the synthetic table?",
    "outliers": "Can two halves of the record of an isolated training patient be linked?",
    "groups": "In the subgroup that is worst off, can two halves of a training patient's record be linked?",
}


@dataclass(frozen=True, slots=True)
class Linkage:
    """Halves declared by the schema (quasi-identifiers against the rest) and cut at random.

    Attributes:
        members, others: Most training and held-out patients attacked. halves: Random cuts tried.
    """

    name: ClassVar[str] = "linkage"
    asks: ClassVar[str] = "Can two tables about the same patients be joined through the synthetic one?"

    members: int = 3_000
    others: int = 3_000
    halves: int = 4

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        columns = comparable(comparison.train, comparison.fake)
        if len(columns) < 2:
            return tuple(_blank(which, "skipped", "linking needs two modelled columns") for which in _QUESTIONS)
        if min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows) < 2:
            why = "one of the tables has fewer than two patients"
            return tuple(_blank(which, "underpowered", why) for which in _QUESTIONS)
        # Of fewer patients than these, a tenth would be too few to speak of the isolated.
        members, others = (2 * n // 3 if run.quick else n for n in (self.members, self.others))
        targets = choose(comparison, columns, run, members=members, others=others)
        halves = self.halves // 2 if run.quick else self.halves
        cuts = at_random(columns, max(1, halves), run.seeds("audit/linkage/halves"))
        if (known := declared(columns)) is not None:
            cuts.insert(0, known)
        outcome = Outcome.of(comparison, targets, cuts, run)
        return (
            outcome.declared(),
            outcome.finding("random", outcome.strongest([w for w in outcome.ways if w.halves != DECLARED])),
            outcome.finding("outliers", outcome.strongest(outcome.ways), targets.outliers),
            outcome.groups(outcome.strongest(outcome.ways)),
        )


class Way(NamedTuple):
    """One way to link, and whose halves met by it: (n_patients,)."""

    halves: str
    k: int
    hit: Mask

    @property
    def name(self) -> str:
        return f"{self.halves} halves, k = {self.k}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What every way to link did to every patient attacked.

    Attributes:
        choosing: On whom the strongest way is chosen: (n_patients,). rows: Synthetic rows.
    """

    targets: Targets
    ways: list[Way]
    choosing: Mask
    rows: int

    @classmethod
    def of(cls, comparison: Comparison, targets: Targets, cuts: Sequence[Halves], run: Run) -> Outcome:
        seeds = run.seeds.within("audit/linkage")

        def attack(halves: Halves) -> list[Way]:
            patients = (targets.members, targets.others)
            hits = linked(halves, patients, comparison.fake, REACH, seeds(f"ties/{halves.name}"))
            return [Way(halves.name, k, hit) for k, hit in hits.items()]

        ways = [way for found in run.engine.map(attack, cuts) for way in found]
        choosing = seeds("choosing").random(len(targets.member)) < CHOOSING
        return cls(targets, ways, choosing, comparison.fake.n_rows)

    def tally(self, way: Way, who: Mask) -> tuple[Tally, Tally]:
        """Hits among training and held-out patients."""
        sides = (who & self.targets.member, who & ~self.targets.member)
        return tuple(Tally(int(way.hit[s].sum()), int(s.sum())) for s in sides)  # type: ignore[return-value]

    def strongest(self, ways: Sequence[Way]) -> Way:
        """The way with the clearest advantage among the patients set apart for choosing."""
        return min(ways, key=lambda way: one_sided_p(*self.tally(way, self.choosing)))

    def declared(self) -> Finding:
        ways = [way for way in self.ways if way.halves == DECLARED]
        if not ways:
            return _blank("declared", "skipped", "the schema declares no quasi-identifiers, or nothing else")
        return self.finding("declared", self.strongest(ways))

    def finding(self, which: str, way: Way, who: Mask | None = None) -> Finding:
        counted = ~self.choosing if who is None else ~self.choosing & who
        members, others = self.tally(way, counted)
        return advantage(
            f"linkage.{which}.advantage",
            _QUESTIONS[which],
            members=members,
            others=others,
            naive=Tally(by_chance(way.k, self.rows) * members.n, members.n),
            method=self._method(way),
            detail={**self._ways(), "way": way.name, "queries": len(self.ways) * int(others.n)},
        )

    def groups(self, way: Way) -> Finding:
        """The lower bound holds for all subgroups together (Bonferroni). The upper is the largest of their own, since
        whichever leaks most lies below its own bound as often as stated (Berger 1982).
        """
        tallies = {name: self.tally(way, ~self.choosing & who) for name, who in self.targets.groups.items()}
        tallies = {name: both for name, both in tallies.items() if min(t.n for t in both) >= FEW}
        if not tallies:
            why = f"no subgroup has {FEW} training and {FEW} held-out patients"
            return _blank("groups", "underpowered", why)
        listed: list[dict[str, Any]] = []
        for name, (a, b) in tallies.items():
            own = stats.newcombe(a.hits, a.n, b.hits, b.n)
            low = stats.newcombe(a.hits, a.n, b.hits, b.n, confidence=1 - 0.05 / len(tallies)).low
            listed.append({"name": name, "value": own.value, "low": low, "high": own.high})
        worst = max(listed, key=lambda group: group["value"])
        members, others = tallies[worst["name"]]
        p = stats.holm([one_sided_p(*both) for both in tallies.values()])
        return replace(
            _blank("groups", "skipped", "not measured"),
            value=worst["value"],
            low=max(group["low"] for group in listed),
            high=max(group["high"] for group in listed),
            n=int(members.n + others.n),
            status="measured",
            why="",
            method=f"{self._method(way)}; share of training patients hit minus share of held-out patients hit, the "
            f"largest of {len(listed)} subgroups; Newcombe interval, the lower bound Bonferroni's over all",
            detail={
                "members": members.rate,
                "others": others.rate,
                "naive": by_chance(way.k, self.rows),
                "p": float(p.min()),
                "name": worst["name"],
                "groups": listed,
                "way": way.name,
                "queries": 0,  # the same links as in the other findings
            },
        )

    def _method(self, way: Way) -> str:
        return (
            f"the {way.k} synthetic rows nearest to one half of a record and the {way.k} nearest to the other share a "
            f"row; the strongest of {len(self.ways)} ways on a quarter of the patients, measured on the others"
        )

    def _ways(self) -> dict[str, Any]:
        """Every way by itself. For reading only: the best of several is flattered by being the best."""
        tried = []
        for way in self.ways:
            members, others = self.tally(way, ~self.choosing)
            value = members.rate - others.rate
            tried.append({"name": way.name, "members": members.rate, "others": others.rate, "value": value})
        return {"ways": tried}


def _blank(which: str, status: Status, why: str) -> Finding:
    return unmeasured(f"linkage.{which}.advantage", _QUESTIONS[which], status=status, why=why)
