"""An outcome as Python users see it: its representations, its figures, and equality."""

import copy
import dataclasses
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from outcome_builder import build_outcome
from scipy import stats

from lstm_bench.errors import UserError
from lstm_bench.results import Outcome, merge_outcomes, select_seeds

SCORES = [1.0, 0.75, 1.0, 0.5]


def an_outcome(scores=SCORES, seeds=None, **changed):
    """Returns an outcome with one accuracy per seed; a seed with 1 has solved the task."""
    scores = np.asarray(scores, float)
    seeds = list(range(len(scores))) if seeds is None else seeds
    curves = [
        (seed, epoch, 1 / epoch, score * epoch / 30)
        for seed, score in zip(seeds, scores, strict=True)
        for epoch in (1, 10, 30)
    ]
    predictions = [(seed, 0, step, "A", "B", "B", True) for seed in seeds for step in range(2)]
    fields = {
        "curves": curves,
        "predictions": predictions,
        "digest": "0123456789ab",
        "weights": (np.array([[1.0, np.nan]]), np.zeros(3, np.float32)),
    }
    return build_outcome(scores, seeds, **fields | changed)


def with_seeds(**columns):
    """Returns an outcome with other columns in its table of seeds."""
    return dataclasses.replace(an_outcome(), seeds=an_outcome().seeds.assign(**columns))


# ---- Representations


def test_repr_is_one_line_with_score_and_solved_seeds():
    expected = "Outcome(memory: lstm(20), pairs; 4 seeds, accuracy 0.812, solved 2/4)"
    assert repr(an_outcome()) == expected
    assert "1 seed, accuracy 0.500, solved 0/1)" in repr(an_outcome([0.5]))
    assert "skill 0.250" in repr(with_seeds(skill=0.25))


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "changed",
    [
        {"name": LONG},
        {"settings": {"task": LONG, LONG: LONG}},
        {"settings": {}},
        {"seeds": an_outcome().seeds.head(0)},
        {"seeds": an_outcome(np.linspace(0, 1, 5000)).seeds},
        {"seeds": an_outcome().seeds.assign(accuracy=np.nan, loss=np.inf)},
        {"curves": an_outcome().curves.head(0), "predictions": an_outcome().predictions.head(0)},
        {"curves": an_outcome().curves.assign(loss=np.nan, accuracy=np.nan)},
    ],
)
def test_every_outcome_has_a_short_repr_and_an_html_repr(changed):
    outcome = dataclasses.replace(an_outcome(), **changed)
    assert len(repr(outcome)) < 500 and "\n" not in repr(outcome)
    assert outcome._repr_html_().startswith("<table>")


def test_html_has_the_table_and_the_learning_curves():
    outcome = an_outcome()
    html = outcome._repr_html_()
    wilson = stats.binomtest(2, 4).proportion_ci(method="wilson")
    assert f"2 of 4 [{100 * wilson.low:.1f}, {100 * wilson.high:.1f}] %" in html
    assert "81.2" in html and "2,185 parameters" in html
    assert html.count("<table>") == html.count("</table>") == 1
    assert html.count("<svg") == 1 and "<?xml" not in html and "Epoch" in html
    assert "<svg" not in dataclasses.replace(outcome, curves=outcome.curves.head(0))._repr_html_()


def test_html_escapes_names():
    hostile = "<script>alert(1)</script>&amp;"
    html = an_outcome(name=hostile, settings={"task": hostile})._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;") >= 2


# ---- Figures


def test_the_learning_curve_is_drawn_in_percent_and_as_a_loss():
    figure = an_outcome().plot()
    assert isinstance(figure, Figure)
    accuracy, loss = figure.axes
    assert (accuracy.get_title(loc="left"), loss.get_title(loc="left")) == ("Accuracy, %", "Loss")
    (line,) = accuracy.get_lines()
    mean = np.mean(SCORES)
    assert list(line.get_xdata()) == [1, 10, 30]
    assert list(line.get_ydata()) == pytest.approx([100 * mean / 30, 100 * mean / 3, 100 * mean])
    assert figure.legends[0].get_texts()[0].get_text().strip("\u200b") == "memory: lstm(20), pairs"
    assert figure._repr_svg_().startswith("<?xml")


@pytest.mark.parametrize("score", ["accuracy", "skill"])
def test_the_score_figure_has_a_dot_per_seed(score):
    outcome = with_seeds(skill=[0.2, 0.4, -0.5, 0.1]) if score == "skill" else an_outcome()
    figure = outcome.plot("accuracy")
    assert isinstance(figure, Figure)
    (axes,) = figure.axes
    lines = {line.get_gid(): line for line in axes.get_lines()}
    expected = sorted(100 * outcome.seeds[score])
    assert list(lines["seeds-0"].get_xdata()) == pytest.approx(expected)
    assert list(lines["mean-0"].get_xdata()) == pytest.approx([np.mean(expected)] * 2)
    assert axes.get_xlabel().startswith(score.capitalize())


def test_equal_outcomes_give_equal_figures():
    for kind in ("curves", "accuracy"):
        assert an_outcome().plot(kind)._repr_svg_() == an_outcome().plot(kind)._repr_svg_()


