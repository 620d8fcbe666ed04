"""Labels: which pairs mean yes and no, and which labels have an order."""

from __future__ import annotations

import re
from collections.abc import Sequence

PAIRS = tuple(
    frozenset(pair.split())
    for pair in (
        "0 1", "0.0 1.0", "yes no", "y n", "true false", "t f", "positive negative", "pos neg", "present absent",
        "是 否", "有 无", "阳性 阴性", "对 错", "+ -", "on off", "ja nein", "oui non", "si no", "sí no", "alive dead",
    )
)  # fmt: skip
SCALES = tuple(
    tuple(level.strip() for level in scale.split("<"))
    for scale in (
        "none < minimal < mild < moderate < severe < very severe",
        "no < mild < moderate < severe",
        "very low < low < normal < high < very high",
        "low < medium < high",
        "low < moderate < high",
        "low < intermediate < high",
        "very poor < poor < fair < good < very good < excellent",
        "never < rarely < sometimes < often < always",
        "never < former < current",
        "not at all < several days < more than half the days < nearly every day",
        "not at all < some days < every day",
        "not at all < a little < somewhat < quite a bit < very much < extremely",
        "strongly disagree < disagree < neutral < agree < strongly agree",
        "none < some < all",
        "small < medium < large",
        "underweight < normal < overweight < obese",
        "no < borderline < yes",
        "negative < trace < positive",
        "- < +- < + < ++ < +++ < ++++",
        "i < ii < iii < iv < v < vi",
        "a < b < c < d < e < f",
        "无 < 轻度 < 中度 < 重度",
        "轻 < 中 < 重",
        "低 < 中 < 高",
        "差 < 一般 < 好 < 很好",
        "从不 < 偶尔 < 有时 < 经常 < 总是",
        "ⅰ < ⅱ < ⅲ < ⅳ",
    )
)  # fmt: skip
LETTERED = ("a", "b", "c")  # grades A to F are ordered only when the column says it is a grade
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
BAND = re.compile(
    r"[\[(]?\s*[$€£]?-?\d[\d.,]*\s*[kKmM%]?\s*(?:[-–~,至到]|to)\s*[$€£]?-?\d[\d.,]*\s*[kKmM%]?\s*[\])]?\s*\D{0,12}"
)
EDGE = re.compile(
    r"(?P<under>[<≤]=?|under|below|less than|up to|小于|不足|低于)?\s*[$€£]?(?P<value>\d[\d.,]*)\s*[kKmM%岁年元]?\s*"
    r"(?P<over>\+|及以上|以上|(?:or|and) (?:more|over|above|older))?\s*"
    r"(?P<below>以下|(?:or|and) (?:less|under|below|younger))?\s*\D{0,12}",
    re.IGNORECASE,
)
OVER = re.compile(
    r"(?P<over>[>≥]=?|over|above|more than|at least|大于|超过|高于)\s*[$€£]?(?P<value>\d[\d.,]*)\s*"
    r"[kKmM%岁年元]?\s*\D{0,12}",
    re.IGNORECASE,
)


def is_boolean(labels: Sequence[str]) -> bool:
    """True for two labels that mean yes and no, in whatever spelling."""
    return len(labels) == 2 and frozenset(label.strip().lower() for label in labels) in PAIRS


def order_of(labels: Sequence[str], *, graded: bool = False) -> tuple[tuple[str, ...], str] | None:
    """The labels in rising order and why, or None when they have no evident order.

    `graded` says that the column's name speaks of a grade, class or stage, so that lone letters are ordered.
    """
    bands = _bands(labels)
    if bands is not None:
        return bands, "ordered bands"
    plain = {label.strip().lower(): label for label in labels}
    if len(plain) != len(labels) or len(labels) < 2:
        return None
    for scale in SCALES:
        if set(plain) <= set(scale) and (len(plain) >= 3 or len(scale) == len(plain)):
            if scale[:3] == LETTERED and not graded:
                continue
            return tuple(plain[level] for level in scale if level in plain), "words of a known scale"
    staged = {label: re.fullmatch(r"(\D+?)\s?(\d{1,2}|i{1,3}|iv|v)([a-c]?)", label.strip().lower()) for label in labels}
    if len(labels) >= 3 and all(staged.values()) and len({m[1] for m in staged.values() if m}) == 1:
        romans = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
        keys = {label: (romans.get(m[2]) or int(m[2]), m[3]) for label, m in staged.items() if m}
        if len(set(keys.values())) == len(keys):
            return tuple(sorted(keys, key=lambda label: keys[label])), "numbered stages"
    return None


def _bands(labels: Sequence[str]) -> tuple[str, ...] | None:
    keys: dict[str, tuple[float, int]] = {}
    n_bands = 0
    for label in labels:
        text = label.strip()
        over, edge = OVER.fullmatch(text), EDGE.fullmatch(text)
        if BAND.fullmatch(text):
            n_bands += 1
            keys[label] = (_value(text), 0)
        elif over:
            n_bands += 1
            keys[label] = (_value(over["value"]), 1)
        elif edge and (edge["under"] or edge["below"] or edge["over"]):
            n_bands += 1
            keys[label] = (_value(edge["value"]), 1 if edge["over"] else -1)
        elif re.fullmatch(r"\d+", text):
            keys[label] = (_value(text), 0)
        else:
            return None
    if len(labels) < 2 or n_bands < 1 or len(set(keys.values())) != len(keys):
        return None
    return tuple(sorted(keys, key=lambda label: keys[label]))


def _value(text: str) -> float:
    """The first number of a text; thousands separators are dropped."""
    found = NUMBER.search(re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text))
    return float(found[0].replace(",", ".")) if found else 0.0
