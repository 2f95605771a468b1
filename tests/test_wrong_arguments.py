"""Every public call refuses a wrong argument with an exception of this package.

The table names each parameter, how it is passed, and which of `VALUES` it takes; all others must be
refused, and the message must name the parameter.
"""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import lstm_bench as lb
from lstm_bench.errors import unknown

SMALL = {"units": 2, "epochs": 1}
SWEEP = {"task": "memory", "seeds": 1, "recipes": {"A": SMALL}}
VALUES = {
    "None": None,
    "yes": True,
    "3": 3,
    "-1": -1,
    "1.5": 1.5,
    "nan": float("nan"),
    "huge": 10**30,
    "empty text": "",
    "text": "nonsense",
    "zero byte": "a\0b",
    "bytes": b"x",
    "list": [],
    "list of lists": [[]],
    "mapping": {},
    "numbers": {1: 2},
    "array": np.array([1.5, 2.0]),
    "path": Path("there/is/none"),
    "class": int,
    "object": object(),
}
TEXT = {"text", "zero byte"}
FLAG, OPTIONAL, ANY_MAPPING = {"yes"}, {"None"}, {"mapping"}
RATE = {"3", "-1", "1.5", "nan", "huge", "class"}  # a class is a function; shares are checked later
COUNT = {"3"}


@lb.task(labels="01", chance=0.5, autoregressive=False, defaults={"framing": "whole"})
def parity(seed: int, length: int = 4) -> lb.Problem:
    """Say the same: 0 1 -> 0 1."""
    bits = np.arange(length) % 2
    return lb.Problem((lb.Sequence(bits, bits, np.ones(length, bool)),))


def a_task(**arguments):
    return lb.task(**{"chance": 0.5, "labels": "01", **arguments})(parity_function)


def parity_function(seed: int, length: int = 4) -> lb.Problem:
    raise NotImplementedError


def a_search(task="memory", space=None, **arguments):
    space = {"units": [2]} if space is None else space
    return lb.search(task, space, **{"trials": 1, "seeds": 1, "progress": False, **arguments})


def a_sweep(source=SWEEP, overrides=(), **arguments):
    return lb.sweep(source, overrides, **{"progress": False, **arguments})


