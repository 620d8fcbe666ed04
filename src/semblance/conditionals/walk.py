"""Walks of a link's questions that keep to some of its cells: how likely those are, and a draw among them.

What a column is asked to be is a *share* for each of its cells: 0 forbidden, 1 allowed, between them for a quantile
cell that a bound cuts. A question need only be answered ahead of the draw where the cells below it differ in share,
so a bound on a number costs about one ordinary walk, however many cells lie on its sides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from semblance.conditionals.link import Codes, Floats, Ints, Link

ROOM = 2**24
"""Numbers shown to a link at once, at most."""
BELOW_ONE = np.nextafter(1.0, 0.0)


def log_chance(link: Link, before: Codes, cells: Ints, *, workers: int) -> Floats:
    """Natural log of the probability of each row's own cell, given the cells before it: (n,).

    Args:
        cells: A cell for each row, none of them -1. (n,)
    """
    questions = link.questions
    total = np.zeros(len(before))
    if not len(questions):
        return total
    nodes, turns = questions.paths(int(questions.high[0]))
    for level in range(questions.n_levels):
        rows = np.flatnonzero(nodes[cells, level] >= 0)
        if len(rows):
            odds = link.odds(before[rows], nodes[cells[rows], level], workers=workers)
            total[rows] -= np.logaddexp(0.0, np.where(turns[cells[rows], level] == 1, -odds, odds))
    return total


def draw_within(link: Link, before: Codes, share: Floats, uniforms: Floats, *, workers: int) -> tuple[Ints, Floats]:
    """A cell for each row, drawn in proportion to its probability times its share, given the cells before.

    Args:
        share: Of each cell, how much is allowed; not all 0. (n_cells,)
        uniforms: In [0, 1); the same number gives the same cell. (n,)

    Returns:
        The cells (n,), none of share 0, and the natural log of what they were drawn from: the sum over the cells of
        probability times share (n,).
    """
    asked_ahead = _where_shares_differ(link, share)
    widest = int(np.bincount(link.questions.depth[asked_ahead], minlength=1).max())
    step = max(1, ROOM // (max(widest, 1) * (before.shape[1] + 1)))
    cells = np.empty(len(before), dtype=np.int32)
    log_mass = np.empty(len(before))
    for start in range(0, len(before), step):
        part = slice(start, start + step)
        cells[part], log_mass[part] = _draw(link, before[part], share, asked_ahead, uniforms[part], workers)
    return cells, log_mass


def _where_shares_differ(link: Link, share: Floats) -> Ints:
    """Questions below which some cells are allowed more than others, in the tree's own order."""
    changes = np.concatenate([[0], np.cumsum(share[1:] != share[:-1])])
    questions = link.questions
    return np.flatnonzero(changes[questions.high - 1] != changes[questions.low]).astype(np.int32)


def _draw(link: Link, before: Codes, share: Floats, ahead: Ints, uniforms: Floats, workers: int) -> tuple[Ints, Floats]:
    questions, n = link.questions, len(before)
    cells = np.zeros(n, dtype=np.int32)
    if not len(questions):
        return cells, np.full(n, np.log(share[0]))
    turn, mass = _look_ahead(link, before, share, ahead, workers)
    place = np.full(len(questions), -1, dtype=np.int32)
    place[ahead] = np.arange(len(ahead))
    node = np.zeros(n, dtype=np.int32)
    left_over = uniforms.copy()
    for _ in range(questions.n_levels):
        rows = np.flatnonzero(node >= 0)
        if not len(rows):
            break
        asked = node[rows]
        known = place[asked] >= 0
        right = np.empty(len(rows))
        right[known] = turn[place[asked[known]], rows[known]]
        if not known.all():
            right[~known] = expit(link.odds(before[rows[~known]], asked[~known], workers=workers))
        goes, left_over[rows] = _turn(left_over[rows], right)
        cells[rows] = np.where(goes, questions.cut[asked], questions.low[asked])
        node[rows] = np.where(goes, questions.right[asked], questions.left[asked])
    with np.errstate(divide="ignore"):
        return cells, np.log(mass)


def _turn(uniforms: Floats, right: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Spend one uniform on a yes/no question; what is left of it is uniform again, for the next."""
    left = 1.0 - right
    goes = uniforms >= left
    rest = np.where(goes, uniforms - left, uniforms) / np.where(goes, right, left)
    return goes, np.minimum(rest, BELOW_ONE)


def _look_ahead(link: Link, before: Codes, share: Floats, ahead: Ints, workers: int) -> tuple[Floats, Floats]:
    """For the questions `ahead`, the chance to go right among what is allowed (n_ahead, n); the root's mass (n,)."""
    questions, n = link.questions, len(before)
    mass: dict[int, Floats] = {}

    def below(child: int, first: int) -> Floats | float:
        return mass[child] if child in mass else float(share[first])  # one share for all cells below

    turn = np.empty((len(ahead), n))
    depths = questions.depth[ahead]
    for level in range(questions.n_levels - 1, -1, -1):
        places = np.flatnonzero(depths == level)
        if not len(places):
            continue
        nodes = ahead[places]
        odds = link.odds(np.tile(before, (len(nodes), 1)), np.repeat(nodes, n), workers=workers)
        for place, node, answer in zip(places, nodes, odds.reshape(len(nodes), n), strict=True):
            low, cut = int(questions.low[node]), int(questions.cut[node])
            right = expit(answer) * below(int(questions.right[node]), cut)
            mass[int(node)] = right + expit(-answer) * below(int(questions.left[node]), low)
            nowhere = 0.0 if share[low:cut].any() else 1.0  # both sides too unlikely for a float: keep to the allowed
            with np.errstate(invalid="ignore"):
                turn[place] = np.where(mass[int(node)] > 0, right / mass[int(node)], nowhere)
    return turn, np.broadcast_to(below(0, 0), (n,)).astype(np.float64)
