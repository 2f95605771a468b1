"""Flat arrays at the addresses that XLA passes, and products of them; see `_kernels`."""

from numba import carray

from lstm_bench.training._tiles import F32, ONE, WIDTH, clear, compiled, product


@compiled
def floats(address, size):
    return carray(address, (size,), F32)


@compiled
def cleared(address, size):
    """Returns the array at `address`, set to zeros."""
    array = carray(address, (size,), F32)
    clear(array, size)
    return array


@compiled
def multiply(rows, a, a_row, panels, depth, columns, base, base_row, out, out_row):
    """Computes `out = base + a @ b` for the `panels` of b (depth, columns); see `product`."""
    step = depth * WIDTH
    product(rows, a, a_row, ONE, panels, step, WIDTH, depth, columns, base, base_row, out, out_row)


@compiled
def add_weight_gradients(a, depth, inputs, changes, columns, row, target, target_row):
    """Adds `a.T @ changes` to `target`, for `a` (depth, inputs) and `changes` (depth, columns).

    A row of `changes` begins `row` after the one before it, a row of `target` after `target_row`.
    """
    product(
        inputs, a, ONE, inputs,
        changes, WIDTH, row, depth, columns,
        target, target_row, target, target_row,
    )  # fmt: skip


@compiled
def add_sums(changes, depth, columns, row, target):
    """Adds the sums of the `columns` of `changes` to `target`; see `add_weight_gradients`."""
    for k in range(depth):
        values = changes[k * row :]
        for j in range(columns):
            target[j] += values[j]
