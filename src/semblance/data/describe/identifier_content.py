"""Direct identifiers told by what the cells look like, whatever the column is called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from semblance.data.describe.column_words import CLINICAL, COMPOUND_SURNAMES, FAMILY, GIVEN, SURNAMES

STREET = (
    "street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|pl|terrace|ter|highway|hwy|square"
    "|sq|circle|cir|parkway|pkwy|crescent|close|grove|row|mews|trail|alley|plaza|loop|run|walk|path|crossing|gardens"
)
PATTERNS: dict[str, re.Pattern[str]] = {
    "e-mail address": re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z\u4e00-\u9fff]{2,}"),
    "web address": re.compile(r"(?:https?|ftp)://\S+|www\.[^\s@]+\.\S+", re.IGNORECASE),
    "IP address": re.compile(
        r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
        r"|(?:[0-9a-fA-F]{0,4}:){4,7}[0-9a-fA-F]{1,4}"
    ),
    "device number": re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|\(01\)\d{14}.*"),
    "unique code": re.compile(
        r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
        r"|[0-2](?:\.\d+){6,}|[A-Za-z0-9+/]{80,}={0,2}"
    ),
    "social security or national number": re.compile(r"\d{3}-\d{2}-\d{4}"),
    "phone or fax number": re.compile(
        r"(?:\+?1[-. ]?)?\(?\d{3}\)?[-. ]\s?\d{3}[-. ]\d{4}(?:\s?(?:x|ext\.?)\s?\d+)?"
        r"|\+\d{1,3}[-. ]?\(?\d[\d\-. ()]{6,15}|(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
        r"|\(?0\d{2,3}\)?[- ]\d{7,8}(?:-\d{1,4})?|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}"
    ),
    "photograph": re.compile(r"\S.*\.(?:jpe?g|png|gif|bmp|tiff?|dcm|heic)", re.IGNORECASE),
    "vehicle number": re.compile(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{4,6}[A-Z0-9挂学警港澳]"
    ),
    "address": re.compile(
        rf"(?:\S+,?\s)?\d+[A-Za-z]?,?\s+(?:[\w.'’-]+\s+){{0,4}}(?:{STREET})\b.*|[\w\s.-]*(?:straße|strasse|str\.)\s?\d+.*"
        r"|(?:rue|avenue|calle|via|p\.?\s?o\.?\s?box)\s.*\d+.*",
        re.IGNORECASE,
    ),
}
ENGLISH_NAME = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Dr|Miss)\.?\s)?[A-Z][A-Za-z'’-]+(?:\s[A-Z]\.?)?(?:\s[A-Z][A-Za-z'’-]+){1,2}"
    r"|[A-Z][A-Za-z'’-]+,\s?[A-Z][A-Za-z'’-]+(?:\s[A-Z]\.?)?"
)
ORGANISATION = re.compile(
    r"\b(?:hospital|clinic|center|centre|medical|university|health|institute|disease|syndrome|cancer|failure|acid"
    r"|hydrochloride|sodium|acute|chronic|unit|care|county|city|new|san|north|south|east|west|street|saint|st)\b",
    re.IGNORECASE,
)
ONE_NAME = re.compile(r"[A-Z][A-Za-z'’-]{1,14}\d{0,4}")
CHINESE_PLACE = re.compile(r"[省市区县镇乡村路街巷号室弄栋楼幢屯组]|小区|大道|单元")
VIN = re.compile(r"(?=.*[A-Z])(?=.*\d)[A-HJ-NPR-Z0-9]{17}")
IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?")
EVERYDAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?|\d{2,3}/\d{2,3}|[+-]?\d*[.,]\d+(?:[eE][+-]?\d+)?|[\d.]+ ?[-–] ?[\d.]+")
ENOUGH = 0.8  # share of distinct cells that must match
FEWEST = 5  # distinct cells below which a column is a category, whatever it looks like


def resident_id(text: str) -> bool:
    """An 18-digit Chinese resident number with a real day and the right check character (GB 11643-1999)."""
    if not re.fullmatch(r"\d{17}[\dXx]", text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return resident_check(text[:17]) == text[17].upper()


def resident_check(first: str) -> str:
    """Check character of the first 17 digits."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]


