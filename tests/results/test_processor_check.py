"""Whether one seed has the same bits on several kinds of processors."""

import dataclasses
import json

import numpy as np
import pytest
from outcome_builder import build_outcome

from lstm_bench.results import to_json
from lstm_bench.results._processor_check import (
    ProcessorCheck,
    outcome_differences,
    processor_check,
)
from lstm_bench.sweeps._sweep import parse_sweep
from lstm_bench.tracking._listing import parse_listing, sweep_listing


def an_outcome(loss=0.25, weights=(1.0, 2.0), processor="EPYC", predicted="A", seconds=0.5):
    place = {"host": "n1", "processor": processor, "versions": "keras 3"}
    columns = {"loss": [loss], "seconds": [seconds], **place}
    predictions = [(7, 0, 0, "x", "A", predicted, predicted == "A")]
    arrays = (np.array(weights, np.float32),)
    curves = [(7, 1, loss, 1.0)]
    return build_outcome(
        [1.0], [7], columns, curves=curves, predictions=predictions, weights=arrays
    )


LAST_BIT = float(np.nextafter(0.25, 1.0))


def test_outcomes_of_the_same_bits_do_not_differ_wherever_and_however_long_they_ran():
    other = an_outcome(processor="Xeon", seconds=3.0)
    assert list(outcome_differences(an_outcome(), other)) == []


def test_a_last_bit_is_a_difference():
    differences = dict(outcome_differences(an_outcome(), an_outcome(loss=LAST_BIT)))
    assert differences == {"loss": 2.0**-54, "curves of loss": 2.0**-54}


def test_the_sign_of_zero_is_a_bit():
    differences = dict(outcome_differences(an_outcome(loss=0.0), an_outcome(loss=-0.0)))
    assert differences == {"loss": 0.0, "curves of loss": 0.0}


def test_nan_is_what_it_is():
    nan = an_outcome(loss=np.nan)
    assert list(outcome_differences(nan, an_outcome(loss=np.nan))) == []
    assert dict(outcome_differences(nan, an_outcome()))["loss"] == np.inf


def test_weights_and_predictions_count():
    other = an_outcome(weights=(1.0, 2.5), predicted="B")
    differences = dict(outcome_differences(an_outcome(), other))
    assert differences["weights"] == 0.5
    assert differences["predictions: predicted"] == np.inf
    assert differences["predictions: correct"] == 1.0
    fewer = dataclasses.replace(other, weights=())
    assert dict(outcome_differences(an_outcome(), fewer))["weights"] == np.inf


def test_equal_kinds_are_named_with_what_was_compared():
    check = processor_check("A1", 7, {"Xeon": an_outcome(), "EPYC": an_outcome()}, {})
    assert check.is_same is True
    assert check.sentence == "EPYC, Xeon; seed 7 of A1 gave the same bits on each"


def test_kinds_that_differ_are_named_with_the_largest_difference_of_any_two():
    outcomes = {"A": an_outcome(), "B": an_outcome(loss=0.5), "C": an_outcome(loss=0.375)}
    check = processor_check("A1", 7, outcomes, {})
    assert check.is_same is False and check.differences["loss"] == 0.25
    assert "seed 7 of A1 differs between them: loss by up to 0.25" in check.sentence


def test_what_differs_by_no_number_is_stored_and_read_again():
    outcomes = {"A": an_outcome(loss=-0.0), "B": an_outcome(loss=0.0, predicted="B")}
    check = processor_check("A1", 7, outcomes, {})
    assert check.differences["predictions: predicted"] is None and check.differences["loss"] == 0
    assert "loss in the sign of 0" in check.sentence and "inf" not in check.sentence
    sweep = parse_sweep("s", {"task": "memory", "recipes": {"A1": {}}, "check": "bits"})
    document = sweep_listing(sweep, [], [], 0, None, {}, {}, check=check)
    text = to_json(document).encode()
    assert parse_listing(text)["check"] == check
    unknown = json.loads(text)
    unknown["check"]["unknown"] = 1
    assert parse_listing(json.dumps(unknown).encode())["check"] == check


def test_the_largest_difference_may_be_of_two_that_are_not_the_first():
    outcomes = {"A": an_outcome(loss=0.25), "B": an_outcome(loss=0.5), "C": an_outcome(loss=0.0)}
    assert processor_check("A1", 7, outcomes, {}).differences["loss"] == 0.5


def test_a_kind_that_failed_is_named():
    two = {"A": an_outcome(), "B": an_outcome()}
    check = processor_check("A1", 7, two, {"C": "its workers have left"})
    assert check.is_same is True
    assert check.sentence.endswith("C could not train it (its workers have left)")
    one = processor_check("A1", 7, {"A": an_outcome()}, {"C": "error"})
    assert one.is_same is None and "seed 7 of A1 could not be compared" in one.sentence


@pytest.mark.parametrize("kinds", [(), ("A",)])
def test_without_two_kinds_nothing_is_compared(kinds):
    check = ProcessorCheck("A1", 7, kinds)
    assert check.is_same is None
    assert ("had one kind" in check.sentence) == bool(kinds)
