"""Conditions as a person writes them: ``sex=F``, ``age>=65``, ``ward in icu|surgery``, ``lactate is missing``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from semblance.errors import InputError

TAIL = re.compile(r"\s*(?:(>=|<=|!=|==|=|>|<)(.*)|\s(in|is)\s+(.*?)\s*)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one column.

    Attributes:
        operator: "=", "!=", ">=", "<=", ">", "<" or "in".
        alternatives: As written, blanks and all, one for every operator but "in"; nothing means missing.
        text: All of it as the person wrote it, for messages.
    """

    column: str
    operator: str
    alternatives: tuple[str, ...]
    text: str


def read_condition(text: str, columns: Iterable[str]) -> Condition:
    """Understand one condition.

    Where a column's own name holds an operator, the longest name that fits is meant.

    Args:
        columns: Names that may be conditioned on.

    Raises:
        InputError: it does not begin with a column's name, or what follows is no condition.
    """
    known, text = list(columns), text.lstrip()
    for name in sorted(known, key=len, reverse=True):
        if not text.startswith(name):
            continue
        found = TAIL.fullmatch(text[len(name) :])
        if found is not None and (made := _condition(name, found, text)) is not None:
            return made
    if any(text.startswith(name) for name in known):
        raise InputError(
            f"condition {text!r} is not understood; write COL=VALUE, COL>=VALUE (or !=, <=, >, <), "
            "COL in A|B, COL is missing, or COL is present."
        )
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    raise InputError(f"condition {text!r} does not begin with a column that the model learned; these are {shown}.")


def _condition(name: str, found: re.Match[str], text: str) -> Condition | None:
    sign, value, word, rest = found.groups()
    if sign:
        operator = "=" if sign == "==" else sign
        return (
            None
            if operator in (">=", "<=", ">", "<") and not value.strip()
            else Condition(name, operator, (value,), text)
        )
    if word.lower() == "in":
        return Condition(name, "in", tuple(_alternatives(rest)), text) if rest else None
    state = rest.lower()
    if state not in ("missing", "present"):
        return None
    return Condition(name, "=" if state == "missing" else "!=", ("",), text)


def _alternatives(text: str) -> list[str]:
    """``A|B`` apart; a backslash makes the bar, or the backslash, after it a part of the label."""
    parts = [""]
    for piece in re.findall(r"\\[\\|]|\||[^\\|]+|\\", text):
        if piece == "|":
            parts.append("")
        else:
            parts[-1] += piece[1:] if piece in ("\\|", "\\\\") else piece
    return parts


def escaped(label: str) -> str:
    """A label as it is written among the alternatives of ``in``."""
    return re.sub(r"([\\|])", r"\\\1", label)
