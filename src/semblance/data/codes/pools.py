"""Rare codes pooled up their hierarchy, and drawn again as published codes of the pool.

A code held by fewer than `min_patients` patients has no cell of its own. It joins the other rare codes of its
category; where these have too few patients together, those of its block, its chapter, and at last all that are left.
A pool is drawn uniformly from the *published* codes under it that have no cell of their own (and that the Schema
allows, where a person declared its categories): which codes can come up depends on the classification, on the person
and on common labels, never on which rare codes were seen. So a synthetic table
holds rare codes in about the right number and the right neighbourhood, and none of them because one patient had it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.codes.hierarchy import LAST, Hierarchy, hierarchy_of
from semblance.data.codes.spelling import Spelling, find_spelling
from semblance.schema import Column

FEWEST_CODES = 2
"""Published codes in a pool, at least: a pool of one would be a rare label in disguise."""


@dataclass(frozen=True, eq=False)
class Pools:
    """The label cells of a code column, in the order of its hierarchy, pools among them.

    Attributes:
        labels: Cell → label; a pool has a name in words.
        nodes: Cell → node of the hierarchy whose rare codes are pooled here, "" for a label of its own. (n_cells,)
        allowed: The only codes that may be drawn, where a person declared them; None for all.
    """

    hierarchy: Hierarchy
    spelling: Spelling
    labels: tuple[str, ...]
    nodes: tuple[str, ...]
    allowed: frozenset[str] | None = None

    @property
    def n(self) -> int:
        """How many of the cells are pools."""
        return sum(node != "" for node in self.nodes)

    @cached_property
    def families(self) -> NDArray[np.int32]:
        """A number for the block (or what lies above) that each cell belongs to. (n_cells,)"""
        names = []
        for label, node in zip(self.labels, self.nodes, strict=True):
            code = self.hierarchy.read(label) if not node else (node, "") if node in self.hierarchy.endings else None
            names.append(self.hierarchy.path(code[0])[1] if code else node or label)
        return pd.factorize(np.array(names, dtype=object))[0].astype(np.int32)

    @cached_property
    def members(self) -> dict[int, NDArray[np.object_]]:
        """Cell of each pool → the codes that it may be drawn as, in order."""
        cell = {node: i for i, node in enumerate(self.nodes) if node}
        own = {label for label, node in zip(self.labels, self.nodes, strict=True) if not node}
        found = _members(self.hierarchy, self.spelling, own, cell, self.allowed)
        return {cell[node]: np.array(codes, dtype=object) for node, codes in found.items()}

    def find(self, label: str) -> int:
        """The pool in which a code without a cell of its own falls, or -1."""
        code = self.hierarchy.read(label)
        if code is None:
            return -1
        cell = {node: i for i, node in enumerate(self.nodes) if node}
        return next((cell[node] for node in self.hierarchy.path(code[0]) if node in cell), -1)

    def draw(self, texts: NDArray[np.object_], cells: NDArray[np.int32], rng: np.random.Generator) -> None:
        """Write a code of its pool over the text of every pooled cell. (n_rows,) each, in place."""
        for cell, codes in self.members.items():
            rows = np.flatnonzero(cells == cell)
            texts[rows] = codes[rng.integers(len(codes), size=len(rows))]

    def to_dict(self) -> dict[str, Any]:
        return {"system": self.hierarchy.system, "spelling": asdict(self.spelling), "nodes": list(self.nodes)}

    @classmethod
    def from_dict(cls, data: dict[str, Any], labels: tuple[str, ...], column: Column) -> Pools:
        """Read back what `to_dict` gave; the labels and the column are kept elsewhere.

        Raises:
            ValueError: the code system is not known.
        """
        hierarchy = hierarchy_of(data["system"])
        if hierarchy is None:
            raise ValueError("this code system is not known")
        habits = data["spelling"] | {"otherwise": tuple(data["spelling"]["otherwise"])}
        return cls(hierarchy, Spelling(**habits), labels, tuple(data["nodes"]), _declared(column))


def pool_codes(
    values: pd.Series[Any], column: Column, *, subjects: NDArray[np.int64], min_patients: int
) -> Pools | None:
    """Cells for a column of codes: one a common label, one a pool, all in the order of the hierarchy.

    None where the Schema names no code system that we know.

    Args:
        subjects: Patient of each row. (n_rows,)
    """
    hierarchy = hierarchy_of(column.code_system)
    if hierarchy is None:
        return None
    pairs = pd.DataFrame({"label": values, "patient": subjects}).dropna().drop_duplicates()
    holders = pairs.groupby("label")["patient"].nunique()
    common = [str(label) for label in holders.index[holders >= min_patients]]
    read = {str(label): hierarchy.read(str(label)) for label in holders.index}
    held = pairs[pairs["label"].map(read).notna()].assign(
        category=lambda rows: rows["label"].map(read).str[0], ending=lambda rows: rows["label"].map(read).str[1]
    )
    spelling = find_spelling(held, hierarchy, min_patients=min_patients)
    rare, allowed = held[~held["label"].isin(common)], _declared(column)

    def codes(nodes: Collection[str]) -> dict[str, list[str]]:
        return _members(hierarchy, spelling, common, nodes, allowed)

    pools = _choose(rare, hierarchy, codes, min_patients)
    system = hierarchy.title

    def key(cell: tuple[str, str]) -> tuple[tuple[int, str, str], str]:
        label, node = cell
        code = None if node else read[label]
        if node:
            return hierarchy.key_of_node(node), label
        return (hierarchy.key(*code) if code else (len(hierarchy.blocks), LAST, LAST + LAST)), label

    cells = sorted([*((label, "") for label in common), *((f"other {system} {n}", n) for n in pools)], key=key)
    return Pools(hierarchy, spelling, tuple(label for label, _ in cells), tuple(node for _, node in cells), allowed)


def _declared(column: Column) -> frozenset[str] | None:
    return frozenset(column.categories) if column.bounds == "declared" and column.categories else None


def _choose(
    rare: pd.DataFrame,
    hierarchy: Hierarchy,
    codes: Callable[[Collection[str]], dict[str, list[str]]],
    min_patients: int,
) -> list[str]:
    """Nodes that become pools: as low in the hierarchy as patients and published codes allow."""
    paths = {category: hierarchy.path(category) for category in rare["category"].unique()}
    pools: list[str] = []
    left = rare
    for height in range(max((len(path) for path in paths.values()), default=0)):
        node = left["category"].map({c: path[min(height, len(path) - 1)] for c, path in paths.items()})
        patients = left["patient"].groupby(node).nunique()
        many = [str(found) for found in patients.index[patients >= min_patients] if found not in pools]
        members = codes([*pools, *many])
        chosen = [found for found in many if len(members.get(found, ())) >= FEWEST_CODES]
        pools += chosen
        left = left[~node.isin(chosen)]
    return pools


def _members(
    hierarchy: Hierarchy,
    spelling: Spelling,
    own: Collection[str],
    nodes: Iterable[str],
    allowed: frozenset[str] | None,
) -> dict[str, list[str]]:
    """Published codes under each pool that have no cell of their own and no lower pool."""
    wanted, taken = set(nodes), set(own)
    found: dict[str, list[str]] = {}
    if not wanted:
        return found
    for category in hierarchy.endings:
        node = next((node for node in hierarchy.path(category) if node in wanted), None)
        if node is not None:
            written = spelling.codes(category, hierarchy)
            codes = [code for code in written if code not in taken and (allowed is None or code in allowed)]
            found.setdefault(node, []).extend(codes)
            taken.update(codes)
    return found
