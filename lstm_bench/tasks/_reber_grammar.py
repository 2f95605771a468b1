"""The embedded Reber grammar, as a walk over its states; used by two tasks.

A Reber string is B, a walk over six nodes, E (Reber 1967). An embedded one is B, T or P, a Reber
string, the same T or P again, E, as in Smith & Zipser (1989)::

    B (T | P)  B (T | P) ... E  (T | P, as before)  E
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SYMBOLS = "BTPSXVE"

NODES = (
    (("B", 1),),
    (("T", 2), ("P", 3)),
    (("S", 2), ("X", 4)),
    (("T", 3), ("V", 5)),
    (("X", 3), ("S", 6)),
    (("P", 4), ("V", 6)),
    (("E", 7),),
)
"""The arcs of the inner grammar: each node's symbols, and the node after each."""

FIRST = 2
"""The first state of the inner grammar after T; that after P is one inner grammar further."""
INNER = len(NODES) + 1
LAST = FIRST + 2 * INNER

Ints = NDArray[np.int64]


def _arcs() -> list[tuple[tuple[str, int], ...]]:
    """Returns the arcs of every state of the embedded grammar; the end is the start, state 0."""
    arcs: list[tuple[tuple[str, int], ...]] = [(("B", 1),)]
    arcs.append((("T", FIRST), ("P", FIRST + INNER)))
    for base, outer in ((FIRST, "T"), (FIRST + INNER, "P")):
        arcs += [tuple((symbol, base + node) for symbol, node in node_arcs) for node_arcs in NODES]
        arcs.append(((outer, LAST),))
    return [*arcs, (("E", 0),)]


ARCS = _arcs()
SYMBOL = np.array([[SYMBOLS.index(arcs[i][0]) for i in (0, -1)] for arcs in ARCS])  # (states, 2)
NEXT = np.array([[arcs[i][1] for i in (0, -1)] for arcs in ARCS])  # (states, 2)
POSSIBLE = np.zeros((len(ARCS), len(SYMBOLS)), bool)
POSSIBLE[np.arange(len(ARCS))[:, None], SYMBOL] = True
RECALL = np.isin(np.arange(len(ARCS)), [FIRST + INNER - 1, LAST - 1])
"""The states whose symbol repeats the second one of the string."""


def walk(rng: np.random.Generator, count: int, steps: int) -> tuple[Ints, Ints]:
    """Returns the symbols of `count` random walks, and the state before each, (count, steps).

    All walks start with a new string, and go on with another one after its end. Both arcs of a
    state are equally likely.

    >>> symbols, states = walk(np.random.default_rng(1), 1, 12)
    >>> "".join(SYMBOLS[symbol] for symbol in symbols[0]), states[0, :3].tolist()
    ('BPBPTTVVEPEB', [0, 1, 10])
    """
    arcs = rng.integers(0, 2, (steps, count))
    states = np.zeros((steps + 1, count), np.int64)
    for step in range(steps):
        states[step + 1] = NEXT[states[step], arcs[step]]
    states = states[:-1]
    return SYMBOL[states, arcs].T.copy(), states.T.copy()


def best_fixed_share(visits: NDArray[np.floating] | Ints) -> float:
    """Returns the accuracy of the best answer that is the same at every step, from state counts.

    `visits` (states,) are how often each state comes before a scored step. An answer ranks the
    symbols, and is right where the possible ones are exactly its first one or its first two.

    >>> best_fixed_share(np.bincount([1, 1, 2, 6], minlength=len(ARCS)))
    0.5
    """
    counts = np.bincount(POSSIBLE @ (1 << np.arange(len(SYMBOLS))), visits, 1 << len(SYMBOLS))
    single = counts[1 << np.arange(len(SYMBOLS))]
    right = [
        counts[(1 << one) | (1 << two)] + max(single[one], single[two])
        for one in range(len(SYMBOLS))
        for two in range(one)
    ]
    return float(max(right) / counts.sum())
