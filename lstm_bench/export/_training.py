"""The part of a script that trains: `fit`, with `reset_state` where the recipe says so."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from lstm_bench.recipes import Recipe, Schedule

WHY_RESET = {
    "sequence": "the state is cleared before each sequence",
    "epoch": "the state is cleared before each epoch, and passes on within it",
    "never": "the state is never cleared, and passes on from epoch to epoch",
}


def training(recipe: Recipe, states: Sequence[int], weighted: bool) -> str:
    """Returns the code that trains, and leaves the loss of every epoch in `losses`.

    `states` are the places of the layers that keep a state; `weighted` says whether there is a
    `weight` of each answer.
    """
    schedule, shuffled = recipe.schedule, recipe.shuffle != "none"
    kept = recipe.stateful
    if not kept and not shuffled:
        fit = _fit("", weighted, schedule.batch_size, recipe.epochs)
        return "\n".join([fit, 'losses = history.history["loss"]', SHOWN_AFTER]) + "\n"
    several, order = stretches(schedule, shuffled)
    as_they_come = order == "np.arange(len(X))"
    once = ["rng = stream(3)  # 3: the order of the samples"] if shuffled else []
    if recipe.shuffle == "sequences":
        once += ["# The samples of each sequence.", f"blocks = {_blocks(schedule)}"]
    made = _why(schedule) if kept else []
    made += [] if as_they_come else [f"{'parts' if several else 'order'} = {order}"]
    clear = [reset(states)] if kept and schedule.reset != "never" else []
    fit = _fit("" if as_they_come else "[order]", weighted, schedule.batch_size, 1)
    if several:
        body = "\n".join([*clear, fit, 'total += history.history["loss"][0] * len(order)'])
        epoch = ["total = 0.0", "for order in parts:", textwrap.indent(body, "    ")]
        epoch += ["losses.append(total / len(X))"]
    else:
        epoch = [*clear, fit, 'losses.append(history.history["loss"][0])']
    before, within = (once, made) if shuffled else (made, [])
    loop = textwrap.indent("\n".join([*within, *epoch, SHOWN_WHILE]), "    ")
    lines = [*before, "losses = []", f"for epoch in range({recipe.epochs}):", loop]
    return "\n".join(lines) + "\n"


SHOWN_WHILE = """\
if epoch % every == 0 or "--losses" in sys.argv:
    print(f"epoch {epoch + 1}: loss {losses[-1]:.9g}")"""

SHOWN_AFTER = """\
for epoch in range(0, len(losses), 1 if "--losses" in sys.argv else every):
    print(f"epoch {epoch + 1}: loss {losses[epoch]:.9g}")"""


def reset(states: Sequence[int]) -> str:
    """Returns the line that clears the state.

    >>> reset([0])
    'model.layers[0].reset_state()'
    >>> reset([0, 1])
    'reset_state()'
    """
    return "reset_state()" if len(states) > 1 else f"model.layers[{states[0]}].reset_state()"


def resets(states: Sequence[int]) -> str:
    """Returns the definition that `reset` calls where several layers keep a state, else ""."""
    if len(states) < 2:
        return ""
    body = [f"    model.layers[{place}].reset_state()" for place in states]
    return "\n".join(["def reset_state():", '    """Clears the state."""', *body]) + "\n"


def stretches(schedule: Schedule, shuffled: bool) -> tuple[bool, str]:
    """Returns whether the state is cleared within an epoch, and an expression for the order.

    It is that of the samples of an epoch, or a list of such orders, one from reset to reset.
    """
    order = "np.arange(len(X))"
    if shuffled and schedule.shuffle == "samples":
        order = "rng.permutation(len(X))"
    elif shuffled and schedule.shuffle == "sequences":
        moved = f"[blocks[s] for s in rng.permutation({len(schedule.lengths)})]"
        order = f"np.concatenate({moved})"
    if not schedule.stateful:
        return False, order
    within = schedule.reset == "sequence" and schedule.batches > 1
    if schedule.layout == "streams":
        steps = _steps(schedule)
        groups = schedule.samples // (steps * schedule.batch_size)
        order += f".reshape(-1, {schedule.batch_size}, {steps}).transpose(0, 2, 1)"
        if within and groups > 1:
            return True, f"{order}.reshape({groups}, -1)"
        return False, f"{order}.reshape(-1)"
    if not within or len(schedule.lengths) == 1:
        return False, order
    return True, moved if order.startswith("np.conc") else _blocks(schedule)


def _steps(schedule: Schedule) -> int:
    """Returns the batches through which a row of `streams` goes on."""
    parts = max(1, schedule.batch_size // len(schedule.lengths))
    return schedule.lengths[0] // parts


def _blocks(schedule: Schedule) -> str:
    lengths = schedule.lengths
    if len(set(lengths)) == 1:
        return f"np.arange(len(X)).reshape({len(lengths)}, {lengths[0]})"
    return f"np.split(np.arange(len(X)), np.cumsum({list(lengths[:-1])}))"


def _why(schedule: Schedule) -> list[str]:
    """Returns a comment on the order, for a network that keeps a state."""
    lines = [f"# {WHY_RESET[schedule.reset].capitalize()}."]
    if schedule.layout == "streams" and schedule.batch_size > 1:
        lines.insert(0, "# Row i of a batch goes on where row i of the batch before stopped:")
        lines.insert(1, "# each row reads a sequence, or a part of one, of its own.")
    elif schedule.batch_size > 1:
        lines.insert(0, "# Consecutive samples lie in the rows of one batch, and know nothing of")
        lines.insert(1, "# one another: the state goes from row i to row i of the next batch.")
    return lines


def _fit(picked: str, weighted: bool, batch: int, epochs: int) -> str:
    """Returns the call of `fit` on the samples that the index `picked` picks, e.g. "[order]"."""
    options = [f"X{picked}", f"y{picked}"]
    options += [f"sample_weight=weight{picked}"] if weighted else []
    options += [f"batch_size={batch}"]
    options += [f"epochs={epochs}"] if epochs > 1 else []
    inside = ", ".join([*options, "shuffle=False", "verbose=0"])
    if len(inside) <= 64:
        return f"history = model.fit({inside})"
    return f"history = model.fit(\n    {inside}\n)"
