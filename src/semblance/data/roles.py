"""What a column's name says about it: quasi-identifier, sensitive, its unit, whether it numbers the patient."""

from __future__ import annotations

import re

from semblance.data.identifier_words import words
from semblance.schema import Role

QUASI = frozenset(
    "age sex gender race ethnicity ethnic zip zipcode postcode postal education edu educational marital married"
    " occupation occup job profession employment income religion language country nationality county city town state"
    " region province district neighborhood birthplace insurance payer household military veteran immigrant yob"
    " citizenship workclass relationship schooling degree tribe caste urban rural".split()
)
SENSITIVE = frozenset(
    "hiv aids homo homosexual gay lesbian sexual sexuality orientation transgender mental psychiatric psych psychosis"
    " schizophrenia depression depressed depressive phq suicide suicidal drugs marijuana cannabis cocaine heroin opioid"
    " opioids meth addiction addict alcohol alcoholism drinker substance abuse std sti syphilis gonorrhea chlamydia"
    " herpes hepatitis pregnant pregnancy abortion miscarriage contraception genetic genotype brca apoe criminal"
    " prison violence rape bipolar dementia".split()
)
CHINESE_QUASI = (
    "年龄 性别 民族 种族 学历 文化程度 教育 婚姻 婚否 职业 工作单位 收入 邮编 邮政编码 籍贯 国籍 户籍 户口 城市 省份 地区 区县 语言 宗教 医保类型"
    " 付费方式 出生年 出生地"
).split()
CHINESE_SENSITIVE = (
    "艾滋 HIV 梅毒 淋病 性病 乙肝 丙肝 肝炎 精神 抑郁 焦虑 自杀 吸毒 毒品 酗酒 饮酒 流产 堕胎 妊娠 怀孕 性取向 性伴 遗传 基因 成瘾"
).split()
UNITS = {
    "kg": "kg", "lbs": "lb", "lb": "lb", "cm": "cm", "mm": "mm", "mmhg": "mmHg", "mgdl": "mg/dL", "ugdl": "µg/dL",
    "ugl": "µg/L", "gdl": "g/dL", "ngml": "ng/mL", "pgml": "pg/mL", "mmol": "mmol", "mmoll": "mmol/L", "umoll": "µmol/L",
    "nmoll": "nmol/L", "meql": "mEq/L", "iul": "IU/L", "ul": "U/L", "gl": "g/L", "mgl": "mg/L", "pct": "%", "percent": "%",
    "years": "years", "yrs": "years", "yr": "years", "months": "months", "weeks": "weeks", "days": "days", "hours": "h",
    "hrs": "h", "minutes": "min", "mins": "min", "seconds": "s", "secs": "s", "ml": "mL", "bpm": "beats/min", "usd": "USD",
    "eur": "EUR", "cny": "CNY", "kcal": "kcal", "kgm2": "kg/m²", "celsius": "°C", "mcg": "µg", "mg": "mg",
}  # fmt: skip
LAST_ONLY = {"g": "g", "l": "L", "c": "°C", "m": "m", "h": "h"}
TWO_WORDS = {("mg", "dl"): "mg/dL", ("ug", "dl"): "µg/dL", ("g", "dl"): "g/dL", ("mmol", "l"): "mmol/L", ("ug", "l"): "µg/L",
             ("mm", "hg"): "mmHg", ("umol", "l"): "µmol/L", ("kg", "m2"): "kg/m²", ("ng", "ml"): "ng/mL", ("mcg", "dl"): "µg/dL"}  # fmt: skip
DATED = frozenset(
    "admission admit admitted discharge discharged death dod visit encounter start stop end date dischtime admittime".split()
)
NOT_CODES = frozenset("flag count number score".split())
CODES = frozenset(
    "code codes icd icd9 icd10 diag dx cpt loinc snomed ndc atc drg rxnorm gsn hcpcs zip zipcode postcode postal cpt4".split()
)


def role_of(name: str, *, is_date: bool = False) -> tuple[Role, str]:
    """Role and the reason, told from the name alone; "feature" and an empty reason when it says nothing."""
    found = set(words(name))
    if found & SENSITIVE or any(word in name for word in CHINESE_SENSITIVE):
        return "sensitive", "its name speaks of something that can harm a person"
    if is_date:
        return "quasi-identifier", "a date of care can be known to others"
    drug = found & {"drug", "item", "test", "name", "hours", "per"}
    if (found & QUASI and not drug) or any(word in name for word in CHINESE_QUASI):
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
    if tuple(parts[-2:]) in TWO_WORDS and len(parts) > 2:
        return TWO_WORDS[parts[-2], parts[-1]]
    found = UNITS.get(parts[-1]) or LAST_ONLY.get(parts[-1])
    return found or next((UNITS[p] for p in parts[1:-1] if p in ("kcal", "usd", "mmhg", "mgdl")), "")


def is_code(name: str) -> bool:
    """True when the name says that numbers in this column are codes, not amounts."""
    found = set(words(name))
    coded = found & CODES or re.search(r"编码|代码|邮编|icd", name.lower()) is not None
    return bool(coded) or (words(name)[-1:] == ("id",) and not found & NOT_CODES)


def names_patient(name: str) -> int:
    """How strongly a name says "this numbers the patient": 0 not at all, higher is stronger."""
    found = words(name)
    joined = "".join(found)
    if re.search(r"(患者|病人|受试者|个人)(编号|号|id|ID|标识)|病历号|病案号|登记号|档案号", name):
        return 3
    if set(found) & {"stay", "encounter", "visit", "admission", "hadm", "unit", "icustay", "order", "event"}:
        return 0
    people = {
        "patient",
        "pat",
        "pt",
        "subject",
        "participant",
        "person",
        "respondent",
        "pid",
        "mrn",
        "patid",
        "individual",
    }
    known = joined in {"pidnum", "subjid", "usubjid", "patid", "seqn", "mrn", "eid", "uniquepid"}
    numbers = set(found) & {"id", "no", "nr", "nbr", "num", "number", "identifier", "key", "pid", "code", "mrn"}
    if known or (set(found) & people and (numbers or len(found) == 1)):
        return 3
    return 1 if found in (("id",), ("seqn",), ("编号",), ("uid",)) else 0
