"""The page of a gallery: one HTML file that opens offline, with every picture inside."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from jinja2 import Environment

from semblance.gallery.exhibit import Exhibit, Measured, Tiles
from semblance.imaging.grid import grid
from semblance.report.draw import plain
from semblance.report.language import Language
from semblance.report.language import language as language_of
from semblance.report.sheet import environment, style

COLUMNS = 6

QUESTIONS = {
    "learns": "What it is worth: a classifier that learned from these images alone tells the classes of {n} real "
    "patients whom nobody learned from (area under the ROC curve; 0.5 is guessing)",
    "precision": "Looks like real ones: share of the images that lie within the range of real ones (precision)",
    "recall": "Leaves nothing out: share of the real images that lie within the range of these (recall)",
    "coverage": "Is found everywhere: share of the real images with one of these as near as its nearest neighbours "
    "(coverage)",
    "copies": "Copies: share of images closer to a learned image than 99 % of unseen real ones are",
}
NOT_PROVEN = (
    "That no patient can be recognised: no attack was made on these images, and a small distance to a learned image "
    "raises an alarm where a large one proves nothing.",
    "That the disease looks right to a radiologist: no person judged these images.",
    "That a finding in them holds: what is learned from synthetic images is a hypothesis to be checked on real ones.",
    "That rare appearances are there: what few training images show, few or no synthetic ones do.",
)


def render(exhibit: Exhibit, *, language: str = "en") -> str:
    """The whole page as text. Pure: the same exhibit gives the same bytes.

    Args:
        language: "en" or "zh".

    Raises:
        InputError: there is no such language.
    """
    return render_in(language_of(language), exhibit)


def render_in(say: Language, exhibit: Exhibit) -> str:
    """`render`, in a language that the caller holds: what it could not say is then in ``say.missing``."""
    facts = exhibit.facts
    return (
        _environment(say)
        .get_template("gallery.html")
        .render(
            exhibit=exhibit,
            facts=facts,
            made_of=_made_of(exhibit, say),
            classes=[_class(exhibit, name) for name in exhibit.fake],
            pairs=None if exhibit.pairs is None else _pairs(*exhibit.pairs),
            rows=[_row(one, exhibit, say) for one in exhibit.measured],
            steps=[(step, _uri(picture)) for step, picture in exhibit.steps],
            curves=_uri(exhibit.curves) if exhibit.curves else "",
            notes=[say(str(note)) for note in facts.get("notes") or ()],
            not_proven=[say(text) for text in NOT_PROVEN],
            provenance=[(name, _told(facts[name])) for name in sorted(facts) if name != "notes"],
            style=style("gallery", "gallery.css"),
        )
    )


def picture(tiles: Tiles, *, columns: int = COLUMNS) -> str:
    """Tiles in a grid, as a data URI."""
    drawn = io.BytesIO()
    grid(tiles, columns=columns).save(drawn, format="PNG", optimize=True)
    return _uri(drawn.getvalue())


def _made_of(exhibit: Exhibit, say: Language) -> list[str]:
    facts, schema = exhibit.facts, exhibit.schema
    return [
        say("generator “{name}”", name=facts["generator"]),
        say("{n} real images learned from", n=say.thousands(facts["learned_from"])),
        say("{n} × {m} pixels", n=schema.height, m=schema.width),
    ]


def _class(exhibit: Exhibit, name: str) -> dict[str, Any]:
    real = exhibit.real.get(name)
    return {
        "name": plain(name, longest=40) if name else "",
        "fake": picture(exhibit.fake[name]),
        "real": "" if real is None else picture(real),
    }


def _pairs(fake: Tiles, real: Tiles) -> list[str]:
    """Each synthetic image above its nearest real one, as pictures."""
    return [picture(np.stack([one, other]), columns=1) for one, other in zip(fake, real, strict=True)]


def _row(one: Measured, exhibit: Exhibit, say: Language) -> dict[str, str]:
    return {
        "question": say(QUESTIONS[one.question], n=say.thousands(exhibit.facts.get("asked_of", 0)))
        if one.question == "learns"
        else say(QUESTIONS[one.question]),
        "fake": say.figure(one.fake[0]),
        "fake_interval": say.interval(one.fake[1], one.fake[2]),
        "real": say.figure(one.real[0]),
        "real_interval": say.interval(one.real[1], one.real[2]),
    }


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} = {value[name]}" for name in sorted(value))
    return "–" if value is None or value == "" else str(value)


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _environment(say: Language) -> Environment:
    made = environment("gallery")
    made.globals.update(say=say)
    return made
