"""What XLA puts in one kernel, and that a fence changes nothing but where things are computed."""

import re

import numpy as np
import pytest
from agreement import agree

from lstm_bench.recipes._cost import multiply_adds
from lstm_bench.recipes._recipe import recipe
from lstm_bench.seeds import stream
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _fusion as fences
from lstm_bench.training import _program as program


@pytest.fixture
def limit(monkeypatch):
    """Sets what counts as large, for programs compiled from then on."""

    def set_to(large):
        monkeypatch.setattr(fences, "LARGE", large)
        compiled._compile.cache_clear()

    yield set_to
    compiled._compile.cache_clear()


def compiled_from(chosen):
    """Returns the form and the program of `chosen`."""
    form = program.Form.of(chosen, chosen.samples(0))
    return form, compiled._compile(form, compiled._Template(chosen))


def optimised(chosen):
    """Returns the HLO text of what XLA made of `chosen`."""
    form, made = compiled_from(chosen)
    packed = compiled.Packing(tuple(tuple(v.shape) for v in made.model.trainable_variables))
    start = [np.zeros(shape, np.float32) for shape in packed.packed]
    arguments = (
        *compiled._start(form, made.model, start, 0),
        *compiled._constants(chosen, chosen.samples(0)),
        *compiled._orders(form, chosen.schedule, stream(0, "shuffle"), 0),
        np.int32(0),
    )
    return made.run.experimental_get_compiler_ir(*arguments)(stage="optimized_hlo")


STREAMS = {"layout": "streams", "batch_size": 2}  # and stateful, as the task's default is
GROWING = {"lag": 7, "framing": "prefixes", "stateful": False, "batch_size": 8}


@pytest.mark.parametrize(
    ("settings", "one_kernel"),
    [
        ({"units": 8}, True),
        ({"units": 100}, True),  # a vector times a matrix
        ({"units": 8, "framing": "whole"}, True),
        ({"units": 8, **STREAMS}, True),
        ({"units": 100, **STREAMS}, False),
        ({"units": 8, **GROWING}, True),
        ({"units": 40, **GROWING}, False),
        ({"units": 400, "network": "mlp", "stateful": False, "batch_size": "all"}, False),
    ],
)
def test_a_run_is_one_kernel_unless_it_has_a_large_product(settings, one_kernel):
    text = optimised(recipe("memory", epochs=2, **settings))
    # A loop that is one kernel is a call of the program's own computation, marked as small.
    outermost = text[text.index("\nENTRY") :]
    assert (" while(" not in outermost and "xla_cpu_small_call" in outermost) == one_kernel


@pytest.mark.parametrize(
    ("settings", "loops"), [({}, 1), ({"bidirectional": True}, 2), ({"layers": 2}, 2)], ids=str
)
def test_the_loops_over_time_of_a_large_network_are_no_kernels(settings, loops):
    text = optimised(recipe("memory", epochs=2, units=40, **GROWING, **settings))
    # Those of the evaluation and of the update, and neither forward nor back in training.
    assert len(re.findall(r" call\(.*xla_cpu_small_call", text)) == loops + 1


PAIRS = {"stateful": False, "batch_size": 2}
WHOLE = {"framing": "whole", **PAIRS}  # 4 steps of 5 features, an answer of 5 values at each


@pytest.mark.parametrize(
    ("settings", "product"),
    [
        (WHOLE, 2 * 10 * (4 * 10)),  # two rows of state times a recurrent kernel of four gates
        (WHOLE | {"network": "gru"}, 2 * 10 * (3 * 10)),
        (WHOLE | {"network": "simple_rnn"}, 2 * 4 * 10 * 5),  # the answers' is the largest
        (WHOLE | {"network": "mlp", "layers": 2}, 2 * 4 * 10 * 10),
        (WHOLE | {"network": "conv1d", "kernel_size": 3}, 2 * 4 * (3 * 5) * 10),
        (PAIRS | {"framing": "window", "bidirectional": True}, 2 * 10 * (4 * 10)),  # in each
        (PAIRS, 2 * 5 * (4 * 10)),  # a state that is nothing but zeros is multiplied by nothing
        (PAIRS | {"stateful": True, "layout": "streams"}, 2 * 10 * (4 * 10)),
    ],
)
def test_products_are_counted_by_hand(settings, product, limit):
    _, made = compiled_from(recipe("memory", units=10, **settings))
    limit(product - 1)
    assert fences.large(made.model, rows=2)
    limit(product)
    assert not fences.large(made.model, rows=2)


def test_a_vector_is_never_large(limit):
    limit(0)
    _, made = compiled_from(recipe("memory", units=10))
    assert not fences.large(made.model, rows=1)


def test_the_answers_to_all_steps_are_a_product_of_matrices_even_with_one_row(limit):
    _, made = compiled_from(recipe("memory", units=10, **WHOLE | {"batch_size": 1}))
    limit(4 * 10 * 5 - 1)
    assert fences.large(made.model, rows=1)
    limit(4 * 10 * 5)
    assert not fences.large(made.model, rows=1)


NETWORKS = {
    "lstm": {"network": "lstm"},
    "gru": {"network": "gru"},
    "simple_rnn": {"network": "simple_rnn"},
    "both directions": {"network": "lstm", "layers": 2, "bidirectional": True},
    "two layers": {"network": "gru", "layers": 2},
    "mlp": {"network": "mlp"},
    "convolution": {"network": "conv1d"},
    "kept state": {"network": "lstm", "layers": 2, "stateful": True, "layout": "streams"},
    "accumulated, an odd batch": {
        "network": "simple_rnn", "optimizer": "sgd", "momentum": 0.9, "accumulate": 3,
        "batch_size": 3,
    },
}  # fmt: skip
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
def test_the_engines_agree_on_networks_with_fences(settings, limit):
    limit(1000)
    chosen = recipe("memory", units=150, **WINDOWS | settings)
    form, made = compiled_from(chosen)
    assert fences.large(made.model, form.batch_size)
    agree(chosen)


def test_the_work_of_a_step_is_that_of_its_matrices():
    chosen = recipe("memory", framing="whole", units=10, stateful=False, batch_size=2)
    # Of 4 steps with 5 features.
    kernels = 4 * 10 * (10 + 5)
    assert multiply_adds(chosen, features=5) == 3 * 2 * 4 * kernels
