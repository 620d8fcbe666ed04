"""Would the attacks have seen a leak? Each is run on leaky controls: the judged table with some real rows mixed in.

A quiet attack means something only if it would have rung on a table that leaks. The controls (``attacks/leak.py``)
replace a known share of the synthetic rows by training rows; the answer is the smallest share from which on an attack
sees every larger one (``attacks/response.py``). It holds for this table, these patients and this kind of leak: whole
rows, word for word. A leak that is smeared over many rows is harder to see, and nothing here says how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from semblance.attacks.leak import LEAKS, mix
from semblance.attacks.response import Response, together, unmeasured
from semblance.audits.copies import Copies
from semblance.audits.inference import Inference
from semblance.audits.linkage import Linkage
from semblance.audits.membership import Membership
from semblance.audits.singling_out import SinglingOut
from semblance.contracts import Audit, Comparison, Run, silent
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.stats import Estimate

QUICK_LEAKS = (0.0, 0.02, 0.2)
"""What a quick run tries."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of attack.

    Attributes:
        words: What it is called in a sentence.
        findings: Its answer: the first of these that was measured in every control, chosen by what could be
            measured and never by what was found. Larger where more leaks.
    """

    name: str
    words: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """An audit of a size that can be repeated on every control, and the families that it answers for.

    Attributes:
        audit: In a full run; quick: in a quick one. Both are asked in their quick manner, which makes do with a part
            of what is said here, so that the attack that was tested is never stronger than the one that was made.
    """

    audit: Audit
    quick: Audit
    families: tuple[Family, ...]


ATTACKS = (
    Attack(
        Copies(queries=400, pool=20_000, permutations=200),
        Copies(queries=400, pool=8_000, permutations=200),
        (Family("copies", "the search for copies", ("copies.exact.excess",)),),
    ),
    Attack(
        Membership(members=8_000, others=12_000, rows=24_000),
        Membership(members=4_000, others=5_000, rows=12_000),
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
    Attack(
        SinglingOut(attacks=12_000),
        SinglingOut(attacks=5_000, seeds=4_000),
        (
            Family(
                "singling_out",
                "singling out",
                ("singling_out.multivariate.advantage", "singling_out.univariate.advantage"),
            ),
        ),
    ),
    Attack(
        Linkage(members=4_500, others=4_500),
        Linkage(members=2_400, others=2_400),
        (Family("linkage", "linkage", ("linkage.declared.advantage", "linkage.random.advantage")),),
    ),
    Attack(
        Inference(members=5_000, others=5_000, lesson=12_000, rows=12_000),
        Inference(members=3_000, others=3_000, lesson=12_000, rows=8_000),
        (Family("inference", "attribute inference", ("inference.worst.advantage",)),),
    ),
)


def self_test(
    comparison: Comparison,
    run: Run,
    *,
    known: Sequence[Finding] = (),
    attacks: Sequence[Attack] = ATTACKS,
    leaks: Sequence[float] | None = None,
) -> tuple[Finding, ...]:
    """One finding `power.<family>.leak` each, and `power.best.leak` of all of them together.

    Args:
        known: What was found so far. Attacks that tested themselves (`power.<attack>.leak` among these) count towards
            the best.
        leaks: Shares of real rows, 0 among them; None asks for fewer of them in a quick run.

    Returns:
        Shares of rows, lower is better; see `Response.limit` for their intervals.

    Privacy: attacks the holdout once more for every leak; the leaky tables never leave this function.
    """
    chosen = leaks or (QUICK_LEAKS if run.quick else LEAKS)
    tried = [leak for leak in sorted(chosen) if leak == 0 or round(leak * comparison.fake.n_rows)]
    quiet = replace(run, seeds=run.seeds.within("power"), engine=Local(1), progress=silent, quick=True)
    # the longest work first, so that no processor waits for it at the end
    jobs = [(i, leak) for i in reversed(range(len(attacks))) for leak in tried]

    def judge(job: tuple[int, float]) -> Mapping[str, Finding]:
        run.progress("planting leaks", jobs.index(job), len(jobs))
        i, leak = job
        audit = attacks[i].quick if run.quick else attacks[i].audit
        return {finding.name: finding for finding in audit.judge(mix(comparison, leak, quiet), quiet)}

    answers = dict(zip(jobs, run.engine.map(judge, jobs), strict=True))
    run.progress("planting leaks", len(jobs), len(jobs))
    own = [r for f in known if f.name.startswith("power.") and (r := Response.recorded(f)) is not None]
    found: list[Finding] = []
    for i, attack in enumerate(attacks):
        for family in attack.families:
            response = respond(family, tried, [answers[i, leak] for leak in tried])
            found.append(unmeasured(family.name, family.words) if response is None else response.limit())
            own += [] if response is None else [response]
    return (*found, together(own))


def respond(family: Family, leaks: Sequence[float], controls: Sequence[Mapping[str, Finding]]) -> Response | None:
    """What `family` answered to each leak, from all findings under each; None where it could not be measured."""
    for name in family.findings:
        found = [control[name] for control in controls if name in control and control[name].status == "measured"]
        answers = [Estimate(f.value, f.low, f.high) for f in found if None not in (f.value, f.low, f.high)]  # type: ignore[arg-type]
        if len(answers) == len(controls):
            return Response(
                family.name,
                family.words,
                name,
                found[0].baseline or 0.0,
                tuple(leaks),
                tuple(answers),
                n=found[0].n,
                queries=sum(int(f.detail.get("queries", 0)) for f in found),
            )
    return None
