"""The part of a script that trains: calls of `fit`, and of `reset_state` as the recipe says."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from lstm_bench.export._literals import number_literal
from lstm_bench.recipes import Recipe, Schedule

RESET_COMMENTS = {
    "sequence": "the state is reset before each sequence",
    "epoch": "the state is reset before each epoch, and kept within it",
    "never": "the state is never reset, and kept from epoch to epoch",
}
STREAMS_COMMENT = [
    "# Row i of a batch continues row i of the previous batch: each row is a sequence,",
    "# or a part of one.",
]
ROWS_COMMENT = [
    "# The rows of a batch are consecutive samples, but the state passes from row i to",
    "# row i of the next batch: the samples of one batch do not see one another.",
]


def training_code(recipe: Recipe, states: Sequence[int], weighted: bool) -> str:
    """Returns the code that trains, and leaves the loss of every epoch in `losses`.

    `states` are the indices of the stateful layers; `weighted` says whether the script has sample
    weights, `weight`.
    """
    schedule, shuffled = recipe.schedule, recipe.shuffle != "none"
    stateful, stops = recipe.stateful, recipe.stop_after_solved is not None
    if not stateful and not shuffled and not stops:
        fit = _fit_call("", weighted, schedule.batch_size, recipe.epochs)
        return "\n".join([fit, 'losses = history.history["loss"]', PRINT_LOSSES]) + "\n"
    several, order = order_expression(schedule, shuffled)
    in_order = order == "np.arange(len(X))"
    once = ["solved_since = 0  # the epoch from which all evaluations were right"] * stops
    once += ["rng = stream(3)  # 3: the order of the samples"] if shuffled else []
    if recipe.shuffle == "sequences":
        once += ["# The samples of each sequence.", f"blocks = {_blocks(schedule)}"]
    definition = _comment(schedule) if stateful else []
    definition += [] if in_order else [f"{'parts' if several else 'order'} = {order}"]
    clear = [reset_call(states)] if stateful and schedule.reset != "never" else []
    fit = _fit_call("" if in_order else "[order]", weighted, schedule.batch_size, 1)
    if several:
        body = "\n".join([*clear, fit, 'total += history.history["loss"][0] * len(order)'])
        epoch = ["total = 0.0", "for order in parts:", textwrap.indent(body, "    ")]
        epoch += ["losses.append(total / len(X))"]
    else:
        epoch = [*clear, fit, 'losses.append(history.history["loss"][0])']
    before, within = (once, definition) if shuffled else (definition, [])
    epoch = [*within, *epoch, PRINT_LOSS, *_end_when_solved(recipe, weighted)]
    loop = textwrap.indent("\n".join(epoch), "    ")
    lines = [*before, "losses = []", f"for epoch in range({recipe.epochs}):", loop]
    return "\n".join(lines) + "\n"


def _end_when_solved(recipe: Recipe, weighted: bool) -> list[str]:
    """Returns the lines that end the loop over epochs as `stop_after_solved` says."""
    if recipe.stop_after_solved is None:
        return []
    bar, epochs = number_literal(recipe.task.bar), recipe.stop_after_solved
    counted = "right[weight > 0]" if weighted else "right"
    return [
        "outputs = model.predict(X, batch_size=len(X), verbose=0)",
        f"right = {right_expression(recipe, 'outputs', 'y')}",
        f"solved = {counted}.mean() >= {bar}",
        "solved_since = (solved_since or epoch + 1) if solved else 0",
        f"if solved and epoch + 1 - solved_since >= {epochs}:",
        "    break",
    ]


def right_expression(recipe: Recipe, outputs: str, targets: str) -> str:
    """Returns the expression for which answers are right, in a script with these arrays."""
    if recipe.task.kind == "categorical":
        return f"{outputs}.argmax(axis=-1) == {targets}.argmax(axis=-1)"
    if recipe.task.kind == "binary":
        return f"(({outputs} >= 0.5) == ({targets} >= 0.5)).all(axis=-1)"
    tolerance = number_literal(recipe.task.tolerance)
    return f"(abs({outputs} - {targets}) <= {tolerance}).all(axis=-1)"


PRINT_LOSS = """\
if epoch % every == 0 or "--losses" in sys.argv:
    print(f"epoch {epoch + 1}: loss {losses[-1]:.9g}")"""
"""Prints the loss of one epoch, inside the loop over epochs."""

PRINT_LOSSES = """\
for epoch in range(0, len(losses), 1 if "--losses" in sys.argv else every):
    print(f"epoch {epoch + 1}: loss {losses[epoch]:.9g}")"""
"""Prints the losses after one call of `fit` for all epochs."""


def reset_call(states: Sequence[int]) -> str:
    """Returns the line that clears the state of the layers with the indices `states`.

    >>> reset_call([0])
    'model.layers[0].reset_state()'
    >>> reset_call([0, 1])
    'reset_state()'
    """
    return "reset_state()" if len(states) > 1 else f"model.layers[{states[0]}].reset_state()"


def reset_definition(states: Sequence[int]) -> str:
    """Returns the function that `reset_call` calls if several layers are stateful, else ""."""
    if len(states) < 2:
        return ""
    body = [f"    model.layers[{index}].reset_state()" for index in states]
    return "\n".join(["def reset_state():", '    """Resets the state."""', *body]) + "\n"


def order_expression(schedule: Schedule, shuffled: bool) -> tuple[bool, str]:
    """Returns whether the state is cleared within an epoch, and an expression for the order.

    The expression is the order of the samples in an epoch. Where the state is cleared within an
    epoch, it is a list of such orders, one for the samples from each reset to the next.
    """
    order = "np.arange(len(X))"
    if shuffled and schedule.shuffle == "samples":
        order = "rng.permutation(len(X))"
    elif shuffled and schedule.shuffle == "sequences":
        shuffled_blocks = f"[blocks[s] for s in rng.permutation({len(schedule.lengths)})]"
        order = f"np.concatenate({shuffled_blocks})"
    if not schedule.stateful:
        return False, order
    within = schedule.reset == "sequence" and schedule.batches > 1
    if schedule.layout == "streams":
        steps = _stream_batches(schedule)
        groups = schedule.samples // (steps * schedule.batch_size)
        order += f".reshape(-1, {schedule.batch_size}, {steps}).transpose(0, 2, 1)"
        if within and groups > 1:
            return True, f"{order}.reshape({groups}, -1)"
        return False, f"{order}.reshape(-1)"
    if not within or len(schedule.lengths) == 1:
        return False, order
    return True, shuffled_blocks if order.startswith("np.conc") else _blocks(schedule)


def _stream_batches(schedule: Schedule) -> int:
    """Returns the number of batches over which one row of the layout `streams` continues."""
    parts = max(1, schedule.batch_size // len(schedule.lengths))
    return schedule.lengths[0] // parts


def _blocks(schedule: Schedule) -> str:
    """Returns the expression for a list with the samples of each sequence."""
    lengths = schedule.lengths
    if len(set(lengths)) == 1:
        return f"np.arange(len(X)).reshape({len(lengths)}, {lengths[0]})"
    return f"np.split(np.arange(len(X)), np.cumsum({list(lengths[:-1])}))"


def _comment(schedule: Schedule) -> list[str]:
    """Returns the comment on the order of the samples, for a stateful network."""
    lines: list[str] = []
    if schedule.batch_size > 1:
        lines += STREAMS_COMMENT if schedule.layout == "streams" else ROWS_COMMENT
    return [*lines, f"# {RESET_COMMENTS[schedule.reset].capitalize()}."]


def _fit_call(index: str, weighted: bool, batch: int, epochs: int) -> str:
    """Returns the call of `fit` on the samples that `index` selects, e.g. "[order]"."""
    options = [f"X{index}", f"y{index}"]
    options += [f"sample_weight=weight{index}"] if weighted else []
    options += [f"batch_size={batch}"]
    options += [f"epochs={epochs}"] if epochs > 1 else []
    arguments = ", ".join([*options, "shuffle=False", "verbose=0"])
    if len(arguments) <= 64:
        return f"history = model.fit({arguments})"
    return f"history = model.fit(\n    {arguments}\n)"
