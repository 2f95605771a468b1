"""Findings of a search, on scores made by hand: every expected number is worked out on paper."""

import json
import math

import numpy as np
import pytest
from outcome_builder import build_outcome
from scipy import stats

from lstm_bench.analysis import Effect, confirmations, simplest_recipe, sweep_findings
from lstm_bench.recipes._registry import BUILT_IN_TASKS, SearchedTask
from lstm_bench.results import Failed, Row, SweepData
from lstm_bench.seeds import crossed_seed
from lstm_bench.statistics import paired_mean_difference


def an_outcome(accuracy, digest="", seeds=None, cost=1, **settings):
    """Returns an outcome with one accuracy per seed; a seed with 1 has solved the task."""
    scores = np.asarray(accuracy, float)
    return build_outcome(
        scores,
        seeds,
        {"loss": 0.0, "sequence_accuracy": scores / 2, "solved_epoch": np.nan},
        settings={"task": "memory", "units": 20, **settings},
        name="lstm",
        digest=digest or repr((sorted(settings.items()), cost)),
        parameters=cost,
        updates=10,
    )


def findings_of(*rows, **options):
    return sweep_findings(a_result(*rows, **options))


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
    facts = {"seeds": seeds, "failed": failed, "analysis": analysis or {}}
    searched = SearchedTask.of(BUILT_IN_TASKS["memory"])
    return SweepData("s", "", "", rows, search, {}, **facts, searched_task=searched)


def test_history_has_the_best_of_the_trials_run_in_full():
    rows = [trial(0, [0.9] * 2), trial(2, [0.4, 0.6, 0.4, 0.6]), trial(1, [0.6] * 4)]
    rows.append(trial(3, [1.0] * 3))
    history = findings_of(*rows).history
    assert [(score.number, score.seeds, score.stopped) for score in history] == [
        (0, 2, True), (1, 4, False), (2, 4, False), (3, 3, True)
    ]  # fmt: skip
    assert [score.score for score in history] == pytest.approx([0.9, 0.6, 0.5, 1.0])
    assert [score.best for score in history[1:]] == [0.6, 0.6, 0.6]
    assert math.isnan(history[0].best)


def test_history_follows_the_objective():
    rows = [trial(0, [1.0, 1.0, 0.5, 0.0])]
    for objective, score in (("accuracy", 0.625), ("sequence_accuracy", 0.3125)):
        assert findings_of(*rows, objective=objective).history[0].score == score
    assert findings_of(*rows, objective="solve_rate").history[0].score == 0.5


def test_savings_count_each_recipe_once():
    repeated = trial(2, [0.5] * 4, digest="d1")
    rows = [trial(0, [0.5]), trial(1, [0.5] * 4), repeated, trial(3, [0.5] * 2)]
    savings = findings_of(*rows).savings
    assert (savings.runs, savings.full_runs, savings.recipes, savings.stopped) == (7, 12, 3, 2)
    assert savings.share == pytest.approx(5 / 12)
    assert savings.document() == {
        "made": 7, "full": 12, "recipes": 3, "stopped": 2, "share": savings.share,
    }  # fmt: skip
    assert findings_of().savings.share == 0.0


def test_optimism_is_search_minus_confirmed_and_the_confirmed_score_ranks():
    rows = [trial(0, [0.9] * 4), trial(1, [0.8] * 4), trial(2, [0.7] * 4)]
    rows += [confirmed(0, [0.5, 0.7]), confirmed(1, [0.75] * 2), confirmed(2, [0.75] * 2, cost=9)]
    confirmed_ones = confirmations(a_result(*rows))
    finalists = confirmed_ones.finalists
    ids = [finalist.row.id for finalist in finalists]
    assert ids == ["confirmed-1", "confirmed-2", "confirmed-0"]
    assert [row.optimism for row in finalists] == pytest.approx([0.05, -0.05, 0.3])
    assert confirmed_ones.optimism == pytest.approx(0.1)
    assert confirmed_ones.winner.row.id == "confirmed-0"
    t = stats.ttest_1samp([0.5, 0.7], 0).confidence_interval(0.95)
    last = finalists[-1].fresh
    assert (last.low, last.high, last.n) == (max(t.low, 0), 1.0 if t.high > 1 else t.high, 2)
    assert confirmations(a_result(*rows[:3])).winner is None


def test_a_solve_rate_is_confirmed_with_wilsons_interval():
    rows = [trial(0, solved(4, 4)), confirmed(0, solved(6, 8))]
    finalist = confirmations(a_result(*rows, objective="solve_rate")).finalists[0]
    wilson, fresh = stats.binomtest(6, 8).proportion_ci(method="wilson"), finalist.fresh
    assert (fresh.mean, fresh.low, fresh.high) == (0.75, wilson.low, wilson.high)
    assert finalist.optimism == 0.25


