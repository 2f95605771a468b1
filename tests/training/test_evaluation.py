"""Evaluations other than teacher forcing, checked with networks of known predictions."""

import numpy as np
import pytest

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training._evaluation import (
    QUERIES,
    Network,
    cold_start,
    free_running,
    random_order,
    step_by_step,
)
from lstm_bench.training._run import run


class Successor:
    """Predicts the symbol after the last one, except for the inputs in `wrong`."""

    def __init__(self, wrong=None):
        self.wrong = wrong or {}
        self.resets = 0

    def reset_state(self):
        self.resets += 1

    def predict_next(self, past):
        return self.wrong.get(past[-1], past[-1] + 1)


def test_free_running_feeds_back_its_own_predictions():
    problem = recipe("alphabet").task.problem(0)
    flawless = free_running(Successor(), problem)
    assert flawless.correct.all()
    assert len(flawless.correct) == 25
    astray = free_running(Successor({3: 10}), problem)  # jumps from D to K and continues there
    assert astray.predicted[:6].tolist() == [1, 2, 3, 10, 11, 12]
    assert astray.correct.sum() == 3


def test_a_cold_start_begins_at_its_symbol():
    problem = recipe("alphabet").task.problem(0)
    answers = cold_start(Successor(), problem, start=10)
    assert (answers.input[0], answers.expected[0], len(answers.input)) == (10, 11, 15)
    assert answers.correct.all()
    replayed = cold_start(Successor({10: 1}), problem, start=10)  # K -> B -> C ...
    assert replayed.predicted.tolist() == [*range(1, 11), 1, 2, 3, 4, 5]
    assert not replayed.correct.any()


def test_without_a_start_it_is_the_middle():
    problem = recipe("memory").task.problem(0)
    assert cold_start(Successor(), problem, None).input.tolist()[0] == 1


@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_a_stateful_network_fed_step_by_step_predicts_as_in_teacher_forcing(network):
    """Two routes to the same predictions: the engine's evaluation, and one query at a time."""
    from lstm_bench.training._engine import get_engine

    chosen = recipe("memory", network=network, epochs=40, units=8, learning_rate=0.01)
    trained = get_engine("compiled").train(chosen, [3]).runs[0]
    samples = chosen.samples(3)
    one_by_one = Network(chosen, samples)
    one_by_one.load(trained.weights)
    answers = []
    for sequence in chosen.task.problem(3).train:
        one_by_one.reset_state()
        past = []
        for symbol in sequence.inputs:
            past.append(int(symbol))
            answers.append(one_by_one.predict_next(past))
    assert answers == trained.outputs[:, 0].argmax(axis=-1).tolist()


def test_the_order_of_queries_cannot_matter_to_a_stateless_network():
    """B4's random queries: each prediction is that of teacher forcing for the same sample."""
    from lstm_bench.training._engine import get_engine

    chosen = recipe("alphabet", letters=6, epochs=200, batch_size="all", shuffle="none", units=8)
    trained = get_engine("compiled").train(chosen, [0]).runs[0]
    samples, problem = chosen.samples(0), chosen.task.problem(0)
    network = Network(chosen, samples)
    network.load(trained.weights)
    answers = random_order(network, problem, samples, seed=0)
    forced = trained.outputs[:, 0].argmax(axis=-1)
    assert len(answers.correct) == QUERIES
    assert answers.predicted.tolist() == forced[answers.step].tolist()
    assert len(np.unique(answers.step)) > 2


@pytest.mark.long
def test_a_cold_stateful_network_replays_and_a_stateless_one_does_not():
    """B5c against a stateless network: the state keeps the position, not the letter."""
    shared = {"letters": 8, "units": 24, "learning_rate": 0.01, "epochs": 300, "shuffle": "none"}
    cold = {"evaluation": "cold_start", "start": "D", **shared}
    kept = run(recipe("alphabet", stateful=True, reset="epoch", **cold), [0])
    windowed = run(recipe("alphabet", encoding="onehot", **cold), [0])
    assert kept.predictions["predicted"].tolist()[0] == "B"
    assert windowed.predictions["predicted"].tolist() == list("EFGH")


