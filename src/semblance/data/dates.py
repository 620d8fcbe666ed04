"""Dates and moments as people write them: one format for a whole column, read and written without loss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d%b%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%b-%y",
    "%Y年%m月%d日",
)
TIMES = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H时%M分%S秒", "%H时%M分")
JOINTS = (" ", "T", "  ", "")
ZONES = ("", "Z", " UTC", "%z")
PLAIN_PARTS = {"Y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
UNPUNCTUATED = ("%Y%m%d", "%d%b%Y")
FIRST_LOOK = re.compile(r"\d{1,2}:\d\d|\d{1,4}\D{1,12}\d|\d{8}|\d{1,2}\s?[A-Za-z]{3}|[A-Z][a-z]{2,8} \d")
LONG_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTHS = tuple(month[:3] for month in LONG_MONTHS)
PLAUSIBLE = range(1800, 2301)  # de-identified records are often shifted a century or two ahead


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A strptime format plus the ways of writing that strptime does not tell apart.

    In the stored text, ``%-d`` style (no leading zeros) is marked by ``-`` after the percent sign, and ``%3f`` says
    three digits of a second.
    """

    text: str
    moment: bool
    why: str


def read_moment(text: str, form: str) -> datetime:
    """The moment (UTC when an offset is written, otherwise as it stands); ValueError when it is not one."""
    pattern, names = _compiled(form)
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError("not a date in this format")
    parts = dict(zip(names, match.groups(), strict=True))
    return _moment(parts)


def write_moment(moment: datetime, form: str) -> str:
    """The inverse of `read_moment`."""
    template, rare = _template(form)
    return template.format(moment, **{name: _rare(name, moment) for name in rare})


@cache
def _template(form: str) -> tuple[str, tuple[str, ...]]:
    """The format as a template of `str.format` (fast for a whole column) and the parts it has no word for."""
    literal = form.replace("{", "{{").replace("}", "}}")
    rare: list[str] = []

    def field(match: re.Match[str]) -> str:
        bare, style, part = match.groups()
        if part in PLAIN_PARTS:
            return f"{{0.{PLAIN_PARTS[part]}}}" if bare else f"{{0.{PLAIN_PARTS[part]}:0{4 if part == 'Y' else 2}d}}"
        if part == "%":
            return "%"
        rare.append(f"{part}{style}{'-' if bare else '_'}")
        return f"{{{rare[-1]}}}"

    return re.sub(r"%(-?)(\d?)([A-Za-z%])", field, literal), tuple(rare)


def _rare(name: str, moment: datetime) -> str:
    part, style, bare = name[0], name[1:-1], name[-1] == "-"
    if part == "f":
        return f"{moment.microsecond:06d}"[: int(style or 6)]
    if part in "bB":
        month = LONG_MONTHS[moment.month - 1] if part == "B" else MONTHS[moment.month - 1]
        return month.upper() if style == "2" else month if style == "1" else month.capitalize()
    if part in "Iy":
        number = moment.year % 100 if part == "y" else moment.hour % 12 or 12
        return str(number) if bare else f"{number:02d}"
    return {"z": "+00:00", "p": "AM" if moment.hour < 12 else "PM"}[part]


def _compiled(form: str) -> tuple[re.Pattern[str], list[str]]:
    if form not in _PATTERNS:
        names: list[str] = []
        pattern, position = "", 0
        for match in re.finditer(r"%(-?)(\d?)([A-Za-z%])", form):
            bare, digits, part = match.groups()
            pattern += re.escape(form[position : match.start()])
            position = match.end()
            if part == "%":
                pattern += "%"
                continue
            names.append(part)
            pattern += f"({_part_pattern(part, bare=bool(bare), digits=digits)})"
        _PATTERNS[form] = (re.compile(pattern + re.escape(form[position:])), names)
    return _PATTERNS[form]


_PATTERNS: dict[str, tuple[re.Pattern[str], list[str]]] = {}


def _part_pattern(part: str, *, bare: bool, digits: str) -> str:
    if part == "f":
        return rf"\d{{{digits}}}" if digits else r"\d{1,6}"
    if part in "bB":
        return "(?i:" + "|".join(LONG_MONTHS if part == "B" else MONTHS) + ")"
    fixed = {"Y": r"\d{4}", "p": "(?i:am|pm)", "z": r"[+-]\d{2}:?\d{2}|Z", "y": r"\d{2}"}
    if part in fixed:
        return fixed[part]
    if part not in "mdHIMS":
        raise ValueError(f"the format part %{part} is not known")
    return r"\d{1,2}" if bare else r"\d{2}"


def _moment(parts: dict[str, str]) -> datetime:
    year = 1970  # a time of day is a moment of the first day of the scale
    if "Y" in parts or "y" in parts:
        year = int(parts["Y"]) if "Y" in parts else _century(int(parts["y"]))
    if "b" in parts or "B" in parts:
        month = MONTHS.index((parts.get("b") or parts["B"])[:3].lower()) + 1
    else:
        month = int(parts.get("m", 1))
    hour = int(parts.get("H", 0))
    if "I" in parts:
        if not 1 <= int(parts["I"]) <= 12:
            raise ValueError("not an hour of a twelve-hour clock")
        hour = int(parts["I"]) % 12 + (12 if parts["p"].lower() == "pm" else 0)
    micro = int(parts.get("f", "0").ljust(6, "0"))
    moment = datetime(year, month, int(parts.get("d", 1)), hour, int(parts.get("M", 0)), int(parts.get("S", 0)), micro)
    zone = parts.get("z", "Z")
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        moment = moment.replace(tzinfo=timezone(offset if zone[0] == "+" else -offset))
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment


