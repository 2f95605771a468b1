"""How much work is done and left: sweeps in simulated time, on machines of unknown speed."""

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.execution._estimate import Stage
from lstm_bench.execution._work import Amount, WorkMeter, work_of_recipe, work_of_stage
from lstm_bench.recipes._recipe import recipe


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def simulate(meter, clock, jobs, rng, speed, workers=2):
    """Runs jobs, each an amount and its number of seeds; yields (time, seconds left) and the end.

    A seed takes `speed` times its work, give or take a third, and compiling comes first.
    """
    seen = []
    for amount, _ in jobs:
        meter.submit(amount)
    waiting, busy = list(jobs), []

    def start(at):
        amount, seeds = waiting.pop(0)
        took = [speed * amount.seconds / seeds * rng.lognormal(0, 0.3) for _ in range(seeds)]
        heapq.heappush(busy, (at + took[0], id(took), took, amount * (1 / seeds), at))

    for _ in range(workers):
        if waiting:
            start(0.0)
    while busy:
        soonest = busy[0][0]
        while clock.now < soonest:
            clock.now = min(clock.now + 0.5, soonest)
            meter.watch([(began, share, share * len(left)) for _, _, left, share, began in busy])
            seen.append((clock.now, meter.seconds_left(), meter.fraction))
        at, _, took, share, _ = heapq.heappop(busy)
        meter.finish(share)
        took.pop(0)
        if took:
            heapq.heappush(busy, (at + took[0], id(took), took, share, at))
        elif waiting:
            start(at)
    return seen


@pytest.mark.parametrize("speed", [0.5, 1.0, 6.0])
@pytest.mark.parametrize("seed", range(4))
def test_time_left_is_within_a_factor_of_two_after_the_first_tenth(speed, seed):
    rng, clock = np.random.default_rng(seed), Clock()
    meter = WorkMeter(clock, workers=2)
    jobs = []
    for _ in range(30):
        units, epochs = int(rng.integers(4, 60)), int(rng.integers(100, 3000))
        seeds = int(rng.integers(3, 12))
        size = recipe("memory", units=units, epochs=epochs)
        jobs.append((work_of_recipe(size, seeds, compiles=bool(rng.random() < 0.5)), seeds))
    seen = simulate(meter, clock, jobs, rng, speed)
    end = clock.now
    for now, left, _ in seen:
        if 0.1 * end <= now <= 0.95 * end:
            assert (end - now) / 2 <= left <= (end - now) * 2, (now, end)


def test_the_bar_moves_while_a_long_seed_is_trained():
    clock = Clock()
    meter = WorkMeter(clock, workers=1)
    meter.submit(Amount(2, 1000, 100))
    fractions = []
    for _ in range(100):
        clock.now += 1
        meter.watch([(0.0, Amount(1, 500, 50), Amount(2, 1000, 100))])
        fractions.append(meter.fraction)
    assert all(np.diff(fractions[:40]) > 0)
    assert fractions[-1] < 0.5  # the seed is not done, whatever was expected
    assert meter.finished == Amount()


def test_work_of_an_earlier_session_is_done_and_says_nothing_about_speed():
    clock = Clock()
    meter = WorkMeter(clock, workers=1)
    meter.reuse(Amount(8, 800, 80))
    meter.submit(Amount(2, 200, 20))
    assert (meter.fraction, meter.seconds_left()) == (0.8, 20.0)
    clock.now = 30.0
    meter.finish(Amount(1, 100, 10))  # three seconds for each of the reference machine
    assert meter.fraction == 0.9
    assert meter.seconds_left() == pytest.approx(30, rel=0.1)


def test_trials_ahead_are_expected_to_take_what_those_before_took():
    meter = WorkMeter(Clock(), workers=1)
    exact = {"programs": (0.0, 0.0), "steps": (0.0, 0.0)}
    stages = [
        Stage("search", (10, 10), runs=(100, 100), updates=(1e4, 1e4), work=(50.0, 50.0), **exact),
        Stage("confirmation", (2, 2), runs=(20, 20), updates=(2e3, 2e3), work=(9.0, 9.0), **exact),
        Stage("split", (1, 1), runs=(8, 8), updates=(8e2, 8e2), work=(4.0, 4.0), **exact),
    ]
    meter.expect(stages)
    assert meter.total.runs == 128
    meter.begin_stage("search", trials=10)
    assert meter.total.runs == 128
    for _ in range(5):  # racing stops them after three seeds
        meter.submit(Amount(3, 300, 2))
        meter.finish(Amount(3, 300, 2))
        meter.trial_done("search")
    # Five at (15 + 2 * 10) / 7 seeds are ahead: the estimate counts as two trials.
    assert meter.total.runs == pytest.approx(15 + 5 * 5 + 28)
    for _ in range(5):
        meter.trial_done("search")
    meter.begin_stage("split")  # nothing was confirmed
    assert meter.total.runs == 15
    meter.end(finished=True)
    assert meter.fraction == 1.0


@given(
    low=st.floats(0, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or x > 1e-6),
    factor=st.floats(1, 100),
)
def test_an_uncertain_stage_is_expected_in_the_middle(low, factor):
    ends = (low, low * factor)
    zero = (0.0, 0.0)
    stage = Stage("search", zero, zero, ends, ends, zero, zero)
    middle = work_of_stage(stage).updates
    assert ends[0] <= middle * (1 + 1e-9) and middle <= ends[1] * (1 + 1e-9)
    if low:
        assert middle / ends[0] == pytest.approx(ends[1] / middle)


def test_nothing_is_said_before_anything_is_known():
    meter = WorkMeter(Clock())
    assert (meter.fraction, meter.seconds_left()) == (0.0, math.inf)
