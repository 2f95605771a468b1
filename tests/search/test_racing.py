"""Races: simulated searches with known truths, exact enumeration, and requests and results."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from lstm_bench.search._racing import (
    STOPPING_E_VALUE,
    RacedRecipe,
    RaceResult,
    e_value,
    race,
    rungs,
    should_stop,
)

RECIPES, BATCH = 40, 8
SCORES = st.lists(st.floats(0, 1).map(lambda value: round(value, 3)), min_size=1, max_size=8)


# Landscapes: (generator, number of seeds) -> true means (recipes,), scores (recipes, seeds).


def normal(rng, means, n, std=0.04, shared=0.0):
    noise = rng.normal(0, std, (RECIPES, n)) + shared * rng.normal(size=n)
    return means, np.clip(means[:, None] + noise, 0, 1)


def solved(rng, rates, n, unsolved=0.0):
    scores = np.where(rng.random((RECIPES, n)) < rates[:, None], 1.0, unsolved)
    return rates, scores


def smooth(rng, n):
    return normal(rng, rng.uniform(0.4, 0.95, RECIPES), n)


def bimodal(rng, n):
    return solved(rng, rng.uniform(0, 1, RECIPES), n)


def mostly_unsolved(rng, n):
    """The memory problem: an unsolved seed has 87.5 % right, and most recipes solve no seed."""
    rates = np.where(rng.random(RECIPES) < 0.6, 0, rng.uniform(0, 1, RECIPES))
    return solved(rng, rates, n, 0.875)


def sometimes(rng, n):
    rates = rng.permutation(np.append(rng.uniform(0, 0.55, RECIPES - 1), 0.6))
    return solved(rng, rates, n, 0.5)


def correlated(rng, n):
    return normal(rng, rng.uniform(0.4, 0.9, RECIPES), n, 0.03, shared=0.08)


def unequal(rng, n):
    """The best recipe solves a seed or not, and the scores of its rivals never vary."""
    means = rng.uniform(0.4, 0.79, RECIPES)
    scores = np.repeat(means[:, None], n, axis=1)
    best = rng.integers(RECIPES)
    means[best] = 0.8
    scores[best] = np.where(rng.random(n) < 0.6, 1.0, 0.5)
    return means, scores


def near_ties(rng, n):
    means = np.append(0.9 - rng.uniform(0, 0.004, 8), rng.uniform(0.3, 0.8, RECIPES - 8))
    return normal(rng, rng.permutation(means), n)


def near_rates(rng, n):
    rates = np.append(0.7 - rng.uniform(0, 0.05, 8), rng.uniform(0, 0.5, RECIPES - 8))
    return solved(rng, rng.permutation(rates), n)


def equal_smooth(rng, n):
    return normal(rng, np.full(RECIPES, 0.8), n)


def equal_rates(rng, n):
    return solved(rng, np.full(RECIPES, 0.5), n)


# The fraction of seed runs that must be saved with 24 seeds.
LANDSCAPES = {
    smooth: 0.6,
    bimodal: 0.4,
    mostly_unsolved: 0.5,
    sometimes: 0.15,  # 24 seeds distinguish rates of 0.3 and 0.6 in three cases of four
    correlated: 0.5,
    unequal: 0.4,
    near_ties: 0.6,
    near_rates: 0.25,
    equal_smooth: 0.0,
    equal_rates: 0.0,
}


def run_race(racing, scores):
    """Returns the result of a race and all its requests, answered from the rows of `scores`."""
    requests = []
    try:
        request = next(racing)
        while True:
            requests.append(request)
            rows = {number: scores[number] for number in request}
            request = racing.send(
                {n: None if row is None else row[: request[n]] for n, row in rows.items()}
            )
    except StopIteration as end:
        return end.value, requests


def search(scores):
    """Returns which recipes a search stopped, and how many seeds it ran."""
    pool, stopped, runs = (), set(), 0
    for first in range(0, RECIPES, BATCH):
        part = scores[first : first + BATCH]
        result, requests = run_race(race(BATCH, scores.shape[1], pool), part)
        reached = {number: seeds for request in requests for number, seeds in request.items()}
        pool, runs = result.rivals, runs + sum(reached.values())
        stopped |= {first + number for number in result.stopped}
    return stopped, runs


def measured(landscape, n, searches):
    """Returns how often the best recipe is lost, and the fractions of runs saved and stopped."""
    lost, saved, stopped_fraction = 0, 0.0, 0.0
    for number in range(searches):
        means, scores = landscape(np.random.default_rng(number), n)
        stopped, runs = search(scores)
        lost += int(np.argmax(means)) in stopped
        saved += 1 - runs / scores.size
        stopped_fraction += len(stopped) / RECIPES
    return lost, saved / searches, stopped_fraction / searches


@pytest.mark.long
@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda landscape: landscape.__name__)
def test_the_best_recipe_is_seldom_lost_and_seeds_are_saved(landscape):
    lost, saved, _ = measured(landscape, 24, 50)
    assert stats.binom.sf(lost - 1, 50, 0.05) > 0.01  # no more than 5 %, within chance
    assert saved >= LANDSCAPES[landscape]


def test_equal_recipes_are_mostly_not_stopped():
    assert measured(equal_smooth, 24, 20)[2] < 0.01
    assert measured(equal_rates, 24, 20)[2] < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("n", [12, 24, 30])
@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda landscape: landscape.__name__)
def test_the_best_recipe_is_seldom_lost_in_many_searches(landscape, n):
    lost, saved, stopped = measured(landscape, n, 600)
    rates = f"{lost / 600:.1%} lost, {saved:.0%} saved, {stopped:.0%} stopped"
    print(f"{landscape.__name__}, {n} seeds: {rates}")
    assert stats.binom.sf(lost - 1, 600, 0.05) > 0.01


def binary(k, n):
    return np.arange(n) < k


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.8, 0.97])
@pytest.mark.parametrize(("n", "most"), [(3, 12), (6, 12), (12, 12), (6, 24)])
def test_the_e_value_of_equal_rates_is_at_most_one_on_average(rate, n, most):
    # Exactly, over all outcomes: the expectation under the null hypothesis.
    expected = sum(
        stats.binom.pmf(k, n, rate) * stats.binom.pmf(j, most, rate)
        * e_value(binary(k, n), binary(j, most), floor=0)
        for k, j in itertools.product(range(n + 1), range(most + 1))
    )  # fmt: skip
    assert expected <= 1


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_an_equal_recipe_is_seldom_stopped_over_all_rungs(rate):
    # Exactly, over all paths of a candidate at 3, 6 and 12 seeds, against 12 seeds of the best.
    stops = np.zeros(13)
    for j in range(13):
        running = np.zeros(13)
        running[0] = 1.0  # probability of k solved seeds so far, and of not being stopped
        seen = 0
        for n in (3, 6, 12):
            steps = stats.binom.pmf(range(13), n - seen, rate)
            running, seen = np.convolve(running, steps)[:13], n
            stopped = [k <= n and should_stop(binary(k, n), binary(j, 12)) for k in range(13)]
            stops[j] += running[stopped].sum()
            running[stopped] = 0
    chance = float(stops @ stats.binom.pmf(range(13), 12, rate))
    assert chance <= 0.05 < 1 / STOPPING_E_VALUE


def mean_capital(losses, wins, odds):
    """Returns the mean capital over stakes from Beta(1/2, 1/2), with bets at `odds` to one."""

    def capital(angle):
        stake = math.sin(angle) ** 2
        return (1 + stake * odds) ** wins * (1 - stake) ** losses

    return integrate.quad(capital, 0, math.pi / 2)[0] * 2 / math.pi


@pytest.mark.parametrize(("k", "n", "j", "most"), [(0, 3, 24, 24), (2, 6, 20, 24), (3, 12, 7, 10)])
def test_the_e_value_of_rates_is_a_product_of_two_integrals_at_the_least_mean(k, n, j, most):
    def product(mean):
        below = mean_capital(k, n - k, mean / (1 - mean))
        return math.log(below * mean_capital(most - j, j, (1 - mean) / mean))

    least = optimize.minimize_scalar(product, bounds=(0.01, 0.99), method="bounded").fun
    logarithm = math.log(e_value(binary(k, n), binary(j, most), floor=0))
    assert logarithm == pytest.approx(least, abs=0.1)


@given(SCORES, SCORES, st.data())
def test_the_e_value_grows_as_the_candidate_falls_and_the_best_rises(candidate, best, data):
    place = data.draw(st.integers(0, len(candidate) - 1))
    other = data.draw(st.integers(0, len(best) - 1))
    lower, higher = list(candidate), list(best)
    lower[place] /= 2
    higher[other] = (1 + higher[other]) / 2
    before = e_value(candidate, best, floor=0)
    assert e_value(lower, best, floor=0) >= before - 1e-9
    assert e_value(candidate, higher, floor=0) >= before - 1e-9


@given(SCORES, st.integers(1, 8))
def test_ties_never_stop_a_candidate(best, n):
    assert e_value(best, best) == 0
    assert e_value([np.mean(best)] * n, best) <= 1
    assert e_value(best[::-1] * n, best) <= 1


def test_scores_that_stop_a_candidate_and_scores_that_do_not():
    perfect = [1.0] * 24
    assert should_stop([0, 0, 0], perfect) and should_stop([0.875] * 3, perfect)
    assert not should_stop([0, 1, 1], perfect) and not should_stop([0, 0, 0], [1, 0] * 12)
    assert should_stop([0] * 12, [1, 0] * 12)


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (1, (1,)),
        (2, (2,)),
        (3, (3,)),
        (4, (3, 4)),
        (6, (3, 6)),
        (10, (3, 6, 10)),
        (24, (3, 6, 12, 24)),
        (30, (3, 6, 12, 24, 30)),
    ],
)
def test_rungs_double_and_end_with_all_seeds(seeds, expected):
    assert rungs(seeds) == expected


def test_equal_candidates_all_get_all_seeds():
    result, requests = run_race(race(3, 12), np.full((3, 12), 0.7))
    assert requests == [{0: 3, 1: 3, 2: 3}, {0: 12}, {1: 6, 2: 6}, {1: 12, 2: 12}]
    assert result.finished == (0, 1, 2) and result.stopped == {} and len(result.rivals) == 3


def test_the_leader_of_the_first_rung_becomes_the_first_rival():
    scores = np.array([[0.0] * 12, [1.0] * 12, [0.99] * 12])
    result, requests = run_race(race(3, 12), scores)
    assert requests[:2] == [{0: 3, 1: 3, 2: 3}, {1: 12}]
    assert result.stopped == {0: 3, 2: 3}
    assert result.finished == (1,) and result.rivals[0].scores.tolist() == [1.0] * 12


def test_a_rival_of_an_earlier_batch_stops_at_once_and_a_better_one_takes_its_place():
    first = (RacedRecipe(0.0, np.full(24, 0.9)),)
    result, requests = run_race(race(2, 24, first), np.array([[0.2] * 24, [1.0] * 24]))
    assert requests == [{0: 3, 1: 3}, {1: 6}, {1: 12}, {1: 24}]
    assert result.stopped == {0: 3} and [r.scores.mean() for r in result.rivals] == [0.9, 1.0]
    again, _ = run_race(race(1, 24, result.rivals), np.array([[0.9] * 24]))
    assert again.stopped  # the first rival alone would not have stopped it


def test_a_candidate_is_not_compared_with_a_rival_that_costs_more():
    scores = np.array([[0.2] * 24, [0.2] * 24])
    rival = (RacedRecipe(10.0, np.ones(24)),)
    result, _ = run_race(race(2, 24, rival, costs=[5.0, 20.0]), scores)
    assert result.stopped == {1: 3} and result.finished == (0,)


def test_without_stopping_all_seeds_are_requested_at_once():
    result, requests = run_race(race(2, 10, stopping=False), np.array([[0.0] * 10, [1.0] * 10]))
    assert requests == [{0: 10, 1: 10}] and result.finished == (0, 1)


def test_two_seeds_are_one_rung():
    result, requests = run_race(race(2, 2), np.array([[0.0] * 2, [1.0] * 2]))
    assert requests == [{0: 2, 1: 2}] and result.finished == (0, 1)


def test_a_candidate_that_failed_drops_out():
    result, requests = run_race(race(3, 6), [None, [0.5] * 6, [0.5] * 6])
    assert requests == [{0: 3, 1: 3, 2: 3}, {1: 6}, {2: 6}]
    assert result.failed == (0,) and result.finished == (1, 2)


def test_if_the_leader_fails_the_next_candidate_leads():
    racing = race(3, 6)
    next(racing)
    assert racing.send({0: [1.0] * 3, 1: [0.5] * 3, 2: [0.4] * 3}) == {0: 6}
    assert racing.send({0: None}) == {1: 6}
    assert racing.send({1: [0.5] * 6}) == {2: 6}


def test_a_race_in_which_all_fail_has_no_rivals():
    assert run_race(race(2, 6), [None, None]) == (RaceResult((), {}, (0, 1), ()), [{0: 3, 1: 3}])
    assert run_race(race(0, 6), []) == (RaceResult((), {}, (), ()), [])


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([2, 6, 24]))
def test_the_order_in_which_scores_come_has_no_effect(seed, first_batch, seeds):
    rng = np.random.default_rng(seed)
    scores = np.round(rng.uniform(0, 1, (6, seeds)) * rng.integers(0, 2, (6, 1)), 1)
    rows = [None if rng.random() < 0.1 else row for row in scores]
    rivals = () if first_batch else [RacedRecipe(2.0, np.ones(seeds) * 0.9)]
    costs = list(rng.integers(0, 4, 6).astype(float))
    together, requests = run_race(race(6, seeds, rivals, costs), rows)
    wanted = {n: max(r.get(n, 0) for r in requests) for n in range(6)}
    racing, waiting, reached = race(6, seeds, rivals, costs), {}, {}
    request = next(racing)
    try:
        while True:
            waiting |= request
            reached |= request
            some = rng.choice(list(waiting), rng.integers(1, len(waiting) + 1), replace=False)
            asked = {int(n): waiting.pop(int(n)) for n in some}
            request = racing.send(
                {n: None if rows[n] is None else rows[n][:count] for n, count in asked.items()}
            )
    except StopIteration as end:
        apart = end.value
    assert not waiting and reached == wanted
    assert (apart.finished, apart.stopped, apart.failed) == (
        together.finished, together.stopped, together.failed
    )  # fmt: skip
    assert [r.cost for r in apart.rivals] == [r.cost for r in together.rivals]
    pairs = zip(apart.rivals, together.rivals, strict=True)
    assert all(np.array_equal(a.scores, b.scores) for a, b in pairs)


def test_the_same_scores_lead_to_the_same_requests():
    _, scores = bimodal(np.random.default_rng(4), 24)
    first, second = (run_race(race(RECIPES, 24), scores)[1] for _ in range(2))
    assert first == second
    assert all(list(request) == sorted(request) for request in first)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "scores of"),
        ({2: [1.0] * 3}, "scores of"),
        ({0: [1.0] * 3, 1: [1.0] * 2}, "needs 3 scores"),
        ({0: [1.0] * 3, 1: [1.0, math.nan, 1.0]}, "finite"),
        ({0: [1.0] * 3, 1: [1.0, 2.0, 1.0]}, "at most 1"),
    ],
)
def test_scores_that_do_not_fit_the_request_are_refused(answer, message):
    racing = race(2, 6)
    next(racing)
    with pytest.raises(ValueError, match=message):
        racing.send(answer)


def test_there_must_be_one_cost_a_candidate():
    with pytest.raises(ValueError, match="one cost a candidate"):
        next(race(2, 6, costs=[1.0]))