@pytest.mark.parametrize("stateful", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_whole_sequence_network_generates_its_training_sequences(stateful):
    """A query of `whole` holds the whole past, so a kept state must make no difference."""
    shared = {"framing": "whole", "stateful": stateful, "epochs": 400, "learning_rate": 0.01}
    forced = run(recipe("memory", **shared), [0])
    free = run(recipe("memory", evaluation="free_running", **shared), [0])
    assert forced.accuracy.mean == free.accuracy.mean == 1.0


@pytest.mark.parametrize("evaluation", ["teacher_forced", "free_running"])
def test_outputs_that_are_not_finite_are_never_correct(evaluation):
    diverging = recipe(
        "memory",
        optimizer="sgd",
        learning_rate=10.0,
        output="linear",
        loss="mean_squared_error",
        epochs=200,
        evaluation=evaluation,
    )
    outcome = run(diverging, [0])
    assert np.isnan(outcome.seeds["loss"][0])
    assert outcome.accuracy.mean == 0
    assert set(outcome.predictions["predicted"]) == {"?"}


def test_step_by_step_feeds_the_true_past():
    problem = recipe("memory").task.problem(0)
    network = Successor({3: 1})
    predictions = step_by_step(network, problem)
    assert network.resets == len(problem.train)
    assert predictions.input.tolist() == [3, 0, 1, 2, 4, 0, 1, 2]
    assert predictions.expected.tolist() == [0, 1, 2, 3, 0, 1, 2, 4]
    assert predictions.predicted.tolist() == [1, 1, 2, 3, 5, 1, 2, 3]


@pytest.mark.long
@pytest.mark.parametrize("framing", ["whole", "chunks"])
def test_step_by_step_predicts_as_teacher_forcing_does(framing):
    """A stateful network with an output at every step of a piece must be fed all earlier pieces."""
    shared = {"framing": framing, "epochs": 150, "stateful": True, "batch_size": 1, "units": 12}
    shared |= {"chunk": 5, "layout": "rows"} if framing == "chunks" else {}
    forced = run(recipe("poem", **shared), [0])
    stepwise = run(recipe("poem", evaluation="step_by_step", **shared), [0])
    columns = ["sequence", "step", "input", "expected", "predicted", "correct"]
    assert forced.predictions[columns].equals(stepwise.predictions[columns])


def test_unseen_sequences_have_a_separate_column_and_give_the_score():
    settings = {"train": 8, "unseen": 6, "steps": 5, "epochs": 60, "batch_size": 2}
    outcome = run(recipe("echo", delay=1, **settings), [0, 1])
    rows, predictions = outcome.seeds, outcome.predictions
    assert (rows["accuracy"] == rows["unseen_accuracy"]).all()
    assert predictions.groupby("seed")["correct"].mean().tolist() == rows["accuracy"].tolist()
    assert set(predictions["sequence"]) == set(range(8, 14)) and len(predictions) == 2 * 6 * 4
    assert (outcome.curves.groupby("seed")["seen_accuracy"].last() == rows["seen_accuracy"]).all()


def test_real_values_are_printed_as_numbers_and_correct_within_the_tolerance():
    outcome = run(recipe("parallel_series", epochs=300), [0])
    table = outcome.predictions
    values = [[float(v) for v in text.split(", ")] for text in table["predicted"]]
    expected = [[float(v) for v in text.split(", ")] for text in table["expected"]]
    near = (np.abs(np.array(values) - np.array(expected)) <= 0.05).all(axis=1)
    assert table["input"][0] == "0.1, 1" and table["correct"].tolist() == near.tolist()
    errors = np.array(values) - np.array(expected)
    assert outcome.seeds["mae"][0] == pytest.approx(np.abs(errors).mean(), abs=1e-4)
    assert outcome.seeds["rmse"][0] == pytest.approx(np.sqrt((errors**2).mean()), abs=1e-4)


@pytest.mark.parametrize("evaluation", ["step_by_step", "random_order"])
def test_other_evaluations_count_the_evaluated_steps(evaluation):
    settings = {"train": 30, "unseen": 10, "steps": 6, "delay": 1, "epochs": 150, "batch_size": 5}
    forced = run(recipe("echo", **settings), [0])
    stepwise = run(recipe("echo", evaluation=evaluation, **settings), [0])
    assert forced.accuracy.mean == stepwise.accuracy.mean == 1.0
    assert set(stepwise.predictions["sequence"]) <= set(range(30, 40))
    assert 0 not in set(stepwise.predictions["step"])  # has nothing to echo
