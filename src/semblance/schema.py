"""What a table means: its columns, who its patients are, and what may be said about each value.

A Schema holds facts, never rows. It is inferred by ``describe`` (see ``data/describe/infer.py``), edited by a person as
TOML (see ``schema_toml.py``), and then believed by everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from semblance.errors import SchemaError
from semblance.language import agreement
from semblance.language.rule import Rule

Kind = Literal["number", "integer", "boolean", "category", "ordinal", "code", "date", "datetime", "text"]
Role = Literal["feature", "target", "subject", "identifier", "quasi-identifier", "sensitive"]
Handling = Literal["model", "surrogate", "blank", "drop"]
Source = Literal["declared", "inferred"]

KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)
HANDLINGS: tuple[str, ...] = get_args(Handling)
NUMERIC: frozenset[str] = frozenset({"number", "integer", "date", "datetime"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Kinds. ``number`` and ``integer`` live on a scale. ``date`` is a day, ``datetime`` a moment; on the numeric scale
    they are days and seconds since 1970-01-01. ``boolean``, ``category``, ``ordinal`` (ordered) and ``code`` (many
    levels, leading zeros kept) are labels, kept as the exact text of the source. ``text`` is free text.

    Handling. ``model`` learns and samples the column. ``surrogate`` never looks at the values again and writes
    fresh ones of the same `form`. ``blank`` keeps the column, empty. ``drop`` leaves it out of the output.

    Attributes:
        low, high: Inclusive bounds on the numeric scale; None where there is none. Always None for labels.
        bounds: Whether a person declared bounds and categories, or they were read off the data.
        categories: Every allowed label, in order of meaning for ``ordinal``, of frequency otherwise.
        decimals, min_decimals: A number is rounded to `decimals` places and written with at least `min_decimals`.
        decimal_mark: "." or ",".
        date_format: strptime format, literal suffixes (such as "Z") included.
        missing: Spellings that mean "no value" in this column; the first is the one written. Empty means none seen.
        missing_reason: Why values are missing, in a person's words.
        form: Pattern of a surrogate, made by ``data/describe/identifiers.py``.
        storage: Arrow type of the source column, empty for text formats.
        why: One sentence on what was inferred and from what; never a value.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    handling: Handling = "model"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    bounds: Source = "inferred"
    categories: tuple[str, ...] = ()
    decimals: int = 0
    min_decimals: int = 0
    decimal_mark: str = "."
    date_format: str = ""
    missing: tuple[str, ...] = ()
    missing_reason: str = ""
    code_system: str = ""
    form: str = ""
    storage: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        for value, allowed, what in (
            (self.kind, KINDS, "kind"),
            (self.role, ROLES, "role"),
            (self.handling, HANDLINGS, "handling"),
        ):
            if value not in allowed:
                raise SchemaError(
                    f"column {self.name!r}: {what} {value!r} is not known; use one of {', '.join(allowed)}."
                )
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SchemaError(f"column {self.name!r}: the lower bound lies above the upper bound; swap them.")
        if len(set(self.categories)) != len(self.categories):
            raise SchemaError(f"column {self.name!r}: a category is listed twice; list each once.")

    @property
    def numeric(self) -> bool:
        """True where values live on a scale (numbers and dates), False for labels."""
        return self.kind in NUMERIC

    @property
    def modelled(self) -> bool:
        """True where a generator learns this column: never free text or identifiers, whatever the handling says."""
        return self.handling == "model" and self.kind != "text" and self.role not in ("subject", "identifier")


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of one table, in file order.

    The patient (`subject`) is the unit of splitting and of privacy; without a subject column each row is a patient.
    `dialect` is how the source file was written (format, delimiter, encoding, …), so that output can match it.
    `rules` are facts about several columns at once (``language/rule.py``); every synthetic row obeys them.
    """

    columns: tuple[Column, ...]
    name: str = "table"
    dialect: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        if not names:
            raise SchemaError("the schema has no columns; describe the source again.")
        if len(set(names)) != len(names):
            raise SchemaError("two columns of the schema share a name; rename one of them.")
        for role in ("subject", "target"):
            if sum(c.role == role for c in self.columns) > 1:
                raise SchemaError(f"more than one column has the role {role!r}; keep one.")
        if self.rules:
            agreement.check(self.rules, {c.name: c for c in self.columns})

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"there is no column {name!r}; the columns are {', '.join(self.names)}.")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def subject(self) -> str | None:
        """Name of the column that identifies the patient, or None when each row is one."""
        return next((c.name for c in self.columns if c.role == "subject"), None)

    @property
    def target(self) -> str | None:
        return next((c.name for c in self.columns if c.role == "target"), None)

    @property
    def modelled(self) -> tuple[Column, ...]:
        """Columns a generator learns, in file order."""
        return tuple(c for c in self.columns if c.modelled)

    @property
    def labels_in_rules(self) -> dict[str, set[str]]:
        """Labels that conditions speak of, by column."""
        found: dict[str, set[str]] = {}
        for name, label in agreement.labels_named(self.rules, {c.name: c for c in self.columns}):
            found.setdefault(name, set()).add(label)
        return found

    def with_column(self, column: Column) -> Schema:
        """A copy in which `column` replaces the one of the same name."""
        self[column.name]
        return replace(self, columns=tuple(column if c.name == column.name else c for c in self.columns))

    def with_role(self, name: str, role: Role) -> Schema:
        """A copy in which `name` holds `role`; a previous subject or target becomes a feature again."""
        if self[name].kind == "text" and role == "target":
            raise SchemaError(f"column {name!r} is free text and cannot be the target; give it another kind first.")
        columns = []
        for c in self.columns:
            if c.name == name:
                handling: Handling = "surrogate" if role in ("subject", "identifier") else "model"
                columns.append(replace(c, role=role, handling=handling))
            elif c.role == role and role in ("subject", "target"):
                columns.append(replace(c, role="feature"))
            else:
                columns.append(c)
        return replace(self, columns=tuple(columns))
