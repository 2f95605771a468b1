"""Operations on short rows of numbers in double precision, as compiled code for `_step_kernel`.

A compiler writes a loop for rows of any length, of which the beginning and the end take longer than
the few numbers of a row. So rows are padded to whole vectors here, and an operation takes a vector.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = np.int64(8)
"""Numbers in a vector: one register with AVX-512, two with AVX2."""

TERMS = 16
"""Terms of the series of exp, a power of 2, for arguments of at most log(2) / 2."""

VECTOR, INT32 = ir.VectorType(ir.DoubleType(), int(LANES)), ir.IntType(32)

# Sums may be fused with products, and the sign of zero does not count; NaN and infinity do.
OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
    "nogil": True,
}
compiled = njit(**OPTIONS)


@compiled
def padded(size):
    """Returns the smallest multiple of LANES that is not below `size`."""
    return -(-size // LANES) * LANES


@compiled
def dot(rows, row, fed, size):
    """Returns the product of `fed` with the row of `size` numbers that begins at `row`."""
    return _dot(rows, row, fed, size)


@compiled
def add(rows, row, factor, source, begin, size):
    """Adds to a row `factor` times the `size` numbers of `source` from `begin` on."""
    for index in range(0, size, LANES):
        _add(rows, row + index, factor, source, begin + index)


@compiled
def logistic(values, size):
    """Replaces the first `size` values, a multiple of LANES, by 1 / (1 + exp(-value))."""
    for index in range(0, size, LANES):
        _logistic(values, index)


def _vector(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Returns a pointer to the vector of an array (N,) that begins at `index`."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer())


@intrinsic
def _add(typing, target, index, factor, source, begin):
    """Adds to a vector of `target` `factor` times that of `source` from `begin` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, index, factor, source, begin = arguments
        place = _vector(context, builder, signature.args[0], target, index)
        other = _vector(context, builder, signature.args[3], source, begin)
        product = builder.fmul(_spread(builder, factor), _load(builder, other), ("contract",))
        total = builder.fadd(_load(builder, place), product, ("contract",))
        builder.store(total, place, align=8)
        return context.get_dummy_value()

    return types.void(target, index, factor, source, begin), generate


@intrinsic
def _dot(typing, one, begin, other, size):
    """Returns the sum of the products of `size` elements, a multiple of LANES."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one, begin, other, size = arguments
        first, second = signature.args[0], signature.args[2]
        total = cgutils.alloca_once_value(builder, ir.Constant(VECTOR, [0.0] * VECTOR.count))
        ends = ir.Constant(size.type, 0), size, ir.Constant(size.type, VECTOR.count)
        with cgutils.for_range_slice(builder, *ends) as (index, _):
            a = _load(builder, _vector(context, builder, first, one, builder.add(begin, index)))
            b = _load(builder, _vector(context, builder, second, other, index))
            product = builder.fmul(a, b, ("contract",))
            builder.store(builder.fadd(builder.load(total), product, ("contract",)), total)
        vector, count = builder.load(total), VECTOR.count
        while count > 1:  # adds the upper half to the lower one
            count //= 2
            lower, upper = (
                builder.shuffle_vector(vector, vector, _lanes(range(start, start + count)))
                for start in (0, count)
            )
            vector = builder.fadd(lower, upper)
        return builder.extract_element(vector, ir.Constant(INT32, 0))

    return types.float64(one, begin, other, size), generate


@intrinsic
def _logistic(typing, values, index):
    """Replaces a vector of values x by 1 / (1 + exp(-x)), to the last digits; NaN stays NaN.

    exp is 2**n times a series in r, where its argument is n log 2 + r.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def constant(number: float) -> Any:
            return ir.Constant(VECTOR, [number] * VECTOR.count)

        def fused(one: Any, other: Any, more: Any) -> Any:
            product = builder.fmul(one, other, ("contract",))
            return builder.fadd(product, more, ("contract",))

        place = _vector(context, builder, signature.args[0], *arguments)
        x = builder.fneg(_load(builder, place))
        for comparison, limit in (("<", -708.0), (">", 708.0)):
            beyond = builder.fcmp_ordered(comparison, x, constant(limit))
            x = builder.select(beyond, constant(limit), x)
        # Numbers as large as `whole` have no fraction, and n itself in their last bits.
        whole = constant(1.5 * 2**52)
        rounded = fused(x, constant(math.log2(math.e)), whole)
        n = builder.fsub(rounded, whole)
        # log 2 in two parts, of which the first has few digits.
        r = fused(n, constant(-0.693145751953125), x)
        r = fused(n, constant(-1.4286068203094172321e-6), r)
        series = [constant(1 / math.factorial(power)) for power in range(TERMS)]
        while len(series) > 1:  # in pairs, so that few of the products wait for one another
            series = [
                fused(more, r, one) for one, more in zip(series[::2], series[1::2], strict=True)
            ]
            r = builder.fmul(r, r)
        integers = ir.VectorType(ir.IntType(64), VECTOR.count)
        exponent = builder.bitcast(rounded, integers)
        exponent = builder.add(exponent, ir.Constant(integers, [1023] * VECTOR.count))
        exponent = builder.shl(exponent, ir.Constant(integers, [52] * VECTOR.count))
        e = builder.fmul(series[0], builder.bitcast(exponent, VECTOR))
        value = builder.fdiv(constant(1.0), builder.fadd(constant(1.0), e))
        builder.store(value, place, align=8)
        return context.get_dummy_value()

    return types.void(values, index), generate


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(pointer, align=8)


def _lanes(numbers: Any) -> Any:
    chosen = list(numbers)
    return ir.Constant(ir.VectorType(INT32, len(chosen)), chosen)


def _spread(builder: Any, value: Any) -> Any:
    """Returns a vector of copies of `value`."""
    empty = ir.Constant(VECTOR, ir.Undefined)
    single = builder.insert_element(empty, value, ir.Constant(INT32, 0))
    return builder.shuffle_vector(single, single, _lanes([0] * VECTOR.count))