# Parameter -> (the call, the values that it takes). What it is called with besides is right.
CALLS = {
    "tasks(files)": (lambda value, _: lb.tasks(value), {"list"}),
    "recipe(task)": (lambda value, _: lb.recipe(value), set()),
    "recipe(units)": (lambda value, _: lb.recipe("memory", units=value), COUNT),
    "recipe(learning_rate)": (
        lambda value, _: lb.recipe("memory", learning_rate=value),
        COUNT | {"1.5"},
    ),
    "recipe(framing)": (lambda value, _: lb.recipe("memory", framing=value), set()),
    "recipe(stateful)": (lambda value, _: lb.recipe("memory", stateful=value), FLAG),
    "recipe(symbols)": (lambda value, _: lb.recipe("memory", symbols=value), OPTIONAL),
    "recipe(tasks)": (lambda value, _: lb.recipe("memory", tasks=value), {"list"}),
    "Recipe(task)": (lambda value, _: lb.Recipe(task=value), set()),
    "run(task)": (lambda value, _: lb.run(value, 1), set()),
    "run(seeds)": (lambda value, _: lb.run("memory", value, **SMALL), COUNT),
    "run(engine)": (lambda value, _: lb.run("memory", 1, engine=value), set()),
    "run(threads)": (
        lambda value, _: lb.run("memory", 1, threads=value, **SMALL),
        OPTIONAL | COUNT | {"huge"},
    ),
    "run(log)": (lambda value, _: lb.run("memory", 1, log=value, **SMALL), FLAG),
    "run(store)": (lambda value, _: lb.run("memory", 1, store=value, **SMALL), OPTIONAL | TEXT),
    "run(tasks)": (lambda value, _: lb.run("memory", 1, tasks=value, **SMALL), {"list"}),
    "run(epochs)": (lambda value, _: lb.run("memory", 1, epochs=value), COUNT),
    "compare(first)": (lambda value, results: lb.compare(value, results["A"]), set()),
    "compare(second)": (lambda value, results: lb.compare(results["A"], value), set()),
    "compare(measure)": (
        lambda value, results: lb.compare(results["A"], results["A"], value),
        set(),
    ),
    "compare(margin)": (
        lambda value, results: lb.compare(results["A"], results["A"], margin=value),
        OPTIONAL,
    ),
    "search(task)": (lambda value, _: a_search(value), set()),
    "search(space)": (lambda value, _: lb.search("memory", value, trials=1), set()),
    "search(units)": (lambda value, _: a_search(space={"units": value}), set()),
    "search(low)": (lambda value, _: a_search(space={"units": (value, 3)}), COUNT),
    "search(trials)": (lambda value, _: a_search(trials=value), COUNT),
    "search(seeds)": (lambda value, _: a_search(seeds=value), COUNT),
    "search(name)": (lambda value, _: a_search(name=value), OPTIONAL | TEXT),
    "search(engine)": (lambda value, _: a_search(engine=value), set()),
    "search(again)": (lambda value, _: a_search(again=value), FLAG),
    "search(progress)": (lambda value, _: a_search(progress=value), OPTIONAL | FLAG),
    "search(store)": (lambda value, _: a_search(store=value), OPTIONAL | TEXT),
    "search(profile)": (lambda value, _: a_search(profile=value), OPTIONAL),
    "search(tasks)": (lambda value, _: a_search(tasks=value), {"list"}),
    "search(search)": (lambda value, _: a_search(search=value), OPTIONAL | ANY_MAPPING),
    "search(epochs)": (lambda value, _: a_search(epochs=value), COUNT),
    "sweep(source)": (lambda value, _: a_sweep(value), set()),
    **{
        f"sweep({key})": (lambda value, _, key=key: a_sweep(SWEEP | {key: value}), accepted)
        for key, accepted in {
            "task": set(),
            "seeds": COUNT,
            "first_seed": COUNT,
            "layers": COUNT,
            "recipes": set(),
            "tasks": set(),
            "comparisons": ANY_MAPPING,
            "metrics": {"list"},
            "search": OPTIONAL,
            "nonsense": set(),
        }.items()
    },
    "sweep(recipes.task)": (
        lambda value, _: a_sweep(SWEEP | {"recipes": {"A": SMALL | {"task": value}}}),
        set(),
    ),
    "sweep(overrides)": (
        lambda value, _: a_sweep(overrides=value),
        {"list", "mapping", "empty text"},
    ),
    "sweep(overrides.seeds)": (lambda value, _: a_sweep(overrides={"seeds": value}), COUNT),
    "sweep(name)": (lambda value, _: a_sweep(name=value), OPTIONAL | TEXT),
    "sweep(engine)": (lambda value, _: a_sweep(engine=value), set()),
    "sweep(again)": (lambda value, _: a_sweep(again=value), FLAG),
    "sweep(full)": (lambda value, _: a_sweep(full=value), FLAG),
    "sweep(progress)": (lambda value, _: a_sweep(progress=value), OPTIONAL | FLAG),
    "sweep(store)": (lambda value, _: a_sweep(store=value), OPTIONAL | TEXT),
    "sweep(profile)": (lambda value, _: a_sweep(profile=value), OPTIONAL),
    "sweep(tasks)": (lambda value, _: a_sweep(tasks=value), {"list"}),
    "load(name)": (lambda value, _: lb.load(value), set()),
    "load(overrides)": (
        lambda value, _: lb.load("small", value),
        {"list", "mapping", "empty text"},
    ),
    "load(store)": (lambda value, _: lb.load("small", store=value), OPTIONAL | TEXT),
    "load(profile)": (lambda value, _: lb.load("small", profile=value), OPTIONAL),
    "load(tasks)": (lambda value, _: lb.load("small", tasks=value), {"list"}),
    "forecast(run)": (lambda value, _: lb.forecast(value, "new.csv"), set()),
    "forecast(csv)": (lambda value, _: lb.forecast("small:A", value), set()),
    "forecast(store)": (lambda value, _: lb.forecast("a", "b", store=value), OPTIONAL | TEXT),
    "forecast(profile)": (lambda value, _: lb.forecast("a", "b", profile=value), OPTIONAL),
    "export(what)": (lambda value, _: lb.export(value), set()),
    "export(seed)": (lambda value, _: lb.export("memory", value), OPTIONAL | COUNT),
    "export(store)": (lambda value, _: lb.export("memory", store=value), OPTIONAL | TEXT),
    "export(profile)": (lambda value, _: lb.export("memory", profile=value), OPTIONAL),
    "export(tasks)": (lambda value, _: lb.export("memory", tasks=value), {"list"}),
    "export(units)": (lambda value, results: lb.export(results["A"], units=value), COUNT),
    "task()": (lambda value, _: lb.task(value), set()),
    "task()(function)": (lambda value, _: lb.task(chance=0.5)(value), {"class"}),
    **{
        f"task({key})": (lambda value, _, key=key: a_task(**{key: value}), accepted)
        for key, accepted in {
            "labels": {"empty text", "list", "class"} | TEXT,
            "chance": RATE,
            "ceiling": RATE,
            "bar": RATE,
            "name": {"empty text"} | TEXT,
            "kind": set(),
            "version": {"3", "-1", "huge"},
            "source": {"empty text"} | TEXT,
            "autoregressive": FLAG,
            "symbolic": FLAG,
            "defaults": ANY_MAPPING,
            "tolerance": {"3", "1.5", "huge"},
            "nonsense": set(),
        }.items()
    },
    "parity(length)": (lambda value, _: parity(length=value), {"3", "-1", "huge"}),
    "parity(lenght)": (lambda value, _: parity(lenght=value), set()),
    "Sequence.next_symbol(symbols)": (
        lambda value, _: lb.Sequence.next_symbol(value),
        {"array"},
    ),
    "Outcome.plot(kind)": (lambda value, results: results["A"].plot(value), set()),
    "SweepResult.plot(kind)": (lambda value, results: results.plot(value), set()),
    "SweepResult.report(folder)": (
        lambda value, results: results.report(value),
        {"text", "path"},
    ),
}
CASES = [
    pytest.param(call, value, id=f"{name}-{label}")
    for (name, (call, accepted)), (label, value) in itertools.product(CALLS.items(), VALUES.items())
    if label not in accepted
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A sweep of one recipe in a folder of its own, which stays the working folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("folder"))
        yield lb.sweep(SWEEP, name="small", progress=False)


