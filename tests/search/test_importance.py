"""Importances, against functions whose fractions of variance are known in closed form."""

import json
import warnings

import numpy as np
import pytest

from lstm_bench.search._importance import BEST_FRACTION, MIN_TRIALS, NOT_APPLICABLE, importance
from lstm_bench.search._study import SearchStudy
from lstm_bench.seeds import stream
from lstm_bench.sweeps._search import Range, Search

PARTS = {
    "learning_rate": Range(float=(0.001, 1.0)),
    "dropout": Range(float=(0.0, 0.9)),
    "stateful": (True, False),
    "framing": ("pairs", "window", "whole"),
    "window": Range(int=(2, 9)),
    "batch_size": (1, 2, 4, 8, "all"),
}


def random_settings(count, seed=1):
    """Returns `count` random settings of the whole space, every part uniform."""
    rng = stream(seed, "simulation")
    drawn = []
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
        drawn.append(settings)
    return drawn


def importances(score, count=200, parts=PARTS, seed=1):
    """Returns both importances by key; `score` is a function of the settings and of noise."""
    noise = stream(seed, "query").normal(size=count)
    drawn = zip(random_settings(count), noise, strict=True)
    result = importance([(settings, float(score(settings, z))) for settings, z in drawn], parts)
    assert result["trials"] == count and "why" not in result
    assert sum(row["ped_anova"] for row in result["settings"]) == pytest.approx(1)
    fractions = [row["fanova"] for row in result["settings"]]
    assert fractions == sorted(fractions, reverse=True)
    return {
        measure: {row["key"]: row[measure] for row in result["settings"]}
        for measure in ("fanova", "ped_anova")
    }


@pytest.mark.long
def test_the_importances_of_a_sum_are_the_fractions_of_its_variance():
    """3a + b of uniform a and b: variances of 9/12 and 1/12, so fractions of 0.9 and 0.1."""
    result = importances(lambda s, z: 3 * s["learning_rate"] + s["dropout"] / 0.9 + 0.05 * z)
    assert result["fanova"]["learning_rate"] == pytest.approx(0.9, abs=0.05)
    assert result["fanova"]["dropout"] == pytest.approx(0.1, abs=0.05)
    for key in ("stateful", "framing", "window", "batch_size"):
        assert result["fanova"][key] < 0.01
    assert result["ped_anova"]["learning_rate"] > 0.8


@pytest.mark.long
def test_a_switch_has_the_variance_that_it_causes():
    """s + a with s of 0 and 1 and uniform a: variances of 1/4 and 1/12, so 0.75 and 0.25."""
    result = importances(lambda s, z: s["stateful"] + s["learning_rate"] + 0.02 * z)
    assert result["fanova"]["stateful"] == pytest.approx(0.75, abs=0.05)
    assert result["fanova"]["learning_rate"] == pytest.approx(0.25, abs=0.05)


def test_one_of_several_choices_has_the_variance_that_it_causes():
    """One of five choices gains 1, a switch 1: variances of 4/25 and 1/4, so 0.39 and 0.61."""
    result = importances(lambda s, z: (s["batch_size"] == 2) + s["stateful"])
    assert result["fanova"]["batch_size"] == pytest.approx(0.39, abs=0.06)
    assert result["fanova"]["stateful"] == pytest.approx(0.61, abs=0.06)


def test_the_scale_is_the_one_that_was_searched():
    """Half of a log-uniform range lies below 0.0316, but only a thirtieth of a uniform one."""
    parts = {"learning_rate": Range(float=(0.001, 1.0), log=True), "stateful": (True, False)}
    rng = stream(3, "simulation")
    trials = []
    for _ in range(200):
        rate, state = float(np.exp(rng.uniform(np.log(0.001), 0))), bool(rng.integers(2))
        trials.append(({"task": "memory", "learning_rate": rate, "stateful": state},
                       float(rate < 0.0316) + state))  # fmt: skip
    result = {row["key"]: row["fanova"] for row in importance(trials, parts)["settings"]}
    assert result == {key: pytest.approx(0.5, abs=0.05) for key in parts}


def test_a_joint_effect_is_no_importance_of_a_single_setting():
    """The exclusive or of two switches: neither explains anything alone."""
    parts = {key: PARTS[key] for key in ("stateful", "batch_size", "dropout")}
    result = importances(lambda s, z: s["stateful"] ^ (s["batch_size"] in (1, 2)), 300, parts)
    assert result["fanova"]["stateful"] < 0.05


def test_a_conditional_setting_has_a_category_for_where_it_does_not_apply():
    result = importances(lambda s, z: s.get("window", 0) >= 6)
    assert max(result["fanova"], key=result["fanova"].get) == "window"
    assert max(result["ped_anova"], key=result["ped_anova"].get) == "window"
    assert NOT_APPLICABLE not in result["fanova"]


def test_the_two_importances_answer_different_questions():
    """A switch takes ten points from half of the poor trials: variance, but not among the best."""

    def score(settings, z):
        good = settings["learning_rate"] > 0.75
        return 20 + settings["dropout"] if good else -10 * settings["stateful"]

    result = importances(score, 400)
    assert result["fanova"]["stateful"] > 5 * result["ped_anova"]["stateful"]
    assert result["ped_anova"]["learning_rate"] > 0.8


def test_few_trials_or_equal_scores_give_a_reason():
    drawn = enumerate(random_settings(MIN_TRIALS - 1))
    trials = [(settings, number / 10) for number, settings in drawn]
    result = importance(trials, PARTS)
    assert result == {"trials": 7, "settings": [], "why": result["why"]}
    assert "8 different random trials" in result["why"] and "there are 7" in result["why"]
    assert importance([], PARTS)["settings"] == []
    assert "there is 1" in importance([trials[0]] * 20, PARTS)["why"]
    same = importance([(settings, 1.0) for settings in random_settings(20)], PARTS)
    assert "Every random trial scores 1" in same["why"]
    failed = [(settings, float("nan")) for settings in random_settings(20)]
    assert importance(failed, PARTS)["trials"] == 0


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.98])
def test_ties_among_scores_are_handled(share):
    count = 50
    flags = np.arange(count) < share * count
    drawn = zip(random_settings(count), flags, strict=True)
    trials = [(settings, float(flag)) for settings, flag in drawn]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = importance(trials, PARTS)
    assert result["best"] == flags.sum()  # the solved ones, which are never all
    assert len(result["settings"]) == len(PARTS)
    assert BEST_FRACTION == 0.25 and json.loads(json.dumps(result)) == result


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
            if study.is_random(trial.number):
                trials.append((proposed.settings, score))
    result = importance(trials, study.search.space)
    assert result["trials"] == 72 and result == importance(trials, study.search.space)
    assert {row["key"] for row in result["settings"]} == set(space)
    assert [row["key"] for row in result["settings"][:2]] == ["units", "momentum"]
