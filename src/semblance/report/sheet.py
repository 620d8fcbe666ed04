"""What all pages are written on: templates from their room's folder, nothing unescaped or unknown, one style."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

HOUSE = "report"
"""The room whose style all pages share."""


def environment(room: str) -> Environment:
    """Where ``<room>/templates`` are read from and filled in; filters and globals are the caller's."""
    return Environment(
        loader=FunctionLoader(lambda name: _read(room, name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(room: str = HOUSE, own: str = "") -> Markup:
    """The house's style, and what only pages of this room need: the file `own` of its templates."""
    return Markup(_read(HOUSE, "style.css") + (_read(room, own) if own else ""))  # noqa: S704 - our own files


def _read(room: str, name: str) -> str:
    return (resources.files(f"semblance.{room}") / "templates" / name).read_text("utf-8")
