"""A generator by its name, with its parameters checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from semblance import catalog
from semblance.contracts import Generator
from semblance.errors import InputError, Unsupported


def recipe(name: str, settings: Mapping[str, Any] | None = None) -> Generator:
    """The generator of that name with these parameters.

    Raises:
        Unsupported: no such generator.
        InputError: no such parameter, or a value of the wrong type.
    """
    if name not in catalog.GENERATORS:
        raise Unsupported(f"there is no generator {name!r}; there are {', '.join(catalog.GENERATORS)}.")
    kind = catalog.GENERATORS[name]
    defaults = {f.name: f.default for f in fields(kind)}
    for key, value in (settings or {}).items():
        if key not in defaults:
            raise InputError(f"generator {name!r} has no parameter {key!r}; it has {', '.join(defaults)}.")
        wanted = type(defaults[key])
        if not (isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)):
            if wanted is float and type(value) is int:
                continue
            raise InputError(f"parameter {key!r} of generator {name!r} must be of type {wanted.__name__}.")
    return kind(**(settings or {}))
