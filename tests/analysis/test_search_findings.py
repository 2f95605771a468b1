"""What a search found, on scores made by hand: every number here is worked out on paper."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lstm_bench.analysis._ablation import ablations, effects
from lstm_bench.analysis._finalists import confirmations, front, simplest
from lstm_bench.analysis._history import history, saved
from lstm_bench.analysis._search import search_document
from lstm_bench.analysis._variance import importance, seed_share, split
from lstm_bench.results._outcome import (
    CURVE_COLUMNS,
    PREDICTION_COLUMNS,
    Failed,
    Outcome,
    Row,
    SweepResult,
)
from lstm_bench.seeds import crossed


def an_outcome(accuracy, digest="", seeds=None, cost=1, **settings):
    """Returns an outcome with one accuracy a seed; a seed with 1 has solved it."""
    scores = np.asarray(accuracy, float)
    table = pd.DataFrame(
        {
            "seed": range(len(scores)) if seeds is None else seeds,
            "loss": 0.0,
            "accuracy": scores,
            "sequence_accuracy": scores / 2,
            "solved": scores == 1,
            "solved_epoch": np.nan,
            "seconds": 0.1,
        }
    )
    return Outcome(
        settings={"task": "memory", "units": 20, **settings},
        digest=digest or repr((sorted(settings.items()), cost)),
        name="lstm",
        engine="keras",
        seeds=table,
        curves=pd.DataFrame(columns=list(CURVE_COLUMNS)),
        predictions=pd.DataFrame(columns=list(PREDICTION_COLUMNS)),
        parameters=cost,
        updates=10,
        multiply_adds=1,
        compile_seconds=0.0,
    )


def trial(number, accuracy, **more):
    outcome = an_outcome(accuracy, **{"digest": f"d{number}", **more})
    return Row(f"trial-{number}", outcome, trial=number, role="trial")


def confirmed(number, accuracy, **more):
    outcome = an_outcome(accuracy, **{"digest": f"d{number}", "seeds": fresh(accuracy), **more})
    return Row(f"confirmed-{number}", outcome, role="confirmed", of=f"trial-{number}")


def fresh(accuracy):
    return range(1000, 1000 + len(accuracy))


def solved(k, n):
    return [1.0] * k + [0.5] * (n - k)


def a_result(*rows, seeds=4, objective="accuracy", failed=(), analysis=None, **search):
    search = {"sampler": "tpe", "objective": objective, "startup": 2, **search}
    return SweepResult(
        "s", "", "", rows, search, {}, seeds=seeds, failed=failed, analysis=analysis or {}
    )


def test_history_keeps_the_best_of_the_trials_run_in_full():
    rows = [trial(0, [0.9] * 2), trial(2, [0.4, 0.6, 0.4, 0.6]), trial(1, [0.6] * 4)]
    rows.append(trial(3, [1.0] * 3))
    told = history(a_result(*rows))
    assert [(each.number, each.seeds, each.stopped) for each in told] == [
        (0, 2, True), (1, 4, False), (2, 4, False), (3, 3, True)
    ]  # fmt: skip
    assert [each.score for each in told] == pytest.approx([0.9, 0.6, 0.5, 1.0])
    assert [each.best for each in told[1:]] == [0.6, 0.6, 0.6]
    assert math.isnan(told[0].best)


def test_history_follows_the_objective():
    rows = [trial(0, [1.0, 1.0, 0.5, 0.0])]
    for objective, score in (("accuracy", 0.625), ("sequence_accuracy", 0.3125)):
        assert history(a_result(*rows, objective=objective))[0].score == score
    assert history(a_result(*rows, objective="solve_rate"))[0].score == 0.5


def test_saved_counts_each_recipe_once():
    again = trial(2, [0.5] * 4, digest="d1")
    rows = [trial(0, [0.5]), trial(1, [0.5] * 4), again, trial(3, [0.5] * 2)]
    found = saved(a_result(*rows))
    assert (found.made, found.full, found.recipes, found.stopped) == (7, 12, 3, 2)
    assert found.share == pytest.approx(5 / 12)
    assert saved(a_result()).share == 0.0


def test_optimism_is_search_minus_confirmed_and_the_confirmed_score_ranks():
    rows = [trial(0, [0.9] * 4), trial(1, [0.8] * 4), trial(2, [0.7] * 4)]
    rows += [confirmed(0, [0.5, 0.7]), confirmed(1, [0.75] * 2), confirmed(2, [0.75] * 2, cost=9)]
    found = confirmations(a_result(*rows))
    assert [each.row.id for each in found.finalists] == [
        "confirmed-1",
        "confirmed-2",
        "confirmed-0",
    ]
    assert [each.optimism for each in found.finalists] == pytest.approx([0.05, -0.05, 0.3])
    assert found.optimism == pytest.approx(0.1)
    assert found.winner.row.id == "confirmed-0"
    t = stats.ttest_1samp([0.5, 0.7], 0).confidence_interval(0.95)
    last = found.finalists[-1].fresh
    assert (last.low, last.high, last.n) == (max(t.low, 0), 1.0 if t.high > 1 else t.high, 2)
    assert confirmations(a_result(*rows[:3])).winner is None


def test_a_solve_rate_is_confirmed_with_wilsons_interval():
    rows = [trial(0, solved(4, 4)), confirmed(0, solved(6, 8))]
    found = confirmations(a_result(*rows, objective="solve_rate")).finalists[0]
    wilson = stats.binomtest(6, 8).proportion_ci(method="wilson")
    assert (found.fresh.mean, found.fresh.low, found.fresh.high) == (0.75, wilson.low, wilson.high)
    assert found.optimism == 0.25


def test_the_front_is_cheaper_or_more_often_solved():
    rows = [
        Row("A1", an_outcome(solved(4, 4), "a", cost=50)),
        Row("other", an_outcome(solved(4, 4), "o", cost=1, lag=9)),  # another problem
        trial(0, solved(1, 4), cost=5),
        trial(1, solved(1, 4), cost=7),  # dearer than trial-0 and no better
        trial(2, solved(4, 4), cost=9),
        trial(3, solved(4, 4)[:2], cost=2),  # stopped
        trial(4, solved(4, 4), cost=50, digest="a"),  # the same as A1
        confirmed(2, solved(3, 6), cost=9),
    ]
    points = front(a_result(*rows))
    told = [(each.row.id, each.cost, each.rate.k, each.rate.n, each.best) for each in points]
    assert told == [
        ("trial-0", 50, 1, 4, True),
        ("trial-1", 70, 1, 4, False),
        ("confirmed-2", 90, 3, 6, True),
        ("A1", 500, 4, 4, True),
    ]
    assert front(a_result(rows[0])) == ()


def test_the_simplest_is_the_cheapest_confirmed_one_that_clears_the_bar():
    rows = [trial(k, solved(4, 4), cost=k + 1) for k in range(4)]
    rows += [
        confirmed(1, solved(24, 30), cost=2),
        confirmed(2, solved(30, 30), cost=3),
        confirmed(3, solved(30, 30), cost=4),
        Row("A1", an_outcome(solved(30, 30), "a", cost=3)),
    ]
    found = simplest(a_result(*rows))
    assert (found.point.row.id, found.why, found.fixed) == ("confirmed-2", "", ("A1",))
    assert "confirmed-2 (lstm): solved by 30 of 30 fresh seeds (95 % Wilson" in found.sentence
    assert "[88.6, 100.0] %" in found.sentence
    assert found.sentence.endswith("At no higher cost, A1 clears it too.")
    assert simplest(a_result(*rows), bar=0.6).point.row.id == "confirmed-1"
    assert simplest(a_result(*rows), bar=30 / (30 + 1.959963984540054**2)).point


def test_without_a_simplest_recipe_the_reason_is_told():
    rows = [trial(0, solved(4, 4)), confirmed(0, solved(12, 12))]
    none = simplest(a_result(rows[0])).why
    assert none == "No recipe was run again on fresh seeds, so none can be called the simplest."
    few = simplest(a_result(*rows))
    assert few.point is None
    bound = 12 / (12 + 1.959963984540054**2)
    assert f"even 12 of 12 solved would give a lower bound of {100 * bound:.1f} %" in few.why
    unsure = simplest(a_result(rows[0], confirmed(0, solved(20, 30)))).sentence
    assert "confirmed-0, is solved by 20 of 30" in unsure


def again(row):
    """A finalist once more, on the seeds on which settings are put back."""
    return Row("again", row.outcome, role="ablation", of=row.id)


def put_back(axis, value, accuracy, of="again"):
    outcome = an_outcome(accuracy, f"{axis}{value}", fresh(accuracy))
    return Row(f"back-{axis}", outcome, role="ablation", of=of, axis=axis, value=value)


def test_putting_a_setting_back_is_told_by_paired_differences():
    rows = [
        trial(0, solved(4, 4)),
        confirmed(0, solved(20, 40)),  # on the seeds that chose it: no matter here
        again(confirmed(0, solved(40, 40))),
        put_back("epochs", 250, solved(10, 40)),
        put_back("batch_size", 1, solved(40, 40)),
        put_back("units", 5, solved(40, 40), of="gone"),
    ]
    found = ablations(a_result(*rows))
    assert [each.name for each in found] == ["epochs back to 250", "batch size back to 1"]
    worse, same = found
    assert worse.rate.found.difference == -0.75
    assert worse.rate.found.p == pytest.approx(2 * 0.5**30)
    assert (worse.rate.among, worse.rate.corrected) == (4, pytest.approx(4 * 2 * 0.5**30))
    assert worse.score.found.difference == pytest.approx(-0.375)
    assert (worse.word, same.word) == ("real", "cannot tell yet")
    assert worse.sentence.startswith("epochs back to 250: solved 75 points less often (95 % inter")
    assert worse.sentence.endswith("), real (40 seeds).")
    assert "solved as often" in same.sentence and "the same accuracy, not real" in same.sentence


def test_holm_corrects_over_all_that_is_put_back():
    worse = put_back("epochs", 250, solved(2, 8))
    finalist = confirmed(0, solved(8, 8))
    base = [trial(0, solved(4, 4)), finalist, again(finalist)]
    alone = ablations(a_result(*base, worse))[0].rate
    assert alone.found.p == pytest.approx(2 * 0.5**6)
    assert (alone.corrected, alone.word) == (pytest.approx(0.0625), "cannot tell yet")
    others = [put_back(f"x{k}", k, solved(8, 8)) for k in range(3)]
    among = ablations(a_result(*base, worse, *others))[0].rate
    assert (among.among, among.corrected) == (8, pytest.approx(8 * 2 * 0.5**6))


def context(number, accuracy, **settings):
    """A random trial's recipe once more, on the seeds on which switches are changed."""
    outcome = an_outcome(accuracy, f"d{number}", **settings)
    return Row(f"context-{number}", outcome, role="effect", of=f"trial-{number}")


