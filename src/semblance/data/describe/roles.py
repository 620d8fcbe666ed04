"""What a column's name says about it: quasi-identifier, sensitive, its unit, whether it numbers the patient."""

from __future__ import annotations

import re

from semblance.data.describe.column_words import (
    CODES,
    QUASI,
    QUASI_CHINESE,
    SENSITIVE,
    SENSITIVE_CHINESE,
    UNITS,
    UNITS_OF_TWO_WORDS,
    words,
)
from semblance.schema import Role

LAST_ONLY = {"g": "g", "l": "L", "c": "°C", "m": "m", "h": "h"}  # too short to mean a unit inside a name
OF_CARE = frozenset({"stay", "encounter", "visit", "admission", "hadm", "unit", "icustay", "order", "event"})
OF_PEOPLE = frozenset(
    {"patient", "pat", "pt", "subject", "participant", "person", "respondent", "pid", "mrn", "patid", "individual"}
)
OF_KIND = frozenset({"type", "source", "status", "location", "disposition", "class", "category", "order", "event"})
NUMBERED = frozenset({"id", "no", "nr", "nbr", "num", "number", "identifier", "key", "pid", "code", "mrn"})
WHOLE = frozenset({"pidnum", "subjid", "usubjid", "patid", "seqn", "mrn", "eid", "uniquepid"})


def role_of(name: str, *, is_date: bool = False) -> tuple[Role, str]:
    """Role and the reason, told from the name alone; "feature" and an empty reason when it says nothing."""
    found = set(words(name))
    if found & SENSITIVE or any(word in name for word in SENSITIVE_CHINESE):
        return "sensitive", "its name speaks of something that can harm a person"
    if is_date:
        return "quasi-identifier", "a date of care can be known to others"
    drug = found & {"drug", "item", "test", "name", "hours", "per", "coverage", "cost", "costs", "charge", "charges"}
    if (found & QUASI and not drug) or any(word in name for word in QUASI_CHINESE):
        return "quasi-identifier", "others may know this about a person"
    return "feature", ""


def unit_of(name: str) -> str:
    """Unit that the name ends with or carries in brackets, such as "cm" in `height_cm`; "" when none."""
    bracket = re.search(r"[\(\[（【]([^()\[\]（）【】]{1,15})[\)\]）】]\s*$", name)
    if bracket and not re.fullmatch(r"[\d\s,-]+", bracket[1]):
        return bracket[1].strip()
    parts = [part for part in re.split(r"[^a-z0-9]+", name.lower()) if part and not re.fullmatch(r"day\d+|\d+", part)]
    if len(parts) < 2:
        return ""
    if len(parts) > 2 and "_".join(parts[-2:]) in UNITS_OF_TWO_WORDS:
        return UNITS_OF_TWO_WORDS["_".join(parts[-2:])]
    found = UNITS.get(parts[-1]) or LAST_ONLY.get(parts[-1])
    return found or next((UNITS[p] for p in parts[1:-1] if p in ("kcal", "usd", "mmhg", "mgdl")), "")


def is_code(name: str) -> bool:
    """True when the name says that numbers in this column are codes, not amounts."""
    found = set(words(name))
    coded = found & CODES or re.search(r"编码|代码|邮编", name.lower()) is not None
    numbered = re.search(r"(?<![aoul])id$|code$|_cd$|seqno$", name.lower()) or words(name)[-1:] == ("id",)
    return bool(coded) or (bool(numbered) and not found & {"flag", "count", "number", "score"})


def names_patient(name: str) -> int:
    """How strongly a name says "this numbers the patient": 0 not at all, higher is stronger."""
    found = words(name)
    joined = "".join(found)
    if re.search(r"(患者|病人|受试者|个人)(编号|号|id|ID|标识)|病历号|病案号|登记号|档案号", name):
        return 3
    if set(found) & OF_CARE:  # a stay is a stand-in for the patient where nothing better is there
        return int(bool(set(found) & (NUMBERED | {"encounter", "hadm"})) and not set(found) & OF_KIND)
    if joined in WHOLE or (set(found) & OF_PEOPLE and (set(found) & NUMBERED or len(found) == 1)):
        return 3
    return 2 if found in (("id",), ("seqn",), ("编号",), ("uid",)) else 0
