"""Which spellings in a column mean "no value"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from semblance.data.numbers import looks_numeric

# Never a value, whatever the column holds.
PLAIN = frozenset(
    {
        "",
        "NA",
        "N/A",
        "n/a",
        "na",
        "#N/A",
        "<NA>",
        "nan",
        "NaN",
        "NAN",
        "NaT",
        "null",
        "NULL",
        "Null",
        "(null)",
        "?",
        "??",
    }
    | {"#NULL!", "#VALUE!", "#DIV/0!", "缺失", "空"}
)
# A value in some columns ("None" of a drug, "-" of a blood group), no value in others.
DOUBTFUL = frozenset({"None", "none", "NONE", "-", "--", "—", ".", "..", "/", "\\", "Missing", "missing", "MISSING"})
# Only meant as "no value" among numbers and dates; elsewhere "unknown" is an answer.
AMONG_NUMBERS = (
    DOUBTFUL
    | {"unknown", "Unknown", "UNKNOWN", "unk", "Unk", "UNK", "U", "ND", "nd", "NR", "NS", "NT", "not_available"}
    | {"未知", "未查", "未测", "不详", "无", "未做", "拒查"}
)
SENTINEL = re.compile(r"-(?:9{1,5}|8{2,4}|7{2,4})(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class Missing:
    """Spellings found, commonest first, and why the doubtful ones were read as they were."""

    spellings: tuple[str, ...]
    why: str = ""


def missing_of(counts: Mapping[str, int], *, scale: bool, table: frozenset[str]) -> Missing:
    """Spellings of "no value" in a column with these distinct cells (commonest first).

    Args:
        counts: cells and how many rows hold each, commonest first.
        scale: the column holds numbers or dates apart from such words.
        table: spellings that label columns of the whole table use without doubt.
    """
    if scale:
        found = [text for text in counts if text.strip() in PLAIN | AMONG_NUMBERS]
        sentinels = _sentinels({text: k for text, k in counts.items() if text not in found})
        why = "a lone negative code far from all other values means no value" if sentinels else ""
        return Missing((*found, *sentinels), why)
    found = [text for text in counts if text.strip() in PLAIN]
    doubtful = [text for text in counts if text.strip() in DOUBTFUL]
    if not doubtful:
        return Missing(tuple(found))
    if any(text.strip() == "+" for text in counts):
        return Missing(tuple(found), "a dash stands beside a plus, so it is a value")
    words = [text for text in doubtful if text.strip().isalpha()]
    marks = [text for text in doubtful if text not in words]
    if words and (found or table - {""}):
        where = "this column" if found else "the table"
        return Missing(
            (*found, *marks), f'the word "{words[0]}" is a category, because {where} writes "no value" otherwise'
        )
    both = sorted([*found, *doubtful], key=lambda text: -counts[text])
    return Missing(tuple(both), f'the word "{words[0]}" means no value, the only spelling of it here' if words else "")


def _sentinels(counts: Mapping[str, int]) -> list[str]:
    """Codes such as -9 or -999, when every other value is zero or above and several rows hold the code."""
    codes = [text for text in counts if SENTINEL.fullmatch(text.strip())]
    others = [text for text in counts if text not in codes]
    if not codes or len(others) < 2 or not all(looks_numeric(text) for text in others):
        return []
    if any(text.strip().startswith("-") and float(text) != 0 for text in others):
        return []
    return [text for text in codes if counts[text] >= 3]