def luhn(text: str) -> bool:
    """Card and IMEI numbers carry this check digit (ISO/IEC 7812-1)."""
    digits = [int(d) for d in re.sub(r"[ -]", "", text)][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def _card(text: str) -> bool:
    return re.fullmatch(r"\d{4}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,4})?|\d{13,19}", text) is not None and luhn(text)


CHECKS: dict[str, Callable[[str], bool]] = {
    "social security or national number": resident_id,
    "account number": lambda text: _card(text) or IBAN.fullmatch(text) is not None,
    "vehicle number": lambda text: VIN.fullmatch(text) is not None,
}


def kind_of(distinct: Sequence[str], *, n: int, increasing: bool) -> str | None:
    """The kind of identifier that these distinct cells of `n` filled ones look like, or None."""
    if len(distinct) < FEWEST:
        return None
    sample = [text.strip() for text in distinct[:2000]]
    for tests in (CHECKS, {kind: lambda t, p=p: p.fullmatch(t) is not None for kind, p in PATTERNS.items()}):
        for kind, test in tests.items():
            if sum(map(test, sample)) >= ENOUGH * len(sample):
                return kind
    if _chinese_addresses(sample, n=n):
        return "address"
    if _names(sample, unique=len(distinct) >= 0.5 * n and n >= 30):
        return "person's name"
    if len(distinct) == n >= 20 and _unique_code(sample, increasing=increasing):
        return "unique code"
    return None


def lookalikes(distinct: Sequence[str]) -> dict[str, list[str]]:
    """The cells that look like an identifier, by kind, however few they are; see `kind_of` for how many it takes."""
    texts = [(text, text.strip()) for text in distinct]
    found = {kind: [text for text, bare in texts if pattern.fullmatch(bare)] for kind, pattern in PATTERNS.items()}
    for kind, test in CHECKS.items():
        found[kind] = list(dict.fromkeys([*found.get(kind, []), *(text for text, bare in texts if test(bare))]))
    return {kind: cells for kind, cells in found.items() if cells}


def _chinese_addresses(sample: Sequence[str], *, n: int) -> bool:
    marks = sum(len(CHINESE_PLACE.findall(text)) >= 2 and len(text) >= 6 for text in sample)
    return marks >= 0.7 * len(sample) and len(sample) >= min(10, 0.5 * n)


def _names(sample: Sequence[str], *, unique: bool) -> bool:
    if len(sample) < 10:
        return False
    chinese = [text for text in sample if re.fullmatch(r"[\u4e00-\u9fff·]{2,4}", text)]
    if len(chinese) >= 0.9 * len(sample):
        surnames = sum(text[0] in SURNAMES or text.startswith(COMPOUND_SURNAMES) for text in chinese)
        clinical = sum(any(c in CLINICAL for c in text[1:]) for text in chinese)
        return surnames >= 0.8 * len(chinese) and clinical <= 0.1 * len(chinese)
    full = sum(ENGLISH_NAME.fullmatch(text) is not None for text in sample)
    known = sum(any(w in GIVEN or w in FAMILY for w in re.findall(r"[a-z]+", text.lower())) for text in sample)
    if full >= ENOUGH * len(sample):
        houses = sum(ORGANISATION.search(text) is not None for text in sample)
        return houses <= 0.1 * len(sample) and (unique or known >= (0.2 if len(sample) >= 30 else 0.3) * len(sample))
    single = sum(ONE_NAME.fullmatch(text) is not None for text in sample)
    return single >= 0.9 * len(sample) and known >= 0.5 * len(sample)


def mask(text: str) -> str:
    """The shape of a text: digits as 9, capitals as A, small letters as a, other characters themselves."""
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", text)))


def _unique_code(sample: Sequence[str], *, increasing: bool) -> bool:
    """Cells that all differ and are not measurements: running numbers, or codes of one shape."""
    if any(EVERYDAY.fullmatch(text) for text in sample):
        return False
    if all(re.fullmatch(r"\d{1,18}", text) for text in sample):
        width = Counter(map(len, sample)).most_common(1)[0]
        rounded = sum(text.endswith("0") for text in sample) > 0.3 * len(sample)
        return increasing or (width[0] >= 6 and width[1] >= 0.97 * len(sample) and not rounded)
    shapes = Counter(map(mask, sample)).most_common(1)[0]
    varied = sum(c in "9Aa" for c in shapes[0])
    spaced = sum(" " in text for text in sample)
    return (
        varied >= 4
        and "9" in shapes[0]
        and shapes[1] >= 0.7 * len(sample)
        and spaced <= 0.2 * len(sample)
        and all(any(c.isdigit() for c in text) for text in sample)
    )