def test_the_front_is_cheaper_or_more_often_solved():
    rows = [
        Row("A1", an_outcome(solved(4, 4), "a", cost=50)),
        Row("other", an_outcome(solved(4, 4), "o", cost=1, lag=9)),  # another problem
        trial(0, solved(1, 4), cost=5),
        trial(1, solved(1, 4), cost=7),  # more expensive than trial-0 and no better
        trial(2, solved(4, 4), cost=9),
        trial(3, solved(4, 4)[:2], cost=2),  # stopped
        trial(4, solved(4, 4), cost=50, digest="a"),  # the same as A1
        confirmed(2, solved(3, 6), cost=9),
    ]
    points = findings_of(*rows).front
    assert [(p.row.id, p.cost, p.rate.k, p.rate.n, p.on_front) for p in points] == [
        ("trial-0", 50, 1, 4, True),
        ("trial-1", 70, 1, 4, False),
        ("confirmed-2", 90, 3, 6, True),
        ("A1", 500, 4, 4, True),
    ]
    assert findings_of(rows[0]).front == ()


def test_the_simplest_is_the_cheapest_confirmed_recipe_that_reaches_the_bar():
    rows = [trial(k, solved(4, 4), cost=k + 1) for k in range(4)]
    rows += [
        confirmed(1, solved(24, 30), cost=2),
        confirmed(2, solved(30, 30), cost=3),
        confirmed(3, solved(30, 30), cost=4),
        Row("A1", an_outcome(solved(30, 30), "a", cost=3)),
    ]
    simplest = simplest_recipe(a_result(*rows))
    assert (simplest.point.row.id, simplest.why, simplest.fixed) == ("confirmed-2", "", ("A1",))
    assert "confirmed-2 (lstm): solved by 30 of 30 fresh seeds (95 % Wilson" in simplest.sentence
    assert "[88.6, 100.0] %" in simplest.sentence
    assert simplest.sentence.endswith("At no higher cost, A1 clears it too.")
    assert simplest_recipe(a_result(*rows), bar=0.6).point.row.id == "confirmed-1"
    alone = a_result(*rows[:4], rows[5])  # as one of three it would take more seeds
    assert simplest_recipe(alone, bar=30 / (30 + 1.959963984540054**2)).point


def test_without_a_simplest_recipe_there_is_a_reason():
    rows = [trial(0, solved(4, 4)), confirmed(0, solved(12, 12))]
    none = simplest_recipe(a_result(rows[0])).why
    assert none == "No recipe was run again on fresh seeds, so none can be called the simplest."
    few = simplest_recipe(a_result(*rows))
    assert few.point is None
    bound = 12 / (12 + 1.959963984540054**2)
    assert f"even 12 of 12 solved would give a lower bound of {100 * bound:.1f} %" in few.why
    unsure = simplest_recipe(a_result(rows[0], confirmed(0, solved(20, 30)))).sentence
    assert "confirmed-0, is solved by 20 of 30" in unsure


def ablation_base(row):
    """Returns a finalist on the seeds of the ablation."""
    return Row("base", row.outcome, role="ablation", of=row.id)


def ablated(axis, value, accuracy, of="base"):
    outcome = an_outcome(accuracy, f"{axis}{value}", fresh(accuracy))
    return Row(f"back-{axis}", outcome, role="ablation", of=of, axis=axis, value=value)


def test_an_ablation_is_a_paired_difference():
    rows = [
        trial(0, solved(4, 4)),
        confirmed(0, solved(20, 40)),  # on the seeds that chose it, which are not used here
        ablation_base(confirmed(0, solved(40, 40))),
        ablated("epochs", 250, solved(10, 40)),
        ablated("batch_size", 1, solved(40, 40)),
        ablated("units", 5, solved(40, 40), of="missing"),
    ]
    ablations = findings_of(*rows).ablations
    assert [one.name for one in ablations] == ["epochs back to 250", "batch size back to 1"]
    worse, same = ablations
    assert worse.rate.difference == -0.75
    assert worse.rate.p < 2 * 0.5**30 * 1.01 and worse.score.p < 0.001
    # Two ablations are two questions, of which the score is answered first.
    assert (worse.rate.corrected_for, worse.score.p_holm) == (2, pytest.approx(2 * worse.score.p))
    assert worse.rate.p_holm == worse.score.p_holm
    assert worse.score.difference == pytest.approx(-0.375)
    assert (worse.verdict, same.verdict) == ("real", "not real")
    assert worse.sentence.startswith("epochs back to 250: solved 75 points less often (95 % inter")
    assert ", real" in worse.sentence and worse.sentence.endswith(" (40 seeds).")
    assert "solved as often" in same.sentence and "the same accuracy, not real" in same.sentence


