"""A release policy: what must hold before a synthetic table leaves the house, written as TOML for people.

Anything in the file that is not understood is an error, because a rule that is misspelt must not be a rule that
is silently left out.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, get_args

from semblance.errors import InputError, SchemaError

Bound = Literal["low", "high", "value"]
Op = Literal[">=", "<="]
Condition = Literal["target", "recipe", "guarantee", "anything to ask"]
Content = Literal["table", "model"]

POLICY_VERSION = "1"
BUNDLED = ("open-release", "controlled-access", "internal-testing", "model-release")
USUAL = BUNDLED[0]
_HEAD = {"schema_version", "name", "version", "about", "confidence", "releases", "rules"}
_NEEDED = {"name", "finding", "bound", "op", "limit", "reason", "source", "try"}
_OPTIONAL = {"or_finding", "applies_if", "may_override"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on one finding.

    Attributes:
        finding, or_finding: Name of the finding; the second where the first has a twin for another kind of target.
        bound: Which end of the interval must meet `limit`; "value" only where a finding has no interval.
        reason: Why this limit, in a sentence for a privacy board. `source`: where it comes from.
        knob: What to change when the rule is not met ("try" in the file).
        applies_if: The rule falls away where the evidence says that one of these does not exist: a "target", a
            "recipe", a "guarantee" (an epsilon that is promised), or "anything to ask" (the audit looked, and the
            table holds nothing that could leak this way).
        may_override: Whether a named person may release although the rule is not met; see ``overrides.py``.
    """

    name: str
    finding: str
    bound: Bound
    op: Op
    limit: float
    reason: str
    source: str
    knob: str
    or_finding: str = ""
    applies_if: tuple[Condition, ...] = ()
    may_override: bool = True

    @property
    def findings(self) -> tuple[str, ...]:
        return (self.finding, self.or_finding) if self.or_finding else (self.finding,)

    def holds(self, number: float) -> bool:
        return number >= self.limit if self.op == ">=" else number <= self.limit


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules that must all be met. `text` is the file as written; its SHA-256 is part of every verdict.

    Attributes:
        releases: What leaves the house when they are: the "table", and the "model" that drew it.
    """

    name: str
    version: str
    about: str
    confidence: float
    rules: tuple[Rule, ...]
    text: str
    releases: tuple[Content, ...] = ("table",)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def load(cls, path: Path | str | None = None) -> Policy:
        """Read a policy: a file, or one that ships with the package by its name; None is the usual one of these.

        Raises:
            InputError: the file cannot be read.
            SchemaError: it is not a policy, or holds a key that is not understood.
        """
        name = USUAL if path is None else str(path)
        if name in BUNDLED:
            bundled = resources.files("semblance.release") / "policies" / f"{name}.toml"
            return cls.loads(bundled.read_text("utf-8"), where=f"the policy {name!r}")
        try:
            text = Path(name).read_bytes().decode("utf-8")
        except OSError as error:
            reason = error.strerror or "unknown error"
            known = ", ".join(BUNDLED)
            raise InputError(f"policy {path}: cannot be read ({reason}); give a file, or one of {known}.") from error
        except UnicodeDecodeError as error:
            raise SchemaError(f"policy {path}: is not UTF-8 text; save it as UTF-8.") from error
        return cls.loads(text, where=f"policy {path}")

    @classmethod
    def loads(cls, text: str, *, where: str = "policy") -> Policy:
        """Read a policy from its text. Raises SchemaError; `where` begins the message."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SchemaError(f"{where}: is not valid TOML, {error}.") from error
        _check_keys(data, needed=_HEAD - {"about", "confidence", "releases"}, known=_HEAD, where=where)
        if data["schema_version"] != POLICY_VERSION:
            raise SchemaError(f'{where}: schema_version must be "{POLICY_VERSION}" for this version of Semblance.')
        entries = data["rules"]
        if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
            raise SchemaError(f"{where}: needs at least one [[rules]] section.")
        rules = tuple(_read_rule(entry, where=f"{where}, rule {i}") for i, entry in enumerate(entries, start=1))
        names = [r.name for r in rules]
        if len(set(names)) != len(names):
            raise SchemaError(f"{where}: two rules share a name; give each its own.")
        confidence = _number(data.get("confidence", 0.95), where=f"{where}, confidence")
        if not 0.5 <= confidence < 1:
            raise SchemaError(f"{where}: confidence must lie between 0.5 and 1.")
        name, version, about = (_text(data.get(k, ""), where=f"{where}, {k}") for k in ("name", "version", "about"))
        releases = _choices(data.get("releases", ["table"]), get_args(Content), where=f"{where}, releases")
        if "table" not in releases:
            raise SchemaError(f'{where}: releases must hold "table": a model is not released without what it drew.')
        return cls(name, version, about, confidence, rules, text, cast(tuple[Content, ...], releases))


def _read_rule(entry: Mapping[str, Any], *, where: str) -> Rule:
    _check_keys(entry, needed=_NEEDED, known=_NEEDED | _OPTIONAL, where=where)
    other = {"limit", "applies_if", "may_override"}
    words = {k: _text(v, where=f"{where}, {k}") for k, v in entry.items() if k not in other}
    for key in ("name", "finding", "reason", "source", "try"):
        if not words[key].strip():
            raise SchemaError(f"{where}: {key!r} is empty; say something a privacy board can read.")
    for key, allowed in (("bound", get_args(Bound)), ("op", get_args(Op))):
        if words[key] not in allowed:
            raise SchemaError(f"{where}: {key} must be one of {', '.join(map(repr, allowed))}.")
    applies_if = entry.get("applies_if", [])
    conditions = _choices(
        [applies_if] if isinstance(applies_if, str) else applies_if, get_args(Condition), where=f"{where}, applies_if"
    )
    may_override = entry.get("may_override", True)
    if not isinstance(may_override, bool):
        raise SchemaError(f"{where}, may_override: must be true or false, without quotes.")
    return Rule(
        name=words["name"],
        finding=words["finding"],
        bound=cast(Bound, words["bound"]),
        op=cast(Op, words["op"]),
        limit=_number(entry["limit"], where=f"{where}, limit"),
        reason=words["reason"],
        source=words["source"],
        knob=words["try"],
        or_finding=words.get("or_finding", ""),
        applies_if=cast(tuple[Condition, ...], conditions),
        may_override=may_override,
    )


def _choices(value: object, allowed: tuple[str, ...], *, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or any(v not in allowed for v in value) or len(set(value)) != len(value):
        raise SchemaError(f"{where} must be one of {', '.join(map(repr, allowed))}, or a list of them.")
    return tuple(value)


def _check_keys(entry: Mapping[str, Any], *, needed: set[str], known: set[str], where: str) -> None:
    if strange := sorted(set(entry) - known):
        raise SchemaError(f"{where}: {strange[0]!r} is not a key that is understood; use {', '.join(sorted(known))}.")
    if absent := sorted(needed - set(entry)):
        raise SchemaError(f"{where}: {absent[0]!r} is missing; add it.")


def _text(value: object, *, where: str) -> str:
    if not isinstance(value, str):
        raise SchemaError(f"{where}: must be text in quotes.")
    return value


def _number(value: object, *, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SchemaError(f"{where}: must be a finite number.")
    return float(value)
