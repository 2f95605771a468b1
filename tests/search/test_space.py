"""Every proposal is legal, whatever the space; illegal spaces are refused before any trial."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._framings import FRAMINGS
from lstm_bench.recipes._recipe import known_settings, recipe
from lstm_bench.recipes._registry import TASKS
from lstm_bench.search._conditions import BELONGS, OWNERS, meaningful
from lstm_bench.search._space import space
from lstm_bench.search._study import SearchStudy
from lstm_bench.sweeps._sweep import Search, parse

SAMPLERS = ["tpe", "random", "grid", "qmc", "nsga2"]

OFFERED = {
    "network": ["lstm", "gru", "simple_rnn", "mlp", "conv1d"],
    "bidirectional": [False, True],
    "kernel_size": [1, 2, 3],
    "units": [4, 8],
    "layers": [1, 2],
    "epochs": [10, 20],
    "accumulate": [1, 3],
    "framing": list(FRAMINGS),
    "window": [1, 2, 3],
    "chunk": [1, 2, 4],
    "substrings": [5, 9],
    "max_length": [2, 3],
    "fresh": [0, 4],
    "stateful": [True, False],
    "layout": ["rows", "streams"],
    "reset": ["sequence", "epoch", "never"],
    "shuffle": ["none", "samples", "sequences"],
    "batch_size": [1, 2, 3, 4, 8, "all"],
    "encoding": ["onehot", "scaled", "raw"],
    "output": ["softmax", "sigmoid", "linear"],
    "loss": ["categorical_crossentropy", "binary_crossentropy", "mean_squared_error"],
    "optimizer": ["adam", "sgd", "rmsprop"],
    "learning_rate": [0.001, 0.1],
    "momentum": [0.0, 0.5],
    "dropout": [0.0, 0.2],
    "evaluation": ["teacher_forced", "free_running", "cold_start", "step_by_step"],
    "start": ["0", "2", "B"],
}
"""Some values of every setting that all tasks have, legal or not."""

RANGES = {
    "units": {"int": (2, 64), "log": True},
    "kernel_size": {"int": (1, 3)},
    "window": {"int": (1, 4)},
    "batch_size": {"int": (1, 8), "log": True},
    "fresh": {"int": (0, 3)},
    "learning_rate": {"float": (1e-4, 1e-1), "log": True},
    "dropout": {"float": (0.0, 0.5)},
    "momentum": {"float": (0.1, 0.9)},
}

TASK_PARTS = {
    "memory": {"alphabet": [3, 5], "lag": [2, 4]},
    "alphabet": {"letters": [4, 9], "wrap": [False, True]},
    "random_memory": {"alphabet": [5, 6], "lag": [3, 4], "train": [2, 4], "unseen": [2, 4]},
    "cumulative_sum": {"steps": [4, 6], "train": [2, 4], "unseen": [2, 3]},
}


def search(parts, **options):
    given_ = {key: v if isinstance(v, dict) else tuple(v) for key, v in parts.items()}
    return Search(space=given_, **options)


def proposals(parts, fixed, sampler="random", trials=40, told=lambda _: 0.0, **options):
    """Returns the recipes of a search in which `told` says what each one scores."""
    study = SearchStudy(search(parts, sampler=sampler, trials=trials, **options), fixed)
    found = []
    for batch in study.batches():
        found += [proposed for _, proposed in batch]
        for trial, proposed in batch:
            study.tell(trial, told(proposed), proposed.units * proposed.updates)
    assert len(found) == study.trials
    return found


@st.composite
def spaces(draw):
    """Draws a task, what is fixed, and up to six parts."""
    task = draw(st.sampled_from(sorted(TASK_PARTS)))
    offered = OFFERED | TASK_PARTS[task]
    keys = draw(st.lists(st.sampled_from(sorted(offered)), min_size=1, max_size=6, unique=True))
    parts = {}
    for key in keys:
        some = st.lists(st.sampled_from(offered[key]), min_size=1, max_size=3, unique_by=repr)
        parts[key] = draw(st.one_of(some, st.just(RANGES[key])) if key in RANGES else some)
    # What a part belongs to is mostly beside it: else hardly any of these would be a space.
    for key in [key for key in keys if key in BELONGS and draw(st.integers(0, 5))]:
        owner, beside = BELONGS[key]
        wanted = draw(st.sampled_from(beside))
        parts[owner] = [wanted, *(v for v in parts.get(owner, []) if v != wanted)]
    small = {"train": 4, "unseen": 4, "lag": 4} if "unseen" in offered else {}
    small = {key: value for key, value in small.items() if key in TASKS[task].model_fields}
    return parts, {"task": task} | {k: v for k, v in small.items() if k not in parts}


def listed(part):
    """Returns every value of a part; of a continuous one, its ends."""
    if isinstance(part, list):
        return part
    return list(part.get("float") or range(part["int"][0], part["int"][1] + 1))


def legal_ones(parts, fixed):
    """Returns which of all combinations are legal, tried one by one, as sets of their keys."""
    found = []
    keys = [key for key in parts if key not in ("units", "learning_rate", "dropout")]
    for values in itertools.product(*(listed(parts[key]) for key in keys)):
        chosen = meaningful({**fixed, **dict(zip(keys, values, strict=True))})
        try:
            recipe(**chosen)
            found.append(frozenset(chosen) | parts.keys() - set(keys))
        except RecipeError:
            continue
    return set(found)


def within(value, part):
    if isinstance(part, list):
        return value in part
    low, high = part.get("int") or part["float"]
    return low <= value <= high and ("float" in part or value == int(value))


@given(spaces(), st.sampled_from(SAMPLERS), st.integers(0, 10**6))
@settings(deadline=None, max_examples=400)
def test_every_proposal_is_legal_and_every_value_comes_from_the_space(drawn, sampler, seed):
    parts, fixed = drawn
    if sampler == "grid":
        parts = {k: OFFERED[k] if "float" in part else part for k, part in parts.items()}
    asked = search(parts, sampler=sampler, seed=seed, trials=12, startup=5)
    try:
        study = SearchStudy(asked, fixed)
    except RecipeError:
        # Refused only where nothing is legal, or a part has no use in anything that is.
        legal = legal_ones(parts, fixed)
        assert not all(any(key in each for each in legal) for key in parts)
        return
    for batch in study.batches():
        for trial, made in batch:  # by `recipe`, which raises on an illegal one
            proposed = made.settings
            assert proposed.items() >= fixed.items()
            means = meaningful(proposed)
            for key, part in parts.items():
                if key in means:
                    assert within(means[key], part), key
                else:
                    assert key in BELONGS
            study.tell(trial, None if trial.number == seed % 12 else made.units % 5, made.updates)


def test_every_setting_but_the_seed_can_be_searched():
    every = set().union(*(known_settings(task) for task in TASKS.values()))
    named = {"symbols"}  # how symbols are shown: it changes no result
    named |= TASKS["csv"].asking  # which question is asked of which data
    further = {"echo": {"delay": [1, 2]}, "csv": {"difference": [False, True]}}
    known = set(OFFERED).union(*TASK_PARTS.values(), *further.values())
    assert every - named == known - named
    for task, parts in {**TASK_PARTS, **further}.items():
        for key, values in parts.items():
            few = {"train": 4, "unseen": 2, "batch_size": 2} if "unseen" in parts else {}
            fixed = {"task": task} | {k: v for k, v in few.items() if k != key}
            assert space(search({key: values}), fixed).keys == (key,)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_a_setting_belongs_to_decides_whether_it_is_chosen(sampler):
    parts = {key: OFFERED[key] for key in ("network", "optimizer", "momentum", "kernel_size")}
    parts |= {"evaluation": ["teacher_forced", "cold_start"], "start": ["A", "B"]}
    parts |= {"stateful": [True, False], "reset": ["epoch", "never"]}
    seen = set()
    for proposed in proposals(parts, {"task": "alphabet", "shuffle": "none"}, sampler, 64):
        assert proposed.momentum in ((0.0, 0.5) if proposed.optimizer == "sgd" else (0.0,))
        assert (proposed.start is None) == (proposed.evaluation != "cold_start")
        assert proposed.kernel_size == 3 or proposed.network == "conv1d"
        assert not proposed.stateful or proposed.reset in ("epoch", "never")
        seen |= {("momentum", proposed.momentum), ("start", proposed.start)}
        seen |= {("kernel", proposed.kernel_size), ("reset", proposed.settings.get("reset"))}
    assert len(seen) == 2 + 3 + 3 + 3


@pytest.mark.parametrize(
    ("key", "value", "fixed", "words"),
    [
        ("window", [2, 3], {"framing": "pairs"}, "framing=window or feature_window"),
        ("chunk", [1], {}, "framing=chunks"),
        ("fresh", [1, 2], {"framing": "prefixes"}, "framing=substrings"),
        ("reset", ["epoch"], {"stateful": False}, "stateful=true"),
        ("layout", ["rows"], {"task": "alphabet"}, "stateful=true"),
        ("momentum", {"float": (0.0, 0.9)}, {}, "optimizer=sgd"),
        ("kernel_size", {"int": (1, 5)}, {}, "network=conv1d"),
        ("bidirectional", [True, False], {"network": "mlp"}, "network=lstm or gru or simple_rnn"),
        ("start", ["0"], {}, "evaluation=cold_start"),
    ],
)
def test_a_part_that_can_never_apply_is_refused_with_its_key(key, value, fixed, words):
    with pytest.raises(RecipeError, match=rf"search\.space\.{key}: belongs to {words}, which"):
        space(search({key: value, "units": [1, 2]}), {"task": "memory"} | fixed)


def test_a_part_that_applies_only_to_what_is_illegal_is_refused_with_the_reason():
    parts = {"framing": ["pairs", "window"], "window": [30, 40]}
    with pytest.raises(RecipeError, match=r"search\.space\.window: .*nothing is legal.*4 steps"):
        space(search(parts), {"task": "memory"})
    parts = {"network": ["lstm", "conv1d"], "kernel_size": [2, 3]}
    with pytest.raises(RecipeError, match=r"search\.space\.kernel_size: .*keeps no state"):
        space(search(parts), {"task": "memory", "stateful": True})


def test_what_is_fixed_gives_way_where_it_means_nothing_and_stays_where_it_does():
    fixed = {"task": "memory", "momentum": 0.9, "window": 2, "kernel_size": 2, "stateful": False}
    parts = {key: OFFERED[key] for key in ("optimizer", "network")}
    parts |= {"framing": ["window", "pairs"]}
    found = [each.settings for each in proposals(parts, fixed, "grid", 100)]
    assert len(found) == 3 * 5 * 2
    for each in found:
        assert each["momentum"] == (0.9 if each["optimizer"] == "sgd" else 0.0)
        assert each.get("window") == (2 if each["framing"] == "window" else None)
        assert each.get("kernel_size") == (2 if each["network"] == "conv1d" else None)


def test_a_fault_of_what_is_fixed_is_not_blamed_on_the_space():
    with pytest.raises(RecipeError, match=r"^batch_size: "):
        space(search({"units": [1, 2]}), {"task": "memory", "batch_size": 3})


def test_conditions_are_those_of_the_recipe():
    """A setting that does not apply is refused by `recipe`, unless it has its default value."""
    for key, (owner, beside) in BELONGS.items():
        assert owner in OWNERS and key not in OWNERS and beside
        task = "alphabet" if key == "start" else "memory"
        base = {"evaluation": "cold_start"} if key == "start" else {"stateful": False}
        value = {"start": "B", "layout": "rows", "bidirectional": True}.get(key, OFFERED[key][1])
        for other in OFFERED[owner]:
            settings_ = {"task": task} | base | {owner: other, key: value}
            if owner == "framing" and other in ("whole", "chunks") and key == "bidirectional":
                continue
            try:
                recipe(**settings_)
                accepted = True
            except RecipeError as error:
                accepted = all(fault.key != key for fault in error.faults)
            assert accepted == (other in beside), (key, other)


def test_the_legal_combinations_are_those_that_recipe_accepts():
    parts = {key: OFFERED[key] for key in ("stateful", "shuffle", "batch_size", "layout")}
    found = space(search(parts), {"task": "memory"})
    accepted = set()
    for stateful, shuffle, size, layout in itertools.product(*parts.values()):
        given_ = {"stateful": stateful, "shuffle": shuffle, "batch_size": size}
        if stateful:
            given_["layout"] = layout
        try:
            accepted.add(recipe("memory", **given_).digest)
        except RecipeError:
            continue
    assert {recipe("memory", **combination).digest for combination in found.legal} == accepted


def test_a_space_that_is_never_legal_is_refused_with_the_rule():
    with pytest.raises(RecipeError, match=r"shuffle.*order of time"):
        space(search({"shuffle": ["samples"]}), {"task": "memory"})


def test_free_bounds_are_checked_before_any_trial():
    with pytest.raises(RecipeError, match=r"units.*must be at least 1"):
        space(Search(space={"units": {"int": (0, 8)}}), {"task": "memory"})
    with pytest.raises(RecipeError, match="learning_rate"):
        space(Search(space={"learning_rate": {"float": (1e-3, 100.0)}}), {"task": "memory"})


def test_an_enormous_space_is_refused_with_its_size():
    with pytest.raises(RecipeError, match="at most 20,000 combinations"):
        parts = {"max_length": {"int": (1, 10_000)}, "substrings": {"int": (1, 10_000)}}
        space(Search(space=parts), {"task": "alphabet", "framing": "substrings"})


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"framing": ["pairs", "whoel"]}, "search.space.framing: .*did you mean 'whole'"),
        ({"optimizer": ["adam", "adamm"]}, "search.space.optimizer: .*'sgd'.*'adamm'"),
        ({"stateful": [True, "maybe"]}, "search.space.stateful: .*true or false.*'maybe'"),
        ({"batch_size": [1, 0]}, "search.space.batch_size: .*0"),
        ({"lag": [4, "far"]}, "search.space.lag: .*'far'"),
    ],
)
def test_a_choice_that_its_setting_does_not_know_is_refused_and_not_left_out(part, said):
    with pytest.raises(RecipeError, match=said):
        parse("x", {"task": "memory", "search": {"space": part}})
