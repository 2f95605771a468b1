"""What mattered, against functions whose shares of the variance are known in closed form."""

import json
import warnings

import numpy as np
import pytest

from lstm_bench.search._importance import BEST, FEWEST, NONE, importance
from lstm_bench.search._study import SearchStudy
from lstm_bench.seeds import stream
from lstm_bench.sweeps._sweep import Range, Search

PARTS = {
    "learning_rate": Range(float=(0.001, 1.0)),
    "dropout": Range(float=(0.0, 0.9)),
    "stateful": (True, False),
    "framing": ("pairs", "window", "whole"),
    "window": Range(int=(2, 9)),
    "batch_size": (1, 2, 4, 8, "all"),
}


def drawn(count, seed=1):
    """Returns `count` random settings of the whole space, each part uniform."""
    rng = stream(seed, "simulation")
    found = []
    for _ in range(count):
        settings = {
            "task": "memory",
            "learning_rate": rng.uniform(0.001, 1.0),
            "dropout": rng.uniform(0.0, 0.9),
            "stateful": bool(rng.integers(2)),
            "framing": PARTS["framing"][rng.integers(3)],
            "batch_size": PARTS["batch_size"][rng.integers(5)],
        }
        if settings["framing"] == "window":
            settings["window"] = int(rng.integers(2, 10))
        found.append(settings)
    return found


def told(score, count=200, parts=PARTS, seed=1):
    noise = stream(seed, "query").normal(size=count)
    trials = [(each, float(score(each, z))) for each, z in zip(drawn(count), noise, strict=True)]
    found = importance(trials, parts)
    assert found["trials"] == count and "why" not in found
    assert sum(each["ped_anova"] for each in found["settings"]) == pytest.approx(1)
    shares = [each["fanova"] for each in found["settings"]]
    assert shares == sorted(shares, reverse=True)
    return {
        answer: {each["key"]: each[answer] for each in found["settings"]}
        for answer in ("fanova", "ped_anova")
    }


def test_the_shares_of_a_sum_are_those_of_its_variances():
    """3a + b of uniform a and b: variances of 9/12 and 1/12, so shares of 0.9 and 0.1."""
    found = told(lambda each, z: 3 * each["learning_rate"] + each["dropout"] / 0.9 + 0.05 * z)
    assert found["fanova"]["learning_rate"] == pytest.approx(0.9, abs=0.05)
    assert found["fanova"]["dropout"] == pytest.approx(0.1, abs=0.05)
    for key in ("stateful", "framing", "window", "batch_size"):
        assert found["fanova"][key] < 0.01
    assert found["ped_anova"]["learning_rate"] > 0.8


def test_a_switch_counts_for_what_it_changes():
    """s + a with s of 0 and 1 and uniform a: variances of 1/4 and 1/12, so 0.75 and 0.25."""
    found = told(lambda each, z: each["stateful"] + each["learning_rate"] + 0.02 * z)
    assert found["fanova"]["stateful"] == pytest.approx(0.75, abs=0.05)
    assert found["fanova"]["learning_rate"] == pytest.approx(0.25, abs=0.05)


def test_one_choice_of_several_counts_for_its_share():
    """One of five choices gains 1, a switch 1: variances of 4/25 and 1/4, so 0.39 and 0.61."""
    found = told(lambda each, z: (each["batch_size"] == 2) + each["stateful"])
    assert found["fanova"]["batch_size"] == pytest.approx(0.39, abs=0.06)
    assert found["fanova"]["stateful"] == pytest.approx(0.61, abs=0.06)


def test_the_scale_is_the_one_that_was_searched():
    """Half of the logarithms lie below 0.0316, where all but a thirtieth of the range does not."""
    parts = {"learning_rate": Range(float=(0.001, 1.0), log=True), "stateful": (True, False)}
    rng = stream(3, "simulation")
    trials = []
    for _ in range(200):
        rate, state = float(np.exp(rng.uniform(np.log(0.001), 0))), bool(rng.integers(2))
        trials.append(({"task": "memory", "learning_rate": rate, "stateful": state},
                       float(rate < 0.0316) + state))  # fmt: skip
    found = {each["key"]: each["fanova"] for each in importance(trials, parts)["settings"]}
    assert found == {key: pytest.approx(0.5, abs=0.05) for key in parts}


def test_a_joint_effect_is_nobodys_share():
    """The exclusive or of two switches: neither explains anything alone."""
    parts = {key: PARTS[key] for key in ("stateful", "batch_size", "dropout")}
    found = told(lambda each, z: each["stateful"] ^ (each["batch_size"] in (1, 2)), 300, parts)
    assert found["fanova"]["stateful"] < 0.05


def test_a_conditional_setting_has_a_category_for_where_it_does_not_apply():
    found = told(lambda each, z: each.get("window", 0) >= 6)
    assert max(found["fanova"], key=found["fanova"].get) == "window"
    assert max(found["ped_anova"], key=found["ped_anova"].get) == "window"
    assert NONE not in found["fanova"]


def test_the_two_ask_different_questions():
    """A switch takes ten points from half of the poor ones: variance, but no word on the best."""

    def score(each, z):
        good = each["learning_rate"] > 0.75
        return 20 + each["dropout"] if good else -10 * each["stateful"]

    found = told(score, 400)
    assert found["fanova"]["stateful"] > 5 * found["ped_anova"]["stateful"]
    assert found["ped_anova"]["learning_rate"] > 0.8


def test_few_trials_or_equal_scores_give_a_reason():
    trials = [(each, number / 10) for number, each in enumerate(drawn(FEWEST - 1))]
    found = importance(trials, PARTS)
    assert found == {"trials": 7, "settings": [], "why": found["why"]}
    assert "8 different random trials" in found["why"] and "there are 7" in found["why"]
    assert importance([], PARTS)["settings"] == []
    assert "there is 1" in importance([trials[0]] * 20, PARTS)["why"]
    same = importance([(each, 1.0) for each in drawn(20)], PARTS)
    assert "every random trial scores 1" in same["why"]
    assert importance([(each, float("nan")) for each in drawn(20)], PARTS)["trials"] == 0


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.98])
def test_ties_among_scores_are_no_trouble(share):
    count = 50
    flags = np.arange(count) < share * count
    trials = [(each, float(flag)) for each, flag in zip(drawn(count), flags, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = importance(trials, PARTS)
    assert found["best"] == flags.sum()  # at most all but the unsolved ones
    assert len(found["settings"]) == len(PARTS)
    assert BEST == 0.25 and json.loads(json.dumps(found)) == found


def test_the_random_trials_of_a_search_give_the_same_answer_twice():
    space = {"units": {"int": (2, 64), "log": True}, "stateful": (True, False),
             "reset": ("epoch", "never"), "batch_size": (1, 2, 4),
             "optimizer": ("adam", "sgd"), "momentum": {"float": (0.1, 0.9)}}  # fmt: skip
    study = SearchStudy(Search(space=space, trials=88, startup=72), {"task": "memory"})
    trials = []
    for batch in study.batches():
        for trial, proposed in batch:
            score = proposed.units / 64 + 0.5 * (proposed.momentum > 0.5)
            study.tell(trial, score, 1.0)
            if study.random(trial.number):
                trials.append((proposed.settings, score))
    found = importance(trials, study.search.space)
    assert found["trials"] == 72 and found == importance(trials, study.search.space)
    assert {each["key"] for each in found["settings"]} == set(space)
    assert [each["key"] for each in found["settings"][:2]] == ["units", "momentum"]
