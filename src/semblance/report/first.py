"""What the first screen must not hide: who overruled the policy, what was not asked, whether the policy changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from semblance.errors import InputError
from semblance.evidence import Evidence
from semblance.report.language import Language

Tier = Literal["board", "recipient", "public"]
TIERS: tuple[str, ...] = get_args(Tier)


@dataclass(frozen=True, slots=True)
class Notice:
    """A line under the verdict. `kind` sets how loud it is: "alarm", "doubt" or "plain"."""

    kind: Literal["alarm", "doubt", "plain"]
    title: str
    text: str


def tier_words(tier: str, say: Language) -> str:
    """Whom this page was cut for.

    Raises:
        InputError: there is no such tier.
    """
    if tier == "board":
        return say("for the board: everything")
    if tier == "recipient":
        return say("for the recipient: rounded, details left out")
    if tier == "public":
        return say("for the public: the essentials")
    raise InputError(f"there is no tier {tier!r} of the report; choose one of {', '.join(TIERS)}.")


def terms(evidence: Evidence, say: Language) -> str:
    """What a person said about the release: its day, until when it holds, whom to ask; empty where nobody did."""
    said = evidence.provenance.get("terms")
    said = said if isinstance(said, Mapping) else {}
    parts = []
    if said.get("dated"):
        parts.append(say("Dated {day}.", day=said["dated"]))
    if said.get("expires"):
        parts.append(say("Valid until {day}.", day=said["expires"]))
    if said.get("contact"):
        parts.append(say("Questions go to {name}.", name=said["contact"]))
    return say.join(*parts)


def overruled(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The overrides that changed something: of rules that were not met."""
    met = ("pass", "not_applicable", "withheld")
    return [o for o in verdict.get("overrides") or () if o.get("status", "fail") not in met]


def notices(evidence: Evidence, verdict: Mapping[str, Any], say: Language) -> list[Notice]:
    """Everything that qualifies the verdict, loudest first."""
    return [*_overrides(verdict, say), *_policy(verdict, say), *_not_asked(evidence, verdict, say)]


def _overrides(verdict: Mapping[str, Any], say: Language) -> Iterator[Notice]:
    for override in overruled(verdict):
        yield Notice(
            "alarm",
            say("Overruled by {name}: “{rule}”.", name=override.get("by", "–"), rule=say(str(override.get("rule")))),
            say("The reason given: {name_reason}", name_reason=override.get("reason", "–")),
        )


def _policy(verdict: Mapping[str, Any], say: Language) -> Iterator[Notice]:
    changed = (verdict.get("policy") or {}).get("changed")
    if changed:
        text = say(
            "The policy that was written down before the table was made had another fingerprint than the one that "
            "judged it."
        )
        yield Notice("alarm", say("The policy was changed."), text)


def _not_asked(evidence: Evidence, verdict: Mapping[str, Any], say: Language) -> Iterator[Notice]:
    facts = evidence.provenance
    rules = [r for r in verdict.get("rules") or () if r.get("status") == "not_applicable"]
    if "recipe" in facts and facts["recipe"] is None:
        text = say(
            "There is no recipe to refit, so attacks that need one could not be run, and nobody here can know who had "
            "seen the held-out patients."
        )
        yield Notice("doubt", say("This table was made elsewhere."), text)
    if facts.get("quick") is True:
        text = say(
            "Fewer patients were attacked and fewer models refitted: intervals are wider and leaks harder to see."
        )
        yield Notice("doubt", say("This was a quick run."), text)
    for why in dict.fromkeys(str(r.get("why")) for r in rules):
        names = [str(r.get("rule")) for r in rules if str(r.get("why")) == why]
        title = say("One rule was not asked:") if len(names) == 1 else say("{n} rules were not asked:", n=len(names))
        listed = say.listed(*(say("“{rule}”", rule=say(n)) for n in names))
        yield Notice("plain", title, say.join(say("{rules}.", rules=listed), say(why)))
