"""Products of matrices in single precision, for `_kernels`.

A product is computed in tiles: some rows times WIDTH columns, whose sums stay in vector registers
while the loop runs over what is summed. The right matrix is read in panels of WIDTH columns. They
are arranged once and then used for every time step. The tile is written in the instructions of
LLVM, because a compiler does not find this form by itself.

Arrays are flat. Numba compiles each function once for all calls as long as no argument is a
literal, so callers pass the constants `ZERO`, `ONE` and `WIDTH`.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 8
"""Numbers in a vector register."""
VECTORS = 2
"""Vectors in a row of a tile."""
WIDTH = np.int64(LANES * VECTORS)
"""Columns of a tile."""
ROWS = 12 if LANES == 16 else 6
"""Largest number of rows of a tile: all its sums fit in the registers."""
ZERO, ONE = np.int64(0), np.int64(1)

F32 = np.float32
FLOAT, INT, INT32 = ir.FloatType(), ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(FLOAT, LANES)

# Sums may be fused with products, and the sign of zero does not count; NaN and infinity do.
compiled = njit(
    error_model="numpy",
    fastmath={"contract", "nsz"},
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)


@compiled
def _empty(size):
    """Returns a new array that begins at a cache line, so that no vector lies in two."""
    array = np.empty(size + 16, F32)
    start = (64 - array.ctypes.data % 64) % 64 // 4
    return array[start : start + size]


@compiled
def filled(size, value):
    """Returns a new array of `size` times `value`; compiles faster than NumPy's functions."""
    array = _empty(size)
    for i in range(size):
        array[i] = value
    return array


@compiled
def clear(array, size):
    """Sets the first `size` elements of an array to zero."""
    for i in range(size):
        array[i] = F32(0)


@compiled
def copy(source, target, size):
    """Copies the first `size` elements of an array."""
    for i in range(size):
        target[i] = source[i]


@intrinsic
def _tile(typing, rows, a, a_row, a_step, b, b_step, base, base_row, out, out_row, columns, depth):
    """Computes a tile: `out[i, j] = base[i, j] + sum over k < depth of a[i, k] * b[k, j]`.

    It has `rows` (1 to ROWS) rows and `columns` (1 to WIDTH) columns. Element (i, k) of `a` is at
    `i * a_row + k * a_step`, row k of `b` begins at `k * b_step` and is read up to WIDTH elements,
    row i of `base` and `out` begins at `i * base_row` and `i * out_row`.
    """
    arguments = (rows, a, a_row, a_step, b, b_step, base, base_row, out, out_row, columns, depth)
    return types.void(*arguments), _generate_tile


