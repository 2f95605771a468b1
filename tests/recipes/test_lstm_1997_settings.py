"""The settings of `network: lstm_1997`: their defaults, their digests and what is refused."""

import pytest

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._cost import program_key
from lstm_bench.recipes._lstm_1997 import DEFAULTS, LSTM_1997_SETTINGS
from lstm_bench.recipes._recipe import recipe, recipe_from_settings
from lstm_bench.recipes._registry import BUILT_IN_TASKS


def chosen(**changes):
    return recipe("echo", **{"network": "lstm_1997", "units": 4} | changes)


def test_defaults_written_out_are_the_same_recipe():
    one, other = chosen(), chosen(**DEFAULTS)
    assert one == other and one.digest == other.digest and one.name == other.name
    assert {key: one.settings[key] for key in DEFAULTS} == DEFAULTS
    assert chosen(block_size=None) == one


def test_settings_survive_being_written_down():
    one = chosen(block_size=2, input_gate_bias=(-3, -6), output_gate_bias=[-1.5, 2], biases="gates")
    assert one.settings["input_gate_bias"] == [-3.0, -6.0]
    assert recipe_from_settings(one.settings, BUILT_IN_TASKS) == one
    assert {one: 1}[recipe_from_settings(one.settings, BUILT_IN_TASKS)] == 1
    assert "block size 2" in one.name and "output gate True" not in one.name
    assert one.gate_biases == ((-4, (-3, -6)), (-2, (-1.5, 2)))
    without = chosen(output_gate=False, input_gate_bias=[1, 2, 3, 4])
    assert without.gate_biases == ((-4, (1, 2, 3, 4)),)


def test_other_networks_have_none_of_these_settings():
    assert not set(LSTM_1997_SETTINGS) & set(recipe("echo").settings)
    changed = chosen(block_size=2).settings
    kept = {key: value for key, value in changed.items() if key not in LSTM_1997_SETTINGS}
    assert recipe_from_settings(kept | {"network": "lstm"}, BUILT_IN_TASKS).lstm_1997 is None


@pytest.mark.parametrize(
    ("settings", "key", "rule"),
    [
        ({"network": "lstm", "block_size": 1}, "block_size", "network=lstm_1997, but got lstm"),
        ({"network": "gru", "output_gate": True}, "output_gate", "but got gru; leave it out"),
        ({"network": "mlp", "initial_range": 0.1}, "initial_range", "belongs to network=lstm_1997"),
        ({"units": 5, "block_size": 2}, "block_size", "units=5 and block_size=2; use units=4"),
        ({"units": 2, "block_size": 3}, "block_size", "use units=3"),
        ({"input_gate_bias": [1, 2]}, "input_gate_bias", "each of the 4 blocks"),
        ({"input_gate_bias": "ab"}, "input_gate_bias", "must be a list"),
        ({"input_gate_bias": [1, 2, 3, float("nan")]}, "input_gate_bias", "finite"),
        ({"input_gate_bias": [1, 2, 3, "x"]}, "input_gate_bias", "number"),
        ({"input_gate_bias": [0] * 4, "biases": "none"}, "input_gate_bias", "biases is none"),
        ({"output_gate_bias": [0] * 4, "output_gate": False}, "output_gate_bias", "output_gate=tr"),
        ({"squashing": "1997"}, "squashing", "'symmetric' or 'positive', but got '1997'"),
        ({"biases": "some"}, "biases", "'none', 'gates', 'hidden' or 'all'"),
        ({"initial_range": 0.0}, "initial_range", "must be above 0"),
        ({"output": "softmax", "loss": "binary_crossentropy"}, "output", "sigmoid"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, key, rule):
    with pytest.raises(RecipeError) as caught:
        chosen(**settings)
    (fault,) = caught.value.faults
    assert fault.key.partition(".")[0] == key and rule in fault.message


def test_the_loss_that_sums_takes_every_output():
    for output in ("softmax", "sigmoid", "linear"):
        assert recipe("echo", loss="summed_squared_error", output=output).output == output


def test_initial_values_do_not_change_the_program():
    one = program_key(chosen())
    assert one == program_key(chosen(initial_range=0.2, input_gate_bias=[0, 0, 0, 0]))
    assert one != program_key(chosen(block_size=2))
