"""What a person says others may know, in place of what the schema says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semblance.errors import InputError
from semblance.schema import Role, Schema


def assume(schema: Schema, *, quasi: Sequence[str] = (), sensitive: Sequence[str] = ()) -> Schema:
    """A copy in which exactly these columns have the role; an empty list leaves the schema's own.

    Raises:
        InputError: a column is named for both, or names the patient directly.
    """
    if both := sorted(set(quasi) & set(sensitive)):
        raise InputError(f"column {both[0]!r} is both quasi-identifying and sensitive; choose one.")
    given: tuple[tuple[Role, Sequence[str]], ...] = (("quasi-identifier", quasi), ("sensitive", sensitive))
    for role, names in given:
        for name in names:
            if schema[name].role in ("subject", "identifier"):
                raise InputError(f"column {name!r} names a person directly; nobody needs more, so leave it out.")
        if names:
            columns = [replace(c, role="feature") if c.role == role else c for c in schema]
            schema = replace(schema, columns=tuple(replace(c, role=role) if c.name in names else c for c in columns))
    return schema
