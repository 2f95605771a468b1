"""Results are equal to the last bit, whatever other seeds, threads and chunks there are."""

import numpy as np
import pytest

from lstm_bench.errors import Interrupted
from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _program_spec as program
from lstm_bench.training._engine import ENGINES, get_engine


def bits(run):
    return [run.loss.tobytes(), run.outputs.tobytes(), run.correct.tobytes()] + [
        weight.tobytes() for weight in run.weights
    ]


SHUFFLED = recipe("memory", units=6, epochs=30, stateful=False, batch_size=3, shuffle="samples")
LONG = recipe(
    "memory", lag=9, framing="whole", stateful=False, units=6, epochs=30, batch_size=2
)  # kernels of our own, and fewer evaluations than epochs
STATEFUL = recipe("memory", units=6, epochs=30, reset="never", shuffle="sequences")


@pytest.mark.parametrize("chosen", [SHUFFLED, STATEFUL, LONG], ids=["shuffled", "stateful", "long"])
def test_a_seed_gives_the_same_bits_alone_or_among_others_in_one_thread_or_two(chosen):
    alone = {seed: compiled.train(chosen, [seed]).runs[0] for seed in (0, 1, 2, 7)}
    for threads in (1, 2, 4):
        among = compiled.train(chosen, [7, 2, 0, 1], threads=threads).runs
        assert [run.seed for run in among] == [7, 2, 0, 1]
        for run in among:
            assert bits(run) == bits(alone[run.seed])
    assert bits(alone[0])[:2] != bits(alone[1])[:2]


def test_a_program_compiled_anew_gives_the_same_bits():
    first = bits(compiled.train(SHUFFLED, [0]).runs[0])
    compiled._compile.cache_clear()
    assert bits(compiled.train(SHUFFLED, [0]).runs[0]) == first


@pytest.mark.parametrize(
    "chosen",
    [SHUFFLED, pytest.param(STATEFUL, marks=pytest.mark.slow)],
    ids=["shuffled", "stateful"],
)
def test_the_length_of_a_chunk_does_not_matter(chosen, monkeypatch):
    whole = compiled.train(chosen, [0]).runs[0]
    # 30 epochs in five pieces, the last one smaller.
    monkeypatch.setattr(program, "CHUNK_STEPS", 7 * chosen.schedule.batches)
    misses = compiled._compile.cache_info().misses
    assert bits(compiled.train(chosen, [0]).runs[0]) == bits(whole)
    assert compiled._compile.cache_info().misses == misses + 1  # it was another program


def test_the_rows_of_an_evaluation_do_not_matter(monkeypatch):
    whole = compiled.train(SHUFFLED, [0]).runs[0]
    monkeypatch.setattr(compiled, "EVALUATION_ROWS", 3)
    compiled._compile.cache_clear()
    pieces = compiled.train(SHUFFLED, [0]).runs[0]
    np.testing.assert_allclose(pieces.outputs, whole.outputs, rtol=0, atol=1e-6)
    assert pieces.loss.tobytes() == whole.loss.tobytes()
    compiled._compile.cache_clear()


@pytest.mark.parametrize("chosen", [SHUFFLED, LONG], ids=["shuffled", "long"])
def test_a_shorter_run_is_the_beginning_of_a_longer_one(chosen):
    short = compiled.train(recipe(**chosen.settings | {"epochs": 11}), [0]).runs[0]
    long = compiled.train(chosen, [0]).runs[0]
    assert (short.loss == long.loss[:11]).all()
    assert (short.correct == long.correct[:11]).all()


def test_recipes_with_one_program_spec_are_compiled_once():
    base = {"units": 6, "epochs": 4, "optimizer": "sgd"}
    compiled.train(recipe("memory", **base), [0])
    before = compiled._compile.cache_info().misses
    for other in (
        {"learning_rate": 0.5}, {"momentum": 0.9}, {"epochs": 9}, {"reset": "never"},
        {"reset": "epoch"}, {"shuffle": "sequences"}, {"symbols": tuple("abcde")},
    ):  # fmt: skip
        training = compiled.train(recipe("memory", **base | other), [3, 4, 5])
        assert training.compile_seconds == 0
    assert compiled._compile.cache_info().misses == before
    assert compiled.train(recipe("memory", **base | {"units": 7}), [0]).compile_seconds > 0
    assert compiled._compile.cache_info().misses == before + 1


@pytest.mark.parametrize("name", ENGINES)
def test_a_run_stops_when_stop_returns_true(name):
    with pytest.raises(Interrupted):
        get_engine(name).train(recipe("memory", units=6, epochs=3), [0, 1], stop=lambda: True)
