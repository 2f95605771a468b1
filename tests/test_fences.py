"""What XLA puts in one kernel, and that a fence changes nothing but where things are computed."""

import numpy as np
import pytest
from agreement import agree

from lstm_bench.cost import work
from lstm_bench.engine import compiled, fences, program
from lstm_bench.recipe import recipe
from lstm_bench.seeds import stream


@pytest.fixture
def limit(monkeypatch):
    """Sets what counts as large, for programs compiled from then on."""

    def set_to(large):
        monkeypatch.setattr(fences, "LARGE", large)
        compiled._compile.cache_clear()

    yield set_to
    compiled._compile.cache_clear()


def optimised(chosen):
    """Returns the HLO text of what XLA made of `chosen`."""
    samples = chosen.samples(0)
    form = program.Form.of(chosen, samples)
    compiled_ = compiled._compile(form, compiled._Template(chosen))
    packed = compiled.Packing(tuple(tuple(v.shape) for v in compiled_.model.trainable_variables))
    start = [np.zeros(shape, np.float32) for shape in packed.packed]
    arguments = (
        *compiled._start(form, compiled_.model, start, 0),
        *compiled._constants(chosen, samples),
        *compiled._orders(form, chosen.schedule, stream(0, "shuffle"), 0),
        np.int32(0),
    )
    return compiled_.run.experimental_get_compiler_ir(*arguments)(stage="optimized_hlo")


@pytest.mark.parametrize(
    ("settings", "kernels"),
    [
        ({"units": 8}, True),
        ({"units": 8, "framing": "whole"}, True),
        ({"units": 100}, False),
        ({"units": 8, "lag": 7, "framing": "prefixes", "stateful": False, "batch_size": 8}, True),
        ({"units": 40, "lag": 7, "framing": "prefixes", "stateful": False, "batch_size": 8}, False),
        ({"units": 100, "network": "mlp", "stateful": False, "batch_size": "all"}, False),
    ],
)
def test_loops_of_small_products_are_one_kernel_and_those_of_large_ones_are_not(settings, kernels):
    text = optimised(recipe("memory", epochs=2, **settings))
    assert ("xla_cpu_small_call" in text) == kernels


NETWORKS = {
    "lstm": {"network": "lstm"},
    "gru": {"network": "gru"},
    "simple_rnn": {"network": "simple_rnn"},
    "both directions": {"network": "lstm", "layers": 2, "bidirectional": True},
    "two layers": {"network": "gru", "layers": 2},
    "mlp": {"network": "mlp"},
    "convolution": {"network": "conv1d"},
    "kept state": {"network": "lstm", "layers": 2, "stateful": True, "layout": "streams"},
}
ONE = pytest.mark.parametrize(
    "settings",
    [
        pytest.param(settings, id=name, marks=[] if name == "lstm" else pytest.mark.slow)
        for name, settings in NETWORKS.items()
    ],
)
WINDOWS = {"framing": "window", "stateful": False, "batch_size": 2, "epochs": 4}


@ONE
def test_fences_change_nothing_but_the_last_digits(settings, limit):
    chosen = recipe("memory", units=7, **WINDOWS | settings)
    runs = []
    for large in (0, 1e12):
        limit(large)
        runs.append(compiled.train(chosen, [2]).runs[0])
    with_, without = runs
    np.testing.assert_allclose(with_.loss, without.loss, rtol=1e-5)
    for one, other in zip(with_.weights, without.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@ONE
def test_the_engines_agree_on_networks_with_fences(settings):
    chosen = recipe("memory", units=150, **WINDOWS | settings)
    assert program.Form.of(chosen, chosen.samples(0)).product(2) > fences.LARGE
    agree(chosen)


def test_the_work_of_a_step_is_that_of_its_matrices():
    chosen = recipe("memory", framing="whole", units=10, stateful=False, batch_size=2)
    # Of 4 steps with 5 features.
    kernels = 4 * 10 * (10 + 5)
    assert work(chosen, features=5) == 3 * 2 * 4 * kernels