@pytest.mark.parametrize(("call", "value"), CASES)
def test_a_wrong_argument_is_refused(results, call, value):
    with pytest.raises(lb.LstmBenchError) as refused:
        call(value, results)
    assert isinstance(refused.value, lb.UserError)
    assert 10 < len(str(refused.value)) < 2000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lb.run(3), "task: .*'3'.*known: .*memory"),
        (lambda: lb.run("memory", seeds="x"), "seeds: must be a number of seeds or a list.*'x'"),
        (lambda: lb.run("memory", seeds=-1), "seeds: must be at least 1, .*but got -1"),
        (lambda: lb.run("memory", unit=1), "unit: there is no setting .*did you mean 'units'"),
        (lambda: lb.run("memory", log=1), "log: must be True or False, but got 1"),
        (lambda: lb.compare(1, 2), "compare: takes two outcomes, as `run` returns them, .*int"),
        (lambda: lb.load(3), "name: must be the name of a sweep that has been run, but got 3"),
        (lambda: lb.forecast(3, "a.csv"), "run: must be the name of a sweep, .*SWEEP:ID.* got 3"),
        (lambda: lb.forecast("a", 3), "csv: must be a path, e.g. .*, but got 3"),
        (lambda: lb.search("memory", 3), r"space: .*e.g. \{'units': \(4, 64\)\}, but got 3"),
        (
            lambda: lb.search("memory", {"units": [2, 3]}, search={"trials": 6}),
            "search: trials is an argument of its own, .*'trials': 6.*; give trials=... alone",
        ),
        (
            lambda: lb.search("memory", {"units": [2]}, search={"space": {"units": [4]}}),
            "search: space is an argument of its own",
        ),
        (
            lambda: lb.run("csv", data=[], file="nonsense.csv"),
            r"file: stands in place of data, but both are given \(file='nonsense.csv'\); keep one",
        ),
        (
            lambda: lb.search("csv", data=[], file="nonsense.csv"),
            "file: stands in place of data, but both",
        ),
        (lambda: lb.search("memory", unit=[3]), "unit: there is no setting .*did you mean 'units'"),
        (lambda: lb.sweep([]), r"source: must be a path, .*, but got \[\]"),
        (lambda: lb.sweep(SWEEP, tasks=3), r"tasks: must be Python files .*\['my_task.py'\], .* 3"),
        (lambda: lb.tasks([int]), "files: must be Python files or task classes, .*but got <class"),
        (lambda: lb.recipe("memory", tasks="no.py"), "there is no file no.py; give the Python"),
        (lambda: lb.export("memory", 1.5), "seed: must be a whole number .*, but got 1.5"),
        (lambda: lb.export("memory", unit=1), "unit: .*did you mean 'units'"),
        (lambda: lb.task(3), r"@task: must be called, as in @task\(chance=0.5\), but got 3"),
        (lambda: lb.task(), "@task: chance must be given"),
        (lambda: lb.task(chance=0.5, sauce=""), "no argument 'sauce'; did you mean 'source'"),
        (lambda: a_task(defaults=3), r"defaults must be a mapping .*\{'units': 8\}, but got 3"),
        (lambda: parity(length="a"), "length: must be a whole number, but got 'a'"),
        (lambda: parity(lenght=3), "lenght: .*did you mean 'length'"),
        (lambda: lb.Sequence.next_symbol([1]), r"must get two or more symbols .*, but got \[1\]"),
    ],
)  # fmt: skip
def test_the_message_has_the_rule_the_value_and_the_repair(results, call, message):
    with pytest.raises(lb.UserError, match=message):
        call()


