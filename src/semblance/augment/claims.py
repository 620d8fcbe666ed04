"""Which labels a transformation may change: judged by the words they are written in, and said as a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence

from semblance.image_schema import ImageSchema

SIDES = ("left", "right", "laterality", "lateral", "side", "sided", "l", "r", "dextrocardia", "situs", "左", "右", "侧")
ENDS = ("upper", "lower", "apical", "basal", "superior", "inferior", "top", "bottom", "anterior", "posterior",
        "orientation", "position", "view", "上", "下", "前", "后")  # fmt: skip
SIZES = ("size", "large", "small", "enlarged", "enlargement", "megaly", "cardiomegaly", "hepatomegaly", "splenomegaly",
         "diameter", "volume", "mm", "cm", "dilated", "dilatation", "aneurysm", "atrophy", "大", "小", "厘米", "毫米",
         "萎缩")  # fmt: skip
SHADES = ("density", "dense", "fatty", "birads", "hyperdense", "hypodense", "hyperintense", "hypointense", "lucency",
          "contrast", "exposure", "intensity", "sequence", "t1", "t2", "flair", "密度", "信号", "增强")  # fmt: skip
GRAINS = ("texture", "noise", "quality", "sharp", "sharpness", "blur", "motion", "microcalcification",
          "microcalcifications", "interstitial", "reticular", "trabecular", "纹理", "噪声", "质量", "钙化")  # fmt: skip
SPOTS = ("nodule", "lesion", "mass", "tumour", "tumor", "fracture", "polyp", "haemorrhage", "hemorrhage", "focal",
         "calcification", "foreign", "effusion", "pneumothorax", "结节", "病灶", "肿瘤", "骨折", "出血")  # fmt: skip


def doubts(schema: ImageSchema, *kinds: tuple[Sequence[str], str]) -> dict[str, str]:
    """Of each condition of the schema, why it may be changed; "" where nothing in its words speaks for that.

    Args:
        kinds: Words, and the reason that holds for a condition whose name or labels are written in one of them.

    A whole word must match; a Chinese one may stand anywhere. What no word says, nobody here can know: the claim is
    tested by ``audits/images/invariance.py``.
    """
    found = {}
    for name, labels in schema.conditions.items():
        text = " ".join([name, *labels])
        reasons = [reason for words, reason in kinds if _speaks_of(text, words)]
        found[name] = "; ".join(reasons)
    return found


def _speaks_of(text: str, words: Sequence[str]) -> bool:
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
    whole = set(re.findall(r"[a-z]+\d*|\d+", spelled)) | set(re.findall(r"[a-z]+", spelled))
    return any(word in whole if word.isascii() else word in spelled for word in words)
