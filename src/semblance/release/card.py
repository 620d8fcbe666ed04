"""The card: what a recipient, an ethics board and a lawyer must know about a synthetic table, as Markdown beside it.

A data card, a generator card, the fields of the anonymisation report that EMA Policy 0070 and Health Canada ask for
(variables, technique for each, initial, threshold and residual risk), and the headings of ISO/IEC 27559. Every number
in it stands in the evidence, or the card is not written (``facts.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semblance.evidence import Evidence
from semblance.release.card_law import by_the_standard, risks, variables
from semblance.release.facts import Facts, Page, mark
from semblance.report import titles, words
from semblance.report.language import language as language_of
from semblance.schema import Schema


def write_card(
    evidence: Evidence,
    verdict: Mapping[str, Any],
    *,
    schema: Schema,
    synthetic: str | None,
    tier: str = "board",
    language: str = "en",
) -> str:
    """The card as Markdown.

    Args:
        schema: What the columns of the table mean.
        synthetic: File name of the table, None when it was refused.
        tier: Whom it was cut for. language: "en" or "zh".

    Raises:
        ValueError, LookupError: it would hold a number that nothing vouches for.
    """
    say = language_of(language)
    page, facts = Page(say), Facts(evidence, verdict, schema, say)
    page.add("# Data card")
    page.add()
    page.add("**{sentence}**", sentence=mark(words.verdict_sentence(verdict, say)))
    page.add()
    if synthetic:
        page.add("These are synthetic patients made by Semblance. No row is a record of a real person.")
    else:
        page.add("The synthetic table was not written. This card says why.")
    _overridden(page, facts)
    _summary(page, facts, synthetic)
    _uses(page, facts)
    _standing(page, facts)
    _broken(page, facts)
    _generator(page, facts)
    variables(page, facts)
    risks(page, facts)
    by_the_standard(page, facts, tier)
    _findings(page, facts)
    return page.text()


def _overridden(page: Page, facts: Facts) -> None:
    overrides = facts.verdict.get("overrides") or ()
    if not overrides:
        return
    page.heading("Overruled by a person")
    page.add("A rule keeps its status when somebody overrules it; who did, and why, is written here.")
    page.add()
    page.table("Rule", "Status", "By", "Reason")
    for said in overrides:
        status = titles.status_of(said["status"], page.say)
        page.row(mark(page.say(said["rule"])), status, mark(said["by"]), mark(said["reason"]))


def _summary(page: Page, facts: Facts, synthetic: str | None) -> None:
    say, policy = page.say, facts.verdict["policy"]
    page.heading("The table")
    page.table("", "")
    if synthetic is not None:
        page.row(say("File"), mark(synthetic))
    for title, key in (("Rows", "synthetic_rows"), ("Target", "target"), ("Seed", "seed"), ("Semblance", "semblance")):
        if facts.has(key):
            page.row(say(title), facts.said(key))
    source = words.attribution(facts.evidence)
    page.row(say("Source"), mark(source) if source else say("not stated: ask whoever gave you this folder"))
    page.row(say("Policy"), mark(f"{policy['name']} {policy['version']} (SHA-256 {policy['sha256']})"))
    if policy.get("changed"):
        page.row(say("Policy before the table was made"), mark(_named(policy["fixed"])))
    if not facts.has("recipe"):
        page.row(say("Recipe"), say("not known here: the table was made elsewhere, or nobody said how"))
    for note in facts.evidence.provenance.get("notes") or ():
        page.add()
        page.add("- {note}", note=mark(say(str(note))))


def _named(policy: Mapping[str, Any]) -> str:
    return f"{policy.get('name')} {policy.get('version')} (SHA-256 {policy.get('sha256')})"


def _uses(page: Page, facts: Facts) -> None:
    may, may_not = words.uses(facts.verdict, facts.evidence, page.say)
    for title, listed in (("Intended uses", may), ("Uses that are forbidden", may_not)):
        page.heading(title)
        for use in listed:
            page.add("- {use}", use=mark(use))


def _standing(page: Page, facts: Facts) -> None:
    page.heading("Until when, and whom to ask")
    if facts.has("terms", "dated"):
        page.add("- Released on {day}.", day=facts.said("terms", "dated"))
    if facts.has("terms", "expires"):
        page.add(
            "- Expires on {day}: by then it is to be assessed again with the attacks of that day, or withdrawn.",
            day=facts.said("terms", "expires"),
        )
    else:
        page.add(
            "- No day of expiry was set. Assess again when new attacks are published, when other data about these "
            "patients become available, and before a new use."
        )
    if facts.has("terms", "contact"):
        page.add("- Ask {contact}.", contact=facts.said("terms", "contact"))
    else:
        page.add("- No contact was named: ask whoever gave you this folder.")


def _broken(page: Page, facts: Facts) -> None:
    broken = [r for r in facts.verdict.get("rules") or () if r["status"] not in ("pass", "not_applicable", "withheld")]
    if not broken:
        return
    page.heading("What stands in the way")
    for ruling in broken:
        page.add(
            "- **{rule}** ({status}). {why} Try: {knob}",
            rule=facts.rule(ruling, "rule"),
            status=titles.status_of(ruling["status"], page.say),
            why=facts.rule(ruling, "why"),
            knob=facts.rule(ruling, "try"),
        )


def _generator(page: Page, facts: Facts) -> None:
    page.heading("Generator card")
    _promise(page, facts)
    generator = facts.evidence.provenance.get("generator")
    if not isinstance(generator, Mapping):
        page.add("How the table was made is not known here.")
        return
    page.table("", "")
    page.row(page.say("Generator"), facts.said("generator", "name"))
    for name, value in (generator.get("parameters") or {}).items():
        page.row(mark(name), mark(value))
    for title, *path in (
        ("Fingerprint of the model", "hashes", "model"),
        ("Patients learned from", "split", "train_patients"),
        ("Patients held out", "split", "holdout_patients"),
    ):
        if facts.has(*path):
            page.row(page.say(title), facts.said(*path))
    for name, version in (facts.evidence.provenance.get("libraries") or {}).items():
        page.row(mark(name), mark(version))


def _promise(page: Page, facts: Facts) -> None:
    """What is promised, whole; or that nothing is."""
    page.add("**{sentence}**", sentence=mark(words.guarantee_sentence(facts.evidence, page.say)))
    page.add()
    if not words.has_guarantee(facts.evidence):
        return
    say, claim = page.say, facts.evidence.ledger["claim"]
    page.table("The promise", "")
    relations = {"add_or_remove": say("one added or removed"), "replace_one": say("one replaced")}
    page.row("ε", mark(f"{claim['epsilon']:.4f}"))
    page.row("δ", mark(f"{claim['delta']:g}"))
    page.row(say("Unit"), mark(claim["unit"]))
    page.row(say("Tables that are hard to tell apart"), relations[claim["relation"]])
    page.row(say("Rows of one unit that were used, at most"), mark(claim["rows_per_unit"] or "–"))
    for name, title in (("pld", "ε by privacy loss distributions"), ("rdp", "ε by Rényi divergence")):
        if claim["accounts"][name] is not None:
            page.row(say(title), mark(f"{claim['accounts'][name]:.4f}"))
    for charge in facts.evidence.ledger["charges"]:
        page.row(mark(charge["purpose"]), mark(charge["mechanism"]))
    page.add()
    page.add(
        "Taken as public: the names of the columns, how the file is laid out, and what a person declared in the schema."
    )
    page.add(
        "Not covered: the numbers that the board read before it released, and that it released. Other releases on the "
        "same patients add to this; semblance ledger show says how much."
    )
    page.add()


def _findings(page: Page, facts: Facts) -> None:
    say = page.say
    page.heading("Findings")
    page.table("Finding", "Value", "Interval", "Baseline", "Patients", "Status")
    for f in facts.evidence:
        status = titles.status_of(f.status, say)
        note = status if f.status == "measured" else say.join(mark(status + ":"), mark(say(f.why)))
        page.row(
            mark(titles.title_of(f.name, say)),
            facts.part(f, "value"),
            facts.interval(f),
            facts.part(f, "baseline"),
            facts.part(f, "n") if f.n else "–",
            note,
        )
    page.add()
    page.add("Intervals hold with the confidence that evidence.json states, which has every number for machines.")
    page.add("The numbers are explained, and drawn, in report.html. To check this folder: semblance verify.")
