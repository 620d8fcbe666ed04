"""A published classification of diagnoses: chapters, blocks, categories, and the codes in force.

The facts are in ``bundled/icd9cm.txt``, ``icd10.txt`` and ``icd10cm.txt``: ranges and codes, no descriptions. A code
is written here without point, with its leading zeros, in capitals: ``25083``, ``V5789``, ``I500``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

LAST = "\uffff"  # sorts behind every code
ROOT = "all"
SYSTEMS = {
    "icd9cm": ("ICD-9-CM", r"(\d{1,3})(?:\.(\d{1,2}))?|(\d{3})(\d{1,2})|(V\d\d)\.?(\d{0,2})|(E\d{3})\.?(\d?)"),
    "icd10": ("ICD-10", r"([A-Z]\d\d)(?:\.?([0-9A-Z]{0,4})|\.?-)"),
    "icd10cm": ("ICD-10-CM", r"([A-Z][0-9A-Z]{2})\.?([0-9A-Z]{0,4})"),
}
ALIASES = {"icd9": "icd9cm", "icd9cmdiagnosis": "icd9cm", "icd10who": "icd10", "icd10gm": "icd10"}


@dataclass(frozen=True, slots=True)
class Range:
    """Categories from `first` to `last`, both included; `under` is the range it belongs to, "" for a chapter."""

    first: str
    last: str
    under: str = ""

    @property
    def name(self) -> str:
        return f"{self.first}-{self.last}"

    def holds(self, category: str) -> bool:
        return self.first[0] <= category[0] <= self.last[0] and self.first <= category <= self.last


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """One classification.

    Its nodes are texts: ``all``, a chapter or block such as ``240-279``, a category such as ``250``.

    Attributes:
        system: Short name, as in `Column.code_system`. title: As people write it.
        chapters, blocks: In the order of the classification.
        homes: Published category → position of its block.
        endings: Published category → what follows it in each of its codes, "" where the category itself is a code.
    """

    system: str
    title: str
    chapters: tuple[Range, ...]
    blocks: tuple[Range, ...]
    homes: dict[str, int]
    endings: dict[str, tuple[str, ...]]

    def read(self, label: str) -> tuple[str, str] | None:
        """Category and ending of a well-formed code, with or without point, or None.

        A whole number keeps its meaning when a spreadsheet has eaten its leading zeros: ``8`` is ``008``.
        """
        found = re.fullmatch(SYSTEMS[self.system][1], label.strip().upper())
        if found is None:
            return None
        category, ending = ([*(part for part in found.groups() if part is not None), ""])[:2]
        category = category.zfill(3)
        return (category, ending) if self._chapter(category) is not None else None

    def is_published(self, category: str, ending: str) -> bool:
        """Whether it is a code in force, or the beginning of one."""
        return any(known.startswith(ending) for known in self.endings.get(category, ()))

    def knows(self, label: str) -> bool:
        """Whether a label is a code in force, or the beginning of one."""
        code = self.read(label)
        return code is not None and self.is_published(*code)

    def path(self, category: str) -> tuple[str, ...]:
        """Nodes from the category up to the root."""
        at, chapter = self._block(category), self._chapter(category)
        names = [category, *([] if at is None else [self.blocks[at].name]), *([chapter.name] if chapter else []), ROOT]
        return tuple(dict.fromkeys(names))  # a chapter without blocks counts once

    def key(self, category: str, ending: str = "") -> tuple[int, str, str]:
        """Sorts codes as the classification does."""
        at = self._block(category)
        if at is None:  # a number between two blocks of its chapter
            chapter = self._chapter(category)
            inside = [i for i, block in enumerate(self.blocks) if chapter is not None and block.under == chapter.name]
            at = max((i for i in inside if self.blocks[i].first <= category), default=min(inside, default=0))
        return at, category, ending

    def key_of_node(self, node: str) -> tuple[int, str, str]:
        """Sorts a node behind all that belongs to it."""
        if node == ROOT:
            return len(self.blocks), LAST, LAST
        inside = [i for i, block in enumerate(self.blocks) if node in (block.name, block.under)]
        return (inside[-1], LAST, LAST) if inside else self.key(node, LAST)

    def categories(self, node: str) -> tuple[str, ...]:
        """Published categories of a node, in order."""
        return self._categories.get(node, ())

    @cached_property
    def _categories(self) -> dict[str, tuple[str, ...]]:
        held: dict[str, list[str]] = {}
        for category in self.endings:
            for node in self.path(category):
                held.setdefault(node, []).append(category)
        return {node: tuple(found) for node, found in held.items()}

    def _block(self, category: str) -> int | None:
        """Position of its block; a letter inside a number (C4A) is listed, not found by its range."""
        listed = self.homes.get(category)
        return listed if listed is not None else next((i for i, b in enumerate(self.blocks) if b.holds(category)), None)

    def _chapter(self, category: str) -> Range | None:
        return next((chapter for chapter in self.chapters if chapter.holds(category)), None)


def hierarchy_of(code_system: str) -> Hierarchy | None:
    """The hierarchy a Schema's `code_system` names, however it is spelled ("ICD-9-CM", "icd9"); None if unknown."""
    plain = re.sub(r"[^a-z0-9]", "", code_system.lower())
    plain = ALIASES.get(plain, plain)
    return _load(plain) if plain in SYSTEMS else None


@cache
def _load(system: str) -> Hierarchy:
    text = files("semblance.data").joinpath(f"bundled/{system}.txt").read_text(encoding="utf-8")
    chapters: list[Range] = []
    blocks: list[Range] = []
    homes: dict[str, int] = {}
    endings: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        parts = line.split()
        if line.startswith("    "):
            homes[parts[0]] = len(blocks) - 1
            endings[parts[0]] = _unpack(parts[1:])
        elif line.startswith("  "):
            first, last = parts[0].split("-")
            blocks.append(Range(first, last, chapters[-1].name))
        elif not line.startswith("#"):
            first, last = parts[0].split("-")
            chapters.append(Range(first, last))
    return Hierarchy(system, SYSTEMS[system][0], tuple(chapters), tuple(blocks), homes, endings)


def _unpack(packed: list[str]) -> tuple[str, ...]:
    """``0[12] 9`` → 01, 02, 9."""
    out = []
    for part in packed:
        stem, _, last = part.partition("[")
        out += [stem + letter for letter in last[:-1]] if last else [stem]
    return tuple(out) or ("",)