def test_holm_corrects_over_all_ablations_and_not_over_both_measures():
    worse = ablated("epochs", 250, solved(2, 8))
    finalist = confirmed(0, solved(8, 8))
    base = [trial(0, solved(4, 4)), finalist, ablation_base(finalist)]
    alone = findings_of(*base, worse).ablations[0]
    assert alone.score.p == pytest.approx(2 * 0.5**6)  # six of six seeds: a sign-flip test
    assert (alone.score.p_holm, alone.verdict) == (pytest.approx(2 * 0.5**6), "real")
    others = [ablated(f"x{k}", k, solved(8, 8)) for k in range(3)]
    of_four = findings_of(*base, worse, *others).ablations[0]
    assert (of_four.score.corrected_for, of_four.verdict) == (4, "cannot tell yet")
    assert of_four.score.p_holm == pytest.approx(4 * 2 * 0.5**6)
    assert of_four.rate.p_holm >= of_four.score.p_holm  # the rate is judged after the score


def context(number, accuracy, **settings):
    """Returns the recipe of a random trial on the seeds on which switches are changed."""
    outcome = an_outcome(accuracy, f"d{number}", **settings)
    return Row(f"context-{number}", outcome, role="effect", of=f"trial-{number}")


def switched(number, axis, value, accuracy):
    outcome = an_outcome(accuracy, f"{number}{axis}{value}", **{axis: value})
    id_ = f"context-{number}-{axis}-{value}"
    return Row(id_, outcome, role="effect", of=f"context-{number}", axis=axis, value=value)


def test_the_effect_of_a_switch_is_on_minus_off_whichever_the_context_has():
    rows = [
        trial(0, [0.9] * 4, stateful=False),  # on the seeds of the race, which are not used here
        context(0, [0.5, 0.7, 0.1, 0.1], stateful=False),
        context(1, [0.9] * 4, stateful=True),
        context(2, [0.4] * 4, stateful=True),
        switched(0, "stateful", True, [0.7, 0.9]),  # +0.2 on the two seeds that both have
        switched(1, "stateful", False, [0.5, 0.5]),  # +0.4
        switched(2, "stateful", False, [0.1, 0.1]),  # +0.3
        switched(7, "stateful", False, [0.1, 0.1]),  # its context is missing
    ]
    (effect,) = findings_of(*rows).effects
    assert (effect.value, effect.reference) == (True, False)
    assert effect.contexts == ("context-0", "context-1", "context-2")
    assert effect.differences == pytest.approx([0.2, 0.4, 0.3])
    assert effect.seeds == (2, 2, 2)
    t = stats.ttest_1samp([0.2, 0.4, 0.3], 0)
    interval = t.confidence_interval(0.95)
    assert (effect.estimate.low, effect.estimate.high) == pytest.approx(tuple(interval))
    assert effect.estimate.p == pytest.approx(max(t.pvalue, 2 / 2**3))
    assert effect.p_holm == effect.estimate.p  # nothing else is compared
    assert effect.name == "stateful true against false"


def test_a_switch_of_several_values_is_compared_with_the_most_frequent_one():
    rows = [
        context(0, [0.5] * 2, framing="window"),
        context(1, [0.6] * 2, framing="window"),
        context(2, [0.9] * 2, framing="pairs"),
        *(switched(k, "framing", "pairs", [0.1] * 2) for k in (0, 1)),
        *(switched(k, "framing", "whole", [0.7] * 2) for k in (0, 1, 2)),
        switched(2, "framing", "window", [0.8] * 2),
    ]
    space = {"framing": ["whole", "window", "pairs"]}
    whole, pairs = findings_of(*rows, space=space).effects
    assert (whole.value, whole.reference, pairs.value) == ("whole", "window", "pairs")
    assert whole.differences == pytest.approx([0.2, 0.1, -0.1])
    assert pairs.differences == pytest.approx([-0.4, -0.5, 0.1])
    assert max(whole.p_holm, pairs.p_holm) <= 1
    assert findings_of(*rows[:3]).effects == ()


def test_the_variance_of_seeds_is_that_of_a_one_way_random_effects_model():
    groups = [0.1, 0.3], [0.5, 0.7], [0.6, 0.8]
    rows = [trial(k, group) for k, group in enumerate(groups)]
    rows[1] = trial(1, [*groups[1], 0.9, 0.9])  # more seeds because of its scores: left out
    variance = findings_of(*rows, seeds=2, analysis={"random": [0, 1, 2]}).seed_variance
    within = 0.02  # each pair lies 0.1 to either side of its mean
    between = np.var([0.2, 0.6, 0.7], ddof=1) * 2
    assert variance.fraction == pytest.approx(within / (within + (between - within) / 2))
    assert (variance.recipes, variance.runs) == (3, 6)
    assert findings_of(*rows, analysis={"random": [0, 1]}).seed_variance.recipes == 2
    assert findings_of(*rows, analysis={"random": [0]}).seed_variance is None
    assert findings_of(*rows).seed_variance is None


