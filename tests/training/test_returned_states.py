"""What `return_sequences` and `return_state` return, against forward passes in NumPy."""

import keras
import numpy as np
import pytest
from test_models import CELLS, forward, zeros

from lstm_bench.training._returned_states import (
    STEPS,
    UNITS,
    print_returned_states,
    returned_values,
    states_by_step,
)

LAST_STATES = {"LSTM": ("last h", "last c"), "GRU": ("last h",)}


@pytest.mark.parametrize("network", ["LSTM", "GRU"])
def test_the_output_is_h_and_the_states_come_after_it(network):
    states = LAST_STATES[network]
    assert [(f.return_sequences, f.return_state, f.equals) for f in returned_values(network)] == [
        (False, False, ("last h",)),
        (False, True, ("last h", *states)),
        (True, False, ("every h",)),
        (True, True, ("every h", *states)),
    ]
    assert returned_values(network)[-1].shapes == ((2, STEPS, UNITS), *[(2, UNITS)] * len(states))


@pytest.mark.parametrize("network", ["LSTM", "GRU"])
@pytest.mark.parametrize("sequences", [True, False])
def test_what_keras_returns_is_h_and_c_by_hand(network, sequences):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 5, 3))
    layer = getattr(keras.layers, network)(4, return_sequences=sequences, return_state=True)
    layer.build(x.shape)
    weights = [rng.normal(size=w.shape) for w in layer.weights]
    layer.set_weights(weights)
    outputs, (state,) = forward(network.lower(), x, weights, zeros(network.lower(), 1, 2, 4))
    output, *returned = layer(x.astype(np.float32))
    assert len(returned) == CELLS[network.lower()][1]
    np.testing.assert_allclose(output, outputs if sequences else outputs[:, -1], atol=1e-5)
    for ours, by_hand in zip(returned, state, strict=True):
        np.testing.assert_allclose(ours, by_hand, atol=1e-5)
    np.testing.assert_allclose(returned[0], outputs[:, -1], atol=1e-5)  # state_h is the last output
    if network == "LSTM":
        assert np.abs(np.asarray(returned[1]) - outputs[:, -1]).min() > 1e-4  # c is different
    computed = states_by_step(layer.cell, x.astype(np.float32))
    np.testing.assert_allclose(computed["every h"], outputs, atol=1e-5)


def test_the_table_is_printed(capsys):
    print_returned_states()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + 8
    assert lines[6].endswith(" output = every h, state_h = last h, state_c = last c")
