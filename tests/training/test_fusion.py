"""Which loops XLA compiles into one kernel, and that fences change nothing but rounding."""

import re

import numpy as np
import pytest
from agreement import agree

from lstm_bench.recipes._cost import multiply_adds
from lstm_bench.recipes._recipe import recipe
from lstm_bench.seeds import stream
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _fusion as fusion
from lstm_bench.training import _kernel_calls as kernel_calls
from lstm_bench.training._program_spec import ProgramSpec


@pytest.fixture(autouse=True)
def no_kernels(monkeypatch):
    """These are the programs of machines on which no kernel can be called."""
    monkeypatch.setattr(kernel_calls, "available", lambda: False)


@pytest.fixture
def limit(monkeypatch):
    """Returns a function that sets `LARGE` for all programs compiled afterwards."""

    def set_to(large):
        monkeypatch.setattr(fusion, "LARGE", large)
        compiled._compile.cache_clear()

    yield set_to
    compiled._compile.cache_clear()


def compiled_program(chosen):
    """Returns the spec and the compiled program of `chosen`."""
    spec = ProgramSpec.of(chosen, chosen.samples(0))
    return spec, compiled._compile(spec, compiled._Template(chosen))


def optimised_hlo(chosen):
    """Returns the optimised HLO text of the program of `chosen`."""
    spec, program = compiled_program(chosen)
    packing = compiled.Packing(tuple(tuple(v.shape) for v in program.model.trainable_variables))
    weights = [np.zeros(shape, np.float32) for shape in packing.packed]
    arguments = (
        compiled._initial_state(spec, program.model, weights, 0),
        compiled._inputs(chosen, chosen.samples(0)),
        compiled._chunk(spec, chosen.schedule, stream(0, "shuffle"), 0),
    )
    return program.run.experimental_get_compiler_ir(*arguments)(stage="optimized_hlo")


STREAMS = {"layout": "streams", "batch_size": 2}  # and stateful, as the task's default is
GROWING = {"lag": 7, "framing": "prefixes", "stateful": False, "batch_size": 8}


@pytest.mark.long
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
    text = optimised_hlo(recipe("memory", epochs=2, **settings))
    # A loop in one kernel is a call of a computation that is marked as small.
    outermost = text[text.index("\nENTRY") :]
    assert (" while(" not in outermost and "xla_cpu_small_call" in outermost) == one_kernel


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "loops"), [({}, 1), ({"bidirectional": True}, 2), ({"layers": 2}, 2)], ids=str
)
def test_the_loops_over_time_of_a_large_network_are_not_one_kernel(settings, loops):
    text = optimised_hlo(recipe("memory", epochs=2, units=40, **GROWING, **settings))
    # Only the loops of the evaluation and of the update, not those of training in either direction.
    assert len(re.findall(r" call\(.*xla_cpu_small_call", text)) == loops + 1


PAIRS = {"stateful": False, "batch_size": 2}
WHOLE = {"framing": "whole", **PAIRS}  # 4 steps of 5 features, an output of 5 values at each


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "product"),
    [
        (WHOLE, 2 * 10 * (4 * 10)),  # two rows of state times a recurrent kernel of four gates
        (WHOLE | {"network": "gru"}, 2 * 10 * (3 * 10)),
        (WHOLE | {"network": "simple_rnn"}, 2 * 4 * 10 * 5),  # that of the output layer
        (WHOLE | {"network": "mlp", "layers": 2}, 2 * 4 * 10 * 10),
        (WHOLE | {"network": "conv1d", "kernel_size": 3}, 2 * 4 * (3 * 5) * 10),
        (PAIRS | {"framing": "window", "bidirectional": True}, 2 * 10 * (4 * 10)),  # in each
        (PAIRS, 2 * 5 * (4 * 10)),  # the product with a state of zeros does not count
        (PAIRS | {"stateful": True, "layout": "streams"}, 2 * 10 * (4 * 10)),
    ],
)
def test_products_are_counted_by_hand(settings, product, limit):
    _, program = compiled_program(recipe("memory", units=10, **settings))
    limit(product - 1)
    assert fusion.has_large_product(program.model, rows=2)
    limit(product)
    assert not fusion.has_large_product(program.model, rows=2)


def test_a_vector_is_never_large(limit):
    limit(0)
    _, program = compiled_program(recipe("memory", units=10))
    assert not fusion.has_large_product(program.model, rows=1)


@pytest.mark.long
def test_the_outputs_of_all_steps_are_a_product_of_matrices_even_with_one_row(limit):
    _, program = compiled_program(recipe("memory", units=10, **WHOLE | {"batch_size": 1}))
    limit(4 * 10 * 5 - 1)
    assert fusion.has_large_product(program.model, rows=1)
    limit(4 * 10 * 5)
    assert not fusion.has_large_product(program.model, rows=1)


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


@pytest.mark.long
@ONE
def test_fences_change_nothing_but_rounding(settings, limit):
    chosen = recipe("memory", units=7, **WINDOWS | settings)
    runs = []
    for large in (0, 1e12):
        limit(large)
        runs.append(compiled.train(chosen, [2]).runs[0])
    with_, without = runs
    np.testing.assert_allclose(with_.loss, without.loss, rtol=1e-5)
    for one, other in zip(with_.weights, without.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.long
@ONE
def test_the_engines_agree_on_networks_with_fences(settings, limit):
    limit(1000)
    chosen = recipe("memory", units=150, **WINDOWS | settings)
    spec, program = compiled_program(chosen)
    assert fusion.has_large_product(program.model, spec.batch_size)
    agree(chosen)


def test_the_work_of_a_step_is_that_of_its_matrices():
    chosen = recipe("memory", framing="whole", units=10, stateful=False, batch_size=2)
    # Of 4 steps with 5 features.
    kernels = 4 * 10 * (10 + 5)
    assert multiply_adds(chosen, features=5) == 3 * 2 * 4 * kernels
