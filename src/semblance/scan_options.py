"""The options of every command that reads images: how a folder of scans is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from semblance.command import FILE

Command = TypeVar("Command", bound=Callable[..., Any])

PLACES = "folder, FILE.csv:COLUMN, tag:KEYWORD, name:PATTERN or none"


def READING(command: Command) -> Command:
    """The options of every command that reads images."""
    options: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
        (("--labels",), {"metavar": "PLACE", "help": f"Where each image's class is read from: {PLACES}."}),
        (("--patient",), {"metavar": "PLACE", "help": "Where its patient is read from; default: what the files say."}),
        (("--site",), {"metavar": "PLACE", "help": "Where the hospital or scanner is read from."}),
        (("--attribute", "attributes"), {"multiple": True, "metavar": "NAME=PLACE", "help": "More that is known."}),
        (("--classes",), {"metavar": "A,B,…", "help": "Names for the classes, in their order."}),
        (("--masks",), {"metavar": "FOLDER|_ENDING", "help": "A folder of masks, or what ends a mask's name."}),
        (("--structures",), {"metavar": "A,B,…", "help": "Names for what the masks mark, in order of their values."}),
        (("--schema",), {"type": FILE, "metavar": "FILE", "help": "A schema that you edited; default: infer it."}),
        (("--plane",), {"metavar": "PLANE", "help": "Of slices of volumes: axial, coronal or sagittal."}),
        (("--size",), {"metavar": "N|HxW", "help": "Bring all images to this many pixels."}),
        (("--split",), {"metavar": "PART", "help": "train, val, test or all, where the source is cut so."}),
        (
            ("--on-bad",),
            {
                "type": click.Choice(["refuse", "skip"]),
                "help": "Stop where a file cannot be used, or leave it out and list it; default: refuse.",
            },
        ),
    )
    for words, told in reversed(options):
        command = click.option(*words, **told)(command)
    return command


def reading_in(asked: dict[str, Any]) -> dict[str, Any]:
    """Take what is asked of the reading out of `asked`, as `pipeline.read_images` takes it."""
    given = {name: asked.pop(name) for name in ("labels", "patient", "site", "plane", "split", "masks", "on_bad")}
    found = {name: value for name, value in given.items() if value is not None}
    for name in ("classes", "structures"):
        if (text := asked.pop(name)) is not None:
            found[name] = [word.strip() for word in text.split(",") if word.strip()]
    if pairs := asked.pop("attributes"):
        found["attributes"] = pairs_in(pairs, "--attribute", "NAME=PLACE")
    if (size := asked.pop("size")) is not None:
        found["size"] = _size(size)
    if (schema := asked.pop("schema")) is not None:
        from semblance.pipeline.scanning import load_image_schema

        found["schema"] = load_image_schema(schema)
    return found


def pairs_in(texts: Iterable[str], option: str, form: str) -> dict[str, str]:
    """Pairs of texts such as NAME=VALUE, as an option holds them."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{option} takes {form}, not {text!r}.")
        pairs[name] = value
    return pairs


def _size(text: str) -> int | tuple[int, int]:
    words = text.lower().replace("×", "x").split("x")
    if len(words) > 2 or not all(word.strip().isdigit() for word in words):
        raise click.UsageError("--size takes a number of pixels, or height and width as in 64x48.")
    sizes = [int(word) for word in words]
    return sizes[0] if len(sizes) == 1 else (sizes[0], sizes[1])