def switched(number, axis, value, accuracy):
    outcome = an_outcome(accuracy, f"{number}{axis}{value}", **{axis: value})
    id_ = f"context-{number}-{axis}-{value}"
    return Row(id_, outcome, role="effect", of=f"context-{number}", axis=axis, value=value)


def test_a_switch_is_told_as_on_minus_off_whichever_the_context_had():
    rows = [
        trial(0, [0.9] * 4, stateful=False),  # what a race has seen: no matter here
        context(0, [0.5, 0.7, 0.1, 0.1], stateful=False),
        context(1, [0.9] * 4, stateful=True),
        context(2, [0.4] * 4, stateful=True),
        switched(0, "stateful", True, [0.7, 0.9]),  # +0.2 on the two seeds that both have
        switched(1, "stateful", False, [0.5, 0.5]),  # +0.4
        switched(2, "stateful", False, [0.1, 0.1]),  # +0.3
        switched(7, "stateful", False, [0.1, 0.1]),  # its context is not there
    ]
    (found,) = effects(a_result(*rows))
    assert (found.value, found.reference) == (True, False)
    assert found.contexts == ("context-0", "context-1", "context-2")
    assert found.differences == pytest.approx([0.2, 0.4, 0.3])
    assert found.seeds == (2, 2, 2)
    t = stats.ttest_1samp([0.2, 0.4, 0.3], 0)
    interval = t.confidence_interval(0.95)
    assert (found.found.low, found.found.high) == pytest.approx(tuple(interval))
    assert found.found.p == pytest.approx(max(t.pvalue, 2 / 2**3))
    assert found.name == "stateful true against false"


