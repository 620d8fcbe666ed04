"""Numbers as people write them: recognised, read, and written back with the same decimals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
COMMA = re.compile(r"[+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d{1,3})?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
INFINITE = re.compile(r"[+-]?inf(?:inity)?|[+-]?∞", re.IGNORECASE)
LEADING_ZERO = re.compile(r"[+-]?0\d")
EXACT = 2**53  # above this a float64 cannot tell neighbouring integers apart
MOST_DECIMALS = 30  # smaller parts of a number are lost
FULL_PRECISION = 9


@dataclass(frozen=True, slots=True)
class Notation:
    """How a column writes its numbers."""

    mark: str = "."
    decimals: int = 0
    min_decimals: int = 0
    scientific: bool = False
    whole: bool = True  # every value is an integer, even where it is written 5.0
    padded: bool = False  # some value has leading zeros, so these are labels
    huge: bool = False  # some integer is too large for a float64


def looks_numeric(text: str, *, mark: str = ".") -> bool:
    return (PLAIN if mark == "." else COMMA).fullmatch(text.strip()) is not None


def looks_infinite(text: str) -> bool:
    return text[-1:] in "fFyY∞ " and INFINITE.fullmatch(text.strip()) is not None


def decimal_mark(texts: Iterable[str]) -> str:
    """Say "," when commas can only be decimal marks, "." otherwise; "" when some text is no number in either."""
    found = [text.strip() for text in texts]
    if all(PLAIN.fullmatch(text) for text in found):
        return "."
    if not all(COMMA.fullmatch(text) for text in found):
        return ""
    commas = [text for text in found if "," in text]
    grouped = all(THOUSANDS.fullmatch(text) and not text.lstrip("+-").startswith("0,") for text in commas)
    return "" if grouped and len(commas) > 1 else ","


def notation(texts: Iterable[str], *, mark: str) -> Notation:
    """Decimals, leading zeros and size of texts that `looks_numeric` accepts."""
    decimals, fewest, scientific, whole, padded, huge = 0, MOST_DECIMALS, False, True, False, False
    for raw in texts:
        text = raw.strip().replace(mark, ".")
        mantissa, _, exponent = text.lower().partition("e")
        _, _, fraction = mantissa.partition(".")
        padded |= LEADING_ZERO.match(mantissa) is not None
        if exponent:
            scientific = True
            places = max(0, len(fraction.rstrip("0")) - int(exponent))
        else:
            places = len(fraction)
            fewest = min(fewest, places)
        decimals = max(decimals, places)
        whole &= places == 0 if exponent else not fraction.strip("0")
        huge |= len(mantissa) + len(exponent) > 15 and abs(float(text)) > EXACT
    fewest = 0 if fewest == MOST_DECIMALS and scientific else fewest
    if whole:
        return Notation(mark, 0, min(decimals, fewest), scientific, whole, padded, huge)
    decimals = min(decimals, MOST_DECIMALS)
    if fewest < decimals > FULL_PRECISION:  # floats printed in full: trailing zeros mean nothing
        fewest = min(fewest, 1)
    return Notation(mark, decimals, min(fewest, decimals), scientific, whole, padded, huge)


def read_number(text: str, *, mark: str) -> float:
    """The value; ValueError when `text` is not a finite number."""
    stripped = text.strip()
    if not looks_numeric(stripped, mark=mark):
        raise ValueError("not a number")
    value = float(stripped.replace(mark, "."))
    if not np.isfinite(value):
        raise ValueError("too large for a number")
    return value


def write_numbers(
    values: NDArray[np.float64], *, decimals: int, min_decimals: int, mark: str, missing: str
) -> NDArray[np.object_]:
    """Texts of numbers (n,): rounded to `decimals`, zeros cut down to `min_decimals`, NaN as `missing`."""
    distinct, codes = np.unique(values, return_inverse=True)
    texts = np.array(
        [
            missing if np.isnan(v) else write_number(float(v), decimals=decimals, min_decimals=min_decimals, mark=mark)
            for v in distinct
        ],
        dtype=object,
    )
    return texts[codes] if len(texts) else np.array([], dtype=object)


def write_number(value: float, *, decimals: int, min_decimals: int, mark: str) -> str:
    # repr is the shortest text that reads back as the same float: no 97.099999999999994
    whole, _, fraction = format(Decimal(repr(round(value, decimals))), "f").partition(".")
    fraction = fraction.rstrip("0").ljust(min_decimals, "0")
    text = f"{whole}{mark}{fraction}" if fraction else whole
    return text.removeprefix("-") if not text.strip("-0.,") else text