def _century(year: int) -> int:
    return 2000 + year if year < 69 else 1900 + year  # as POSIX and Python read two digits


def find_format(texts: Sequence[str]) -> DateFormat | None:
    """The one format that reads every text, or None. Day and month order is decided over the whole column."""
    sample = texts[:50]
    if not texts or not all(FIRST_LOOK.search(text) for text in sample):
        return None
    fitting = [form for form in _candidates(sample[0]) if _reads_all(sample, form)]
    fitting = [form for form in fitting if _reads_all(texts, form)]
    if not fitting:
        return None
    form = _exact(fitting[0], texts)
    return DateFormat(form, re.search("%-?[HI]", form) is not None, _why(fitting[0], fitting))


def nearest_format(texts: Sequence[str]) -> tuple[str, list[str]] | None:
    """The format that reads most of the texts, and the texts it does not read; None when it reads less than half."""
    forms = dict.fromkeys(form for text in texts[:20] if FIRST_LOOK.search(text) for form in _candidates(text))
    unread = {form: [text for text in texts if not _reads_all([text], form)] for form in list(forms)[:20]}
    best = min(unread, key=lambda form: len(unread[form]), default=None)
    if best is None or len(unread[best]) > 0.5 * len(texts):
        return None
    return re.sub(r"%[-\d]?", "%", best), unread[best]


def _candidates(first: str) -> list[str]:
    """Formats that read one text."""
    found = [re.sub("%([HI])", r"%-\1", time) for time in TIMES if re.match(r"\d{1,2}[:时]", first)]
    for date in DATES:
        bare = date if date in UNPUNCTUATED else re.sub(r"%([md])", r"%-\1", date)
        match = _compiled(bare)[0].match(first)
        if match is None:
            continue
        if match.end() == len(first):
            found.append(bare)
        elif first[match.end()] in " T0123456789":
            times = [re.sub(r"%([HI])", r"%-\1", time) for time in TIMES]
            found.extend(f"{bare}{joint}{time}{zone}" for joint in JOINTS for time in times for zone in ZONES)
    return [form for form in found if _reads_all([first], form)]


def _reads_all(texts: Sequence[str], form: str) -> bool:
    try:
        return all(read_moment(text, form).year in PLAUSIBLE for text in texts)
    except (ValueError, OverflowError):
        return False


def _exact(form: str, texts: Sequence[str]) -> str:
    """Settle leading zeros, digits of a second and the case of month names, so that writing gives the same text."""
    if "%f" in form:
        widths = {len(re.search(r"\.(\d+)", text)[1]) for text in texts}  # type: ignore[index]
        form = form.replace("%f", f"%{max(widths)}f") if len(widths) == 1 else form
    if "%z" in form:
        offsets = {text[re.search(r"(Z|[+-]\d{2}:?\d{2})$", text).start() :] for text in texts}  # type: ignore[union-attr]
        form = form.replace("%z", offsets.pop()) if len(offsets) == 1 else form  # one offset: local time, kept as it is
    clock = re.search(r"[ T]%-?H:%M(:%S)?(?!\.%)", form)  # a day written with a midnight is a day, not a moment
    midnights = (" 00:00:00", "T00:00:00") if clock and clock[1] else (" 00:00", "T00:00")
    for midnight in midnights if clock and not re.search(r"%\d?f", form) else ():
        if all(midnight in text for text in texts):
            form = form.replace(clock[0], midnight) if clock else form
    for part in "mdHI":
        padded = form.replace(f"%-{part}", f"%{part}")
        if padded != form and all(map(_compiled(padded)[0].fullmatch, texts)):
            form = padded
    for part in "bB":
        if f"%{part}" in form:
            letters = ["".join(re.findall("[A-Za-z]{3,}", text)) for text in texts]
            style = "2" if all(x.isupper() for x in letters) else "1" if all(x.islower() for x in letters) else ""
            form = form.replace(f"%{part}", f"%{style}{part}")
    return form


def _why(chosen: str, fitting: Sequence[str]) -> str:
    spoken = re.sub(r"%[-\d]?", "%", chosen)
    if not re.search("%[Yy]", spoken):
        return f"times of day written {spoken}"
    order = [re.sub(r"[^dm]", "", re.sub(r"%[^dm]", "", form.replace("-", ""))) for form in fitting]
    if "/" in chosen or re.search(r"%-?[dm]-%-?[dm]", chosen):
        if len(set(order)) > 1:
            return f"dates written {spoken}; no day above 12 settles the order, so the day is taken to come first"
        first = "day" if order[0].startswith("d") else "month"
        if not spoken.startswith("%Y"):
            return f"dates written {spoken}; values above 12 show that the {first} comes first"
    return f"dates written {spoken}"