@pytest.mark.long
@pytest.mark.parametrize(
    ("key", "ends"),
    [("units", (0.5, 8)), ("units", (1.5, 7.5)), ("units", (3.0, 5000)), ("layers", (0.2, 9.9))],
)
def test_a_range_of_whole_numbers_is_suggested_only_if_it_is_legal(results, key, ends):
    with pytest.raises(lb.SweepError, match=f"search.space.{key}: takes whole numbers") as refused:
        a_search(space={key: tuple(map(float, ends))})
    suggested = re.search(r"use int: \[(-?\d+), (-?\d+)\]", str(refused.value))
    if suggested:
        assert len(a_search(space={key: tuple(map(int, suggested.groups()))}, epochs=1)) > 0
    else:
        assert str(refused.value).endswith("use int: [low, high] with two of them")
    assert bool(suggested) is (ends[1] < 9)


def test_calls_that_look_wrong_but_are_right_work(results):
    assert lb.run("memory", np.int64(2), threads=np.int64(1), **SMALL).solve_rate.n == 2
    numbers = {"task": "memory", "seeds": np.int64(1), "recipes": {"A": {"units": np.int64(2)}}}
    assert len(a_sweep(numbers, name="numpy", again=np.False_)) == 1
    assert parity(length=3) == parity(length=3) != parity()
    assert [] not in results and results.get({}) is None


def test_a_message_shows_both_ends_of_a_very_long_name():
    message = unknown("framing", "pair" + "z" * 200_000, ["pairs", "window"])
    assert message.startswith("there is no framing 'pairzz")
    assert message.endswith("zz' (known: pairs, window)")
    assert "zz...zz" in message
    assert len(message) < 300
