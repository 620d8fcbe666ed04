"""Many small images as one picture, so that a person can look at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

TILE = 72
"""Small tiles are enlarged, in whole steps, to about this many pixels."""
GAP = 3
PAPER, INK = (255, 255, 255), (40, 40, 40)
MARKS = ((230, 90, 40), (40, 130, 220), (60, 170, 90), (170, 80, 200), (220, 180, 30), (90, 200, 200))
"""Colours of outlines, by structure, again from the first."""


def grid(
    tiles: NDArray[np.float32], *, columns: int = 8, rows: Sequence[str] = (), masks: NDArray[np.uint8] | None = None
) -> Image.Image:
    """Tiles side by side, row by row.

    Args:
        tiles: (n, channels, height, width), -1 to 1, grey or colour. columns: Tiles of a row.
        rows: What each row shows, written before it; too few names leave the last rows without.
        masks: (n, height, width): what to outline, each structure in its own colour.
    """
    columns = max(1, min(columns, len(tiles)))
    n_rows = -(-len(tiles) // columns)
    drawn = [picture_of(tile, None if masks is None else masks[i]) for i, tile in enumerate(tiles)]
    wide, high = drawn[0].size if drawn else (1, 1)
    font = ImageFont.load_default(size=13)
    margin = max((int(font.getlength(name)) for name in rows), default=-2 * GAP) + 2 * GAP
    sheet = Image.new("RGB", (margin + columns * (wide + GAP) + GAP, n_rows * (high + GAP) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, one in enumerate(drawn):
        row, column = divmod(i, columns)
        sheet.paste(one, (margin + GAP + column * (wide + GAP), GAP + row * (high + GAP)))
    for row, name in enumerate(rows[:n_rows]):
        pen.text((GAP, GAP + row * (high + GAP) + high // 2), name, fill=INK, font=font, anchor="lm")
    return sheet


def picture_of(tile: NDArray[np.float32], mask: NDArray[np.uint8] | None = None) -> Image.Image:
    """One tile, (channels, height, width) from -1 to 1, enlarged; with the outlines of a mask, (height, width)."""
    values = np.nan_to_num(tile.astype(np.float32), nan=-1.0)
    grey = np.round((np.clip(values, -1, 1) + 1) * 127.5).astype(np.uint8)
    scale = max(1, TILE // max(tile.shape[1:]))
    colours = np.moveaxis(np.repeat(grey, 3, axis=0) if len(grey) == 1 else grey, 0, -1)
    colours = colours.repeat(scale, axis=0).repeat(scale, axis=1)
    if mask is not None:
        _outline(colours, mask.repeat(scale, axis=0).repeat(scale, axis=1))
    return Image.fromarray(colours)


def _outline(colours: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    """Paint, in place, the pixels of each structure that touch another."""
    edge = np.zeros(mask.shape, dtype=bool)
    edge[1:] |= mask[1:] != mask[:-1]
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    for structure in np.unique(mask[mask > 0]):
        colours[edge & (mask == structure)] = MARKS[(int(structure) - 1) % len(MARKS)]