def test_a_switch_of_several_values_is_told_against_the_most_frequent_one():
    rows = [
        context(0, [0.5] * 2, framing="window"),
        context(1, [0.6] * 2, framing="window"),
        context(2, [0.9] * 2, framing="pairs"),
        *(switched(k, "framing", "pairs", [0.1] * 2) for k in (0, 1)),
        *(switched(k, "framing", "whole", [0.7] * 2) for k in (0, 1, 2)),
        switched(2, "framing", "window", [0.8] * 2),
    ]
    space = {"framing": ["whole", "window", "pairs"]}
    whole, pairs = effects(a_result(*rows, space=space))
    assert (whole.value, whole.reference, pairs.value) == ("whole", "window", "pairs")
    assert whole.differences == pytest.approx([0.2, 0.1, -0.1])
    assert pairs.differences == pytest.approx([-0.4, -0.5, 0.1])
    assert max(whole.corrected, pairs.corrected) <= 1
    assert effects(a_result(*rows[:3])) == ()


def test_the_seeds_share_is_that_of_a_one_way_random_effects_model():
    groups = [0.1, 0.3], [0.5, 0.7], [0.6, 0.8]
    rows = [trial(k, group) for k, group in enumerate(groups)]
    rows[1] = trial(1, [*groups[1], 0.9, 0.9])  # more seeds, for what it had scored: left out
    found = seed_share(a_result(*rows, seeds=2, analysis={"random": [0, 1, 2]}))
    within = 0.02  # each pair lies 0.1 to either side of its mean
    between = np.var([0.2, 0.6, 0.7], ddof=1) * 2
    assert found.share == pytest.approx(within / (within + (between - within) / 2))
    assert (found.recipes, found.runs) == (3, 6)
    assert seed_share(a_result(*rows, analysis={"random": [0, 1]})).recipes == 2
    assert seed_share(a_result(*rows, analysis={"random": [0]})) is None
    assert seed_share(a_result(*rows)) is None