@pytest.mark.parametrize("kind", ["history", "", "Curves", None, ["curves"]])
def test_an_unknown_kind_of_figure_is_a_user_error_that_names_the_kinds(kind):
    with pytest.raises(UserError, match=r"^kind: there is no plot .*known: accuracy, curves"):
        an_outcome().plot(kind)


def test_a_figure_leaves_matplotlib_as_it_was():
    import matplotlib

    before = dict(matplotlib.rcParams)
    an_outcome().plot()
    assert dict(matplotlib.rcParams) == before


# ---- Equality


def test_equal_tables_arrays_and_mappings_make_equal_outcomes():
    outcome = an_outcome(data={"mean": np.nan, "levels": np.array([1.0, np.nan]), "names": ("a",)})
    same = copy.deepcopy(outcome)
    assert outcome == same and hash(outcome) == hash(same)
    assert len({outcome, same}) == 1
    proxied = dataclasses.replace(outcome, settings=MappingProxyType(dict(outcome.settings)))
    assert proxied == outcome  # the type of the mapping does not matter
    diverged = with_seeds(accuracy=np.nan, loss=[np.nan, np.inf, 0.1, 0.2])
    assert diverged == copy.deepcopy(diverged)


DIFFERENT = {
    "settings": {"task": "memory", "units": 21, "epochs": 30},
    "digest": "f" * 12,
    "name": "gru(20)",
    "engine": "compiled",
    "seeds": an_outcome().seeds.assign(loss=[0.1, np.nan, 0.2, 0.2]),
    "curves": an_outcome().curves.head(0),
    "predictions": an_outcome().predictions.assign(predicted="A"),
    "parameters": 1,
    "updates": 1,
    "multiply_adds": 1,
    "compile_seconds": np.nan,
    "provenance": {"git revision": "abc"},
    "weights": (np.array([[1.0, 2.0]]), np.zeros(3, np.float32)),
    "model": b"PK",
    "data": {"mean": np.array([1.0, 2.0])},
}


def test_every_field_counts_but_when_and_where_it_ran():
    slower = an_outcome()
    slower.seeds["seconds"] += 1.0
    assert slower == an_outcome()
    assert DIFFERENT.keys() == {field.name for field in dataclasses.fields(Outcome)}
    for name, value in DIFFERENT.items():
        other = dataclasses.replace(an_outcome(), **{name: value})
        counts = name not in ("compile_seconds", "provenance", "model")
        assert (other != an_outcome()) == (an_outcome() != other) == counts, name
        assert other == copy.deepcopy(other), name


SHAPES = [
    {"seeds": an_outcome([0.5]).seeds},
    {"seeds": an_outcome().seeds.drop(columns="loss")},
    {"seeds": an_outcome().seeds.astype({"seed": str})},
    {"seeds": an_outcome().seeds.set_index("seed")},
    {"seeds": None},
    {"weights": ()},
    {"weights": (np.zeros(3),)},
    {"weights": (np.zeros((2, 2)), np.zeros((0, 3)))},
    {"weights": [np.array([[1.0, np.nan]]), np.zeros(3)]},
    {"weights": (np.array(["a"]), np.array([None, {}], object))},
    {"weights": None},
    {"data": {"mean": np.array([1.0])}},
    {"data": {"mean": np.array([1.0, 2.0, 3.0])}},
    {"data": {"mean": pd.Series([1.0, 2.0])}},
    {"data": {"mean": pd.NA}},
    {"data": {"mean": [1, [2, np.nan]]}},
    {"data": None},
    {"settings": {"task": np.array([1, 2])}},
]


@given(st.sampled_from([{}, *SHAPES]), st.sampled_from([{}, *SHAPES]))
def test_comparing_outcomes_of_different_shapes_never_raises(first, second):
    one = dataclasses.replace(an_outcome(), **first)
    other = dataclasses.replace(an_outcome(), **copy.deepcopy(second))
    assert (one == other) is (first is second or first == {} == second)
    assert (one != other) is not (one == other)


@pytest.mark.parametrize("other", [None, 0, "text", (), {}, object(), Outcome])
def test_an_outcome_differs_from_anything_else(other):
    assert (an_outcome() == other) is False and (other == an_outcome()) is False
    assert (an_outcome() != other) is True
    assert an_outcome() not in [other]


def test_an_outcome_can_be_compared_with_arrays_and_tables():
    for other in (np.zeros(3), pd.DataFrame({"a": [1]})):
        _ = an_outcome() == other, other == an_outcome()  # element by element, as they define it


# ---- Seeds


def test_parts_of_an_outcome_merge_to_the_whole():
    whole = an_outcome()
    parts = [select_seeds(whole, seeds) for seeds in ([2, 3], [0, 1])]
    merged = merge_outcomes(parts)
    assert merged == dataclasses.replace(whole, compile_seconds=0.6)
    assert [part.weights != () for part in parts] == [False, True]  # seed 0 is the best one


def test_the_summary_has_training_sequences_where_they_are_counted():
    counted = build_outcome([1, 1, 0.5, 1], columns={"sequences": [30.0, 20.0, np.nan, 100.0]})
    assert counted.summary()["sequences"] == {"median": 30.0, "mean": 50.0, "n": 3}
    never = build_outcome([0.5, 0.5], columns={"sequences": [np.nan, np.nan]})
    assert never.summary()["sequences"] == {"median": None, "mean": None, "n": 0}
    assert "sequences" not in build_outcome([1, 0.5]).summary()