def a_split(score):
    keys = [(d, i, o) for d in range(3) for i in range(4) for o in range(2)]
    seeds = [crossed_seed(data=d, init=i, order=o) for d, i, o in keys]
    outcome = an_outcome([score(*key) for key in keys], "s", seeds)
    return Row("split-0", outcome, role="split", of="confirmed-0")


@pytest.mark.parametrize("source", ["data", "init", "order"])
def test_a_single_source_of_variance_has_all_of_it(source):
    place = ("data", "init", "order").index(source)
    variance = findings_of(a_split(lambda *key: key[place] / 10)).winner_variance
    assert variance.draws == (3, 4, 2)
    assert variance.fractions[source] == pytest.approx(1)
    assert sum(variance.fractions.values()) == pytest.approx(1)


def test_two_sources_share_the_variance_and_interactions_have_the_rest():
    fractions = findings_of(a_split(lambda d, i, o: (d + i) / 10)).winner_variance.fractions
    data, init = 1.0, 5 / 3  # variances of 0, 1, 2 and of 0, 1, 2, 3
    assert fractions["data"] == pytest.approx(data / (data + init))
    assert fractions["init"] == pytest.approx(init / (data + init))
    parity = findings_of(a_split(lambda d, i, o: ((d + i + o) % 2) / 10)).winner_variance.fractions
    assert max(parity, key=parity.get) == "together"
    assert findings_of(a_split(lambda *_: 0.5)).winner_variance is None
    assert findings_of().winner_variance is None


def test_importances_and_the_fraction_of_seeds_add_up_to_one():
    computed = {
        "trials": 3,
        "settings": [
            {"key": "units", "fanova": 0.25, "ped_anova": 0.9},
            {"key": "epochs", "fanova": 0.75, "ped_anova": None},
        ],
    }
    rows = [trial(0, [0.1, 0.3]), trial(1, [0.5, 0.7])]
    analysis = {"importance": computed, "random": [0, 1]}
    importance = findings_of(*rows, analysis=analysis).importance
    assert [setting.key for setting in importance.settings] == ["epochs", "units"]
    total = sum(setting.scaled for setting in importance.settings) + importance.seeds.fraction
    assert total == pytest.approx(1)
    assert math.isnan(importance.settings[0].ped_anova)
    assert findings_of(*rows).importance is None


def test_the_document_of_a_search_is_plain_json_without_empty_parts():
    rows = [
        trial(0, solved(2, 4), stateful=True),
        trial(1, solved(1, 4), stateful=False),
        confirmed(0, solved(30, 30)),
        ablation_base(confirmed(0, solved(30, 30))),
        ablated("epochs", np.int64(250), solved(3, 30)),
        context(0, [0.2], stateful=True),
        switched(0, "stateful", False, [0.1]),
        a_split(lambda *key: key[0] / 10),
    ]
    failed = (Failed("trial-9", "lstm", "out of memory"),)
    analysis = {"importance": {"trials": 2, "settings": [], "why": "too few"}}
    document = findings_of(*rows, failed=failed, analysis=analysis).document()
    json.dumps(document, allow_nan=False)
    always = ["sweep", "overrides", "recipes", "search", "unfinished", "failed"]
    assert list(document) == [
        *always, "confirmation", "front", "simplest", "ablation", "importance", "effects",
        "variance", "saved",
    ]  # fmt: skip
    assert [trial["trial"] for trial in document["search"]["results"]] == [0, 1]
    assert document["search"]["best"] == "confirmed-0"
    assert document["failed"] == [{"id": "trial-9", "name": "lstm", "reason": "out of memory"}]
    assert document["confirmation"]["finalists"][0]["confirmed"]["n"] == 30
    assert document["simplest"]["point"]["id"] == "confirmed-0"
    assert document["ablation"]["back-epochs"]["value"] == 250
    assert document["variance"]["split"]["draws"] == [3, 4, 2]
    assert list(findings_of().document()) == always


def test_an_effect_over_too_few_recipes_says_how_many_its_verdict_takes():
    differences = [0.6, 0.65, 0.7, 0.62, 0.66, 0.7, 0.6, 0.61, 0.69, 0.7]
    estimate = paired_mean_difference(differences, [0.0] * 10)
    effect = Effect("units", 1, 0, (), (), (), estimate)
    few = effect.with_verdict(26 * estimate.p, 26)  # 26 * 2 / 2^10 > 0.048
    assert few.verdict == "cannot tell yet"
    assert few.conclusion == (
        "cannot tell yet: as one of 26 verdicts it takes 11 recipes, and there are 10"
    )
    assert effect.with_verdict(24 * estimate.p, 24).verdict == "real"