def a_split(score):
    keys = [(d, i, o) for d in range(3) for i in range(4) for o in range(2)]
    seeds = [crossed(data=d, init=i, order=o) for d, i, o in keys]
    outcome = an_outcome([score(*key) for key in keys], "s", seeds)
    return Row("split-0", outcome, role="split", of="confirmed-0")


@pytest.mark.parametrize("source", ["data", "init", "order"])
def test_the_variance_of_one_source_is_all_its_own(source):
    place = ("data", "init", "order").index(source)
    found = split(a_result(a_split(lambda *key: key[place] / 10)))
    assert found.draws == (3, 4, 2)
    assert found.shares[source] == pytest.approx(1)
    assert sum(found.shares.values()) == pytest.approx(1)


def test_two_sources_share_the_variance_and_what_is_left_is_of_all_together():
    found = split(a_result(a_split(lambda d, i, o: (d + i) / 10)))
    data, init = 1.0, 5 / 3  # variances of 0, 1, 2 and of 0, 1, 2, 3
    assert found.shares["data"] == pytest.approx(data / (data + init))
    assert found.shares["init"] == pytest.approx(init / (data + init))
    only = split(a_result(a_split(lambda d, i, o: ((d + i + o) % 2) / 10)))
    assert max(only.shares, key=only.shares.get) == "together"
    assert split(a_result(a_split(lambda *_: 0.5))) is None
    assert split(a_result()) is None


def test_importances_leave_the_seeds_their_share():
    told = {
        "trials": 3,
        "settings": [
            {"key": "units", "fanova": 0.25, "ped_anova": 0.9},
            {"key": "epochs", "fanova": 0.75, "ped_anova": None},
        ],
    }
    rows = [trial(0, [0.1, 0.3]), trial(1, [0.5, 0.7])]
    found = importance(a_result(*rows, analysis={"importance": told, "random": [0, 1]}))
    assert [each.key for each in found.weights] == ["epochs", "units"]
    total = sum(each.scaled for each in found.weights) + found.seeds.share
    assert total == pytest.approx(1)
    assert math.isnan(found.weights[0].ped_anova)
    assert importance(a_result(*rows)) is None


def test_the_document_is_plain_json_under_the_keys_that_there_are():
    rows = [
        trial(0, solved(2, 4), stateful=True),
        trial(1, solved(1, 4), stateful=False),
        confirmed(0, solved(30, 30)),
        again(confirmed(0, solved(30, 30))),
        put_back("epochs", np.int64(250), solved(3, 30)),
        context(0, [0.2], stateful=True),
        switched(0, "stateful", False, [0.1]),
        a_split(lambda *key: key[0] / 10),
    ]
    failed = (Failed("trial-9", "lstm", "out of memory"),)
    told = {"importance": {"trials": 2, "settings": [], "why": "too few"}}
    said = search_document(a_result(*rows, failed=failed, analysis=told))
    json.dumps(said, allow_nan=False)
    assert list(said) == [
        "confirmation", "front", "simplest", "ablation", "importance", "effects", "variance",
        "saved",
    ]  # fmt: skip
    assert said["confirmation"]["finalists"][0]["confirmed"]["n"] == 30
    assert said["simplest"]["point"]["id"] == "confirmed-0"
    assert said["ablation"]["back-epochs"]["value"] == 250
    assert said["variance"]["split"]["draws"] == [3, 4, 2]
    assert search_document(a_result()) == {}
