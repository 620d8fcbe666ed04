"""Writing that became part of the pixels: a name in a corner, a laterality letter.

What writing looks like to a program that cannot read: strokes, all of one brightness, much brighter (or darker) than an
even ground; signs of one height, side by side in a line; near the border of the image. Nothing is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Box = tuple[slice, slice]
"""Rows and columns."""

SMALLEST_IMAGE = 48
"""Pixels below which nobody could read a word in a corner, so that none is sought."""
BORDER = 0.3
"""Part of the height or width, at each side, in which writing is sought."""
STROKE = 0.3
"""By how much of the image's range a stroke must stand out from what is around it."""
EVEN = 0.08
"""How uneven the ground may be, and the strokes (standard deviation over the image's range)."""
SIGN_HEIGHT = (4, 0.12)
"""Pixels that a sign is high at least, and part of the image's height at most."""
FEWEST = 3
"""Signs in a line that make writing."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A line of writing: its box in pixels and how many signs it seems to have."""

    top: int
    bottom: int
    left: int
    right: int
    signs: int


def find_writing(image: Floats) -> list[Writing]:
    """Lines near the border that look written: (channels, height, width), or (height, width).

    None is ever found in an image smaller than `SMALLEST_IMAGE`.
    """
    grey = image.max(axis=0) if image.ndim == 3 else image
    if min(grey.shape) < SMALLEST_IMAGE:
        return []
    low, high = (float(value) for value in np.quantile(grey, [0.001, 0.9999]))
    if not low < high:
        return []
    grey = np.clip((grey - low) / (high - low), 0, 1)
    lines = _lines(grey) + _lines(1 - grey)
    return sorted(lines, key=lambda line: (line.top, line.left))


def _lines(grey: Floats) -> list[Writing]:
    """Lines of bright strokes."""
    height, width = grey.shape
    reach = max(5, 2 * round(SIGN_HEIGHT[1] * height / 4) + 1)
    strokes = grey - ndimage.grey_opening(grey, size=(reach, reach)) > STROKE
    labels, count = ndimage.label(strokes, structure=np.ones((3, 3)))
    if not count:
        return []
    found: list[Box] = [(box[0], box[1]) for box in ndimage.find_objects(labels)]
    boxes = [box for box in found if _sign(box, height, width)]
    boxes.sort(key=lambda box: (box[1].start, box[0].start))
    lines = []
    for group in _side_by_side(boxes):
        rows = slice(min(b[0].start for b in group), max(b[0].stop for b in group))
        columns = slice(group[0][1].start, max(b[1].stop for b in group))
        signs = sum(_signs(b, strokes) for b in _in_line(group))
        if signs >= FEWEST and _at_border(rows, columns, height, width) and _even(grey, strokes, rows, columns):
            lines.append(Writing(rows.start, rows.stop, columns.start, columns.stop, signs))
    return lines


def _sign(box: Box, height: int, width: int) -> bool:
    high, wide = box[0].stop - box[0].start, box[1].stop - box[1].start
    return bool(SIGN_HEIGHT[0] <= high <= max(SIGN_HEIGHT[1] * height, 8) and wide <= 0.5 * width)


def _signs(box: Box, strokes: NDArray[np.bool_]) -> int:
    """How many signs a box holds: one, or as many as usually fill its width, if there are strokes enough for them."""
    high, wide = box[0].stop - box[0].start, box[1].stop - box[1].start
    if wide <= 1.4 * high:
        return 1
    inked = strokes[box].astype(np.int8)
    runs = (np.diff(inked, axis=1, prepend=0) == 1).sum(axis=1)
    signs = round(wide / (0.9 * high))
    return signs if np.median(runs) >= signs else 0


def _in_line(group: list[Box]) -> list[Box]:
    """Those of one height that stand on one line."""
    bottoms = np.array([box[0].stop for box in group])
    heights = np.array([box[0].stop - box[0].start for box in group])
    high = float(np.median(heights))
    level = np.abs(bottoms - np.median(bottoms)) <= max(1.0, 0.1 * high)
    alike = np.abs(heights - high) <= max(1.0, 0.2 * high)
    return [box for box, good in zip(group, level & alike, strict=True) if good]


def _side_by_side(boxes: list[Box]) -> list[list[Box]]:
    """Boxes of like height on one line, with gaps no wider than a sign is high."""
    groups: list[list[Box]] = []
    for box in boxes:
        for group in groups:
            last = group[-1]
            high, other = box[0].stop - box[0].start, last[0].stop - last[0].start
            overlap = min(box[0].stop, last[0].stop) - max(box[0].start, last[0].start)
            gap = box[1].start - last[1].stop
            if overlap >= 0.6 * max(high, other) and -1 <= gap <= 1.2 * max(high, other):
                group.append(box)
                break
        else:
            groups.append([box])
    return groups


def _at_border(rows: slice, columns: slice, height: int, width: int) -> bool:
    down, across = (rows.start + rows.stop) / 2 / height, (columns.start + columns.stop) / 2 / width
    return bool(min(down, 1 - down, across, 1 - across) <= BORDER)


def _even(grey: Floats, strokes: NDArray[np.bool_], rows: slice, columns: slice) -> bool:
    """Whether strokes are of one brightness on an even ground."""
    room = slice(max(rows.start - 1, 0), rows.stop + 1), slice(max(columns.start - 1, 0), columns.stop + 1)
    marked = strokes[room]
    ground = grey[room][~ndimage.binary_dilation(marked, structure=np.ones((3, 3), dtype=bool))]
    ink = grey[room][marked]
    if len(ground) < 4:
        return False
    dark = np.quantile(ground, 0.9) - np.quantile(ground, 0.1)
    bright = ink[ink >= np.quantile(ink, 0.5)]
    return bool(dark <= 2 * EVEN and bright.std() <= EVEN and 0.1 <= marked.mean() <= 0.75)
