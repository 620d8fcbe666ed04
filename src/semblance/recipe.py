"""A generator by its name, with its parameters checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from semblance import catalog
from semblance.contracts import Generator
from semblance.errors import InputError, Unsupported
from semblance.image_contracts import ImageGenerator

Thing = TypeVar("Thing")


def recipe(name: str, settings: Mapping[str, Any] | None = None) -> Generator:
    """The generator of that name with these parameters.

    Raises:
        Unsupported: no such generator.
        InputError: no such parameter, or a value of the wrong type.
    """
    if name not in catalog.GENERATORS:
        raise Unsupported(f"there is no generator {name!r}; there are {', '.join(catalog.GENERATORS)}.")
    kind = catalog.GENERATORS[name]
    return turned(kind, settings or {}, called=f"generator {name!r}")


def image_recipe(name: str, settings: Mapping[str, Any] | None = None) -> ImageGenerator:
    """The generator of images of that name with these parameters. Raises as `recipe` does."""
    if name not in catalog.IMAGE_GENERATORS:
        known = ", ".join(catalog.IMAGE_GENERATORS)
        raise Unsupported(f"there is no image generator {name!r}; there are {known}.")
    return turned(catalog.IMAGE_GENERATORS[name], settings or {}, called=f"image generator {name!r}")


def turned(kind: Callable[..., Thing], settings: Mapping[str, Any], *, called: str) -> Thing:
    """One of a kind of dataclass whose fields all have defaults, with some of them set.

    Args:
        called: What it is to whoever reads an error, such as "generator 'chain'".

    Raises:
        InputError: no such field, or a value of the wrong type.
    """
    defaults = {f.name: f.default for f in fields(cast(Any, kind))}
    for key, value in settings.items():
        if key not in defaults:
            raise InputError(f"{called} has no parameter {key!r}; it has {', '.join(defaults) or 'none'}.")
        wanted = type(defaults[key])
        if not (isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)):
            if wanted is float and type(value) is int:
                continue
            raise InputError(f"parameter {key!r} of {called} must be of type {wanted.__name__}.")
    return kind(**settings)
