"""One time step of each recurrent cell after its products, forward and backward; see `_kernels`."""

from lstm_bench.training._tiles import F32, compiled


@compiled
def tanh(x):
    """Returns tanh(x) to 3e-7: the rational approximation of Eigen and XLA; NaN stays NaN."""
    limit = F32(7.90531110763549805)
    x = limit if x > limit else x
    x = -limit if x < -limit else x
    s = x * x
    p = F32(-2.76076847742355e-16) * s + F32(2.00018790482477e-13)
    p = p * s + F32(-8.60467152213735e-11)
    p = p * s + F32(5.12229709037114e-08)
    p = p * s + F32(1.48572235717979e-05)
    p = p * s + F32(6.37261928875436e-04)
    p = p * s + F32(4.89352455891786e-03)
    q = F32(1.19825839466702e-06) * s + F32(1.18534705686654e-04)
    q = q * s + F32(2.26843463243900e-03)
    q = q * s + F32(4.89352518554385e-03)
    return x * p / q


@compiled
def sigmoid(x):
    return F32(0.5) + F32(0.5) * tanh(F32(0.5) * x)


@compiled
def lstm_step(gates, c_old, c_new, h_new, rows, units, offset, factor):
    """Applies the activations to `gates` (B, 4U), which hold their inputs, and writes c and h."""
    for row in range(rows):
        values = gates[row * 4 * units : (row + 1) * 4 * units]
        for j in range(4 * units):  # one loop for tanh and sigmoid(x) = 0.5 + 0.5 tanh(0.5 x)
            values[j] = offset[j] + factor[j] * tanh(factor[j] * values[j])
        cells = slice(row * units, (row + 1) * units)
        before, after, output = c_old[cells], c_new[cells], h_new[cells]
        i, f = values[:units], values[units : 2 * units]
        g, o = values[2 * units : 3 * units], values[3 * units :]
        for j in range(units):
            c = f[j] * before[j] + i[j] * g[j]
            after[j] = c
            output[j] = o[j] * tanh(c)


@compiled
def lstm_step_back(gates, c_old, c_new, d_output, d_h, d_c, changes, rows, units):
    """Writes the gradients of the gates' inputs to `changes` (B, 4U) and updates `d_c` (B, U)."""
    one = F32(1)
    for row in range(rows):
        values = gates[row * 4 * units : (row + 1) * 4 * units]
        change = changes[row * 4 * units : (row + 1) * 4 * units]
        cells = slice(row * units, (row + 1) * units)
        before, after, external = c_old[cells], c_new[cells], d_output[cells]
        recurrent, carried = d_h[cells], d_c[cells]
        for j in range(units):
            i, f = values[j], values[units + j]
            g, o = values[2 * units + j], values[3 * units + j]
            squashed = tanh(after[j])
            d = recurrent[j] + external[j]
            e = carried[j] + d * o * (one - squashed * squashed)
            change[j] = e * g * i * (one - i)
            change[units + j] = e * before[j] * f * (one - f)
            change[2 * units + j] = e * i * (one - g * g)
            change[3 * units + j] = d * squashed * o * (one - o)
            carried[j] = e * f


@compiled
def gru_step(gates, h_old, h_new, rows, units):
    """Applies the activations to `gates` (B, 4U), which hold their inputs, and writes h."""
    for row in range(rows):
        values = gates[row * 4 * units : (row + 1) * 4 * units]
        before = h_old[row * units : (row + 1) * units]
        after = h_new[row * units : (row + 1) * units]
        for j in range(units, 3 * units):
            values[j] = sigmoid(values[j])
        for j in range(units):
            z, r = values[units + j], values[2 * units + j]
            n = tanh(values[j] + r * values[3 * units + j])
            values[j] = n
            after[j] = z * before[j] + (F32(1) - z) * n


@compiled
def gru_step_back(gates, h_old, d_output, d_h, changes, rows, units):
    """Writes the gradients of the gates' inputs to `changes` (B, 4U) and updates `d_h` (B, U)."""
    one = F32(1)
    for row in range(rows):
        values = gates[row * 4 * units : (row + 1) * 4 * units]
        change = changes[row * 4 * units : (row + 1) * 4 * units]
        cells = slice(row * units, (row + 1) * units)
        before, external, recurrent = h_old[cells], d_output[cells], d_h[cells]
        for j in range(units):
            n, z = values[j], values[units + j]
            r, reset = values[2 * units + j], values[3 * units + j]
            d = recurrent[j] + external[j]
            d_n = d * (one - z) * (one - n * n)
            change[j] = d_n
            change[units + j] = d * (before[j] - n) * z * (one - z)
            change[2 * units + j] = d_n * reset * r * (one - r)
            change[3 * units + j] = d_n * r
            recurrent[j] = d * z