def _generate_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Writes the instructions of `_tile`: one loop for each number of rows."""
    values = [
        context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.Array)
        else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]
    rows, a, a_row, a_step, b, b_step, base, base_row, out, out_row, columns, depth = values
    builder.function.attributes.add("noinline")  # of `product`: once in memory, compiled once
    writer = _TileWriter(builder, columns)
    end = builder.append_basic_block("end")
    choice = builder.switch(rows, end)
    for count in range(1, ROWS + 1):
        block = builder.append_basic_block(f"rows_{count}")
        choice.add_case(ir.Constant(INT, count), block)
        builder.position_at_end(block)
        sums = writer.load(base, base_row, count)
        unroll = 4 if count == 1 else 2 if count <= 3 else 1
        sums = writer.multiply(sums, a, a_row, a_step, b, b_step, depth, count, unroll)
        writer.store(sums, out, out_row)
        builder.branch(end)
    builder.position_at_end(end)
    return context.get_dummy_value()


class _TileWriter:
    """Writes the parts of a tile with `columns` columns."""

    def __init__(self, builder: Any, columns: Any) -> None:
        self.builder = builder
        self.pointer = VECTOR.as_pointer()
        lanes = ir.Constant(ir.VectorType(INT, LANES), [ir.Constant(INT, i) for i in range(LANES)])
        self.masks = []  # which lanes of each vector are columns
        for number in range(VECTORS):
            rest = builder.sub(columns, ir.Constant(INT, number * LANES))
            self.masks.append(builder.icmp_signed("<", lanes, self._spread(rest)))
        mask = ir.VectorType(ir.IntType(1), LANES)
        name, zero = f"v{LANES}f32", [ir.Constant(FLOAT, 0.0)] * LANES
        self.zero, self.align = ir.Constant(VECTOR, zero), ir.Constant(INT32, 4)

        def function(name: str, result: Any, arguments: list[Any]) -> Any:
            kind = ir.FunctionType(result, arguments)
            return cgutils.get_or_insert_function(builder.module, kind, name)

        load = [self.pointer, INT32, mask, VECTOR]
        store = [VECTOR, self.pointer, INT32, mask]
        self.masked_load = function(f"llvm.masked.load.{name}.p0", VECTOR, load)
        self.masked_store = function(f"llvm.masked.store.{name}.p0", ir.VoidType(), store)
        self.fused = function(f"llvm.fma.{name}", VECTOR, [VECTOR, VECTOR, VECTOR])

    def load(self, array: Any, row: Any, count: int) -> list[Any]:
        """Returns the vectors of `count` rows."""
        return [
            self.builder.call(
                self.masked_load, [self._address(array, row, i, v), self.align, mask, self.zero]
            )
            for i in range(count)
            for v, mask in enumerate(self.masks)
        ]

    def store(self, vectors: list[Any], array: Any, row: Any) -> None:
        for number, vector in enumerate(vectors):
            i, v = divmod(number, VECTORS)
            address = self._address(array, row, i, v)
            self.builder.call(self.masked_store, [vector, address, self.align, self.masks[v]])

    def multiply(
        self,
        sums: list[Any],
        a: Any,
        a_row: Any,
        a_step: Any,
        b: Any,
        b_step: Any,
        depth: Any,
        count: int,
        unroll: int,
    ) -> list[Any]:
        """Returns `sums` after the loop over k.

        With few rows, `unroll` sums for each result run side by side, so that no product waits for
        the one before it.
        """
        builder, size = self.builder, len(sums)

        def add(k: Any, sums: list[Any]) -> list[Any]:
            row = builder.gep(b, [builder.mul(k, b_step)])
            right = [builder.load(self._vector(row, v), align=4) for v in range(VECTORS)]
            column = builder.gep(a, [builder.mul(k, a_step)])
            result: list[Any] = []
            for i in range(count):
                offset = builder.mul(a_row, ir.Constant(INT, i))
                left = self._spread(builder.load(builder.gep(column, [offset])))
                for v in range(VECTORS):
                    result.append(builder.call(self.fused, [left, right[v], sums[len(result)]]))
            return result

        def add_several(k: Any, sums: list[Any]) -> list[Any]:
            parts = [sums[i * size : (i + 1) * size] for i in range(unroll)]
            steps = [builder.add(k, ir.Constant(INT, i)) for i in range(unroll)]
            return [x for step, part in zip(steps, parts, strict=True) for x in add(step, part)]

        start = ir.Constant(INT, 0)
        if unroll > 1:
            several = sums + [self.zero] * (size * (unroll - 1))
            limit = builder.sub(depth, ir.Constant(INT, unroll - 1))
            start, several = self._loop(start, limit, unroll, several, add_several)
            sums = several[:size]
            for i in range(1, unroll):
                part = several[i * size : (i + 1) * size]
                sums = [builder.fadd(x, y) for x, y in zip(sums, part, strict=True)]
        _, sums = self._loop(start, depth, 1, sums, add)
        return sums

    def _loop(self, start: Any, limit: Any, step: int, values: list[Any], body: Any) -> Any:
        """Returns (counter, values) after `values = body(counter, values)` while below `limit`."""
        builder, before = self.builder, self.builder.basic_block
        blocks = [builder.append_basic_block(name) for name in ("head", "body", "after")]
        head, inside, after = blocks
        builder.branch(head)
        builder.position_at_end(head)
        counter = builder.phi(INT)
        current = [builder.phi(VECTOR) for _ in values]
        builder.cbranch(builder.icmp_signed("<", counter, limit), inside, after)
        builder.position_at_end(inside)
        new = body(counter, current)
        following = builder.add(counter, ir.Constant(INT, step))
        builder.branch(head)
        pairs = zip([counter, *current], [start, *values], [following, *new], strict=True)
        for phi, first, later in pairs:
            phi.add_incoming(first, before)
            phi.add_incoming(later, inside)
        builder.position_at_end(after)
        return counter, current

    def _address(self, array: Any, row: Any, i: int, v: int) -> Any:
        offset = self.builder.mul(row, ir.Constant(INT, i))
        return self._vector(self.builder.gep(array, [offset]), v)

    def _vector(self, pointer: Any, v: int) -> Any:
        offset = ir.Constant(INT, v * LANES)
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), self.pointer)

    def _spread(self, value: Any) -> Any:
        """Returns a vector with `value` in every lane."""
        kind = ir.VectorType(value.type, LANES)
        empty = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(empty, value, ir.Constant(INT32, 0))
        zeros = ir.Constant(ir.VectorType(INT32, LANES), [0] * LANES)
        return self.builder.shuffle_vector(one, empty, zeros)


@compiled
def product(
    rows, a, a_row, a_step, b, b_panel, b_step, depth, columns, base, base_row, out, out_row
):
    """Computes `out = base + a @ b`, (rows, columns), for `b` (depth, columns).

    `b` is in panels of WIDTH columns, of which panel p begins at `p * b_panel`; the other arguments
    are those of `_tile`.
    """
    tiles = (rows + ROWS - 1) // ROWS
    for column in range(0, columns, WIDTH):
        panel = b[column // WIDTH * b_panel :]
        width = min(WIDTH, columns - column)
        for tile in range(tiles):
            first = tile * rows // tiles
            count = (tile + 1) * rows // tiles - first
            _tile(
                count,
                a[first * a_row :],
                a_row,
                a_step,
                panel,
                b_step,
                base[first * base_row + column :],
                base_row,
                out[first * out_row + column :],
                out_row,
                width,
                depth,
            )


@compiled
def panels(source, depth, columns, row, step, shift):
    """Returns `source` in panels for `product`; its element (k, j) is at `k * row + j * step`.

    Column j of the panels is column `(j + shift) % columns` of `source`.
    """
    packed = _empty((columns + WIDTH - 1) // WIDTH * depth * WIDTH)
    for first in range(0, columns, WIDTH):
        width = min(WIDTH, columns - first)
        for k in range(depth):
            line = packed[first * depth + k * WIDTH :]
            values = source[k * row :]
            start = first + shift
            # Up to `wrap` the columns follow one another in `source`, then they begin anew.
            wrap = max(ZERO, min(width, columns - start))
            if step == ONE:
                for j in range(wrap):
                    line[j] = values[start + j]
                for j in range(wrap, width):
                    line[j] = values[start + j - columns]
            else:
                for j in range(wrap):
                    line[j] = values[(start + j) * step]
                for j in range(wrap, width):
                    line[j] = values[(start + j - columns) * step]
            for j in range(width, WIDTH):
                line[j] = F32(0)
    return packed
