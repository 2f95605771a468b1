"""A plain text as a sequence of characters."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import default_name
from lstm_bench.data._text_baselines import context_forecasts
from lstm_bench.errors import RecipeError, UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.sweeps._sweep import sweep_over_file
from lstm_bench.training._forecast import forecast_file
from lstm_bench.training._run import run

TEXT = "The cat sat.\nThe dog, - too = sat? " * 6


@pytest.fixture
def book(file):
    return file(TEXT.replace("\n", "\r\n"), "book.txt")


def test_each_character_is_a_symbol_as_it_is_and_the_next_one_its_target(book):
    task = CsvTask.class_for({"file": book, "text": True})(file=book, text=True)
    labels = sorted(set(TEXT))
    assert list(task.labels) == labels and "\n" in labels and "T" in labels and "t" in labels
    (train,), (unseen,) = task.problem(0).train, task.problem(0).unseen
    cut = len(TEXT) - round(0.2 * len(TEXT))
    assert "".join(labels[n] for n in train.inputs) == TEXT[: cut - 1]
    assert "".join(labels[n] for n in train.targets) == TEXT[1:cut]
    assert "".join(labels[n] for n in unseen.targets[unseen.scored]) == TEXT[cut:]
    times, _ = task.step_times(np.array([1]), np.array([len(unseen) - 1]))
    assert times.tolist() == [str(len(TEXT))]


def by_hand(train, text, length, horizon):
    """Returns the most frequent character after each context, None after one that is new."""
    counts = {}
    for t in range(length - 1, len(train) - horizon):
        context = train[t - length + 1 : t + 1]
        counts.setdefault(context, Counter())[train[t + horizon]] += 1
    forecasts = []
    for t in range(len(text)):
        seen = counts.get(text[t - length + 1 : t + 1]) if t >= length - 1 else None
        forecasts.append(min(seen, key=lambda c: (-seen[c], c)) if seen else None)
    return forecasts


@settings(max_examples=100)
@given(st.text("abc", min_size=6, max_size=60), st.integers(0, 3), st.integers(1, 2))
def test_contexts_are_those_counted_by_hand(text, length, horizon):
    end = max(horizon + 1, 2 * len(text) // 3)
    codes = np.array(["abc".index(c) for c in text])
    (found,) = context_forecasts([(codes, end - horizon)], [codes], length, 3, horizon)
    if length:
        expected = by_hand(text[:end], text, length, horizon)
    else:
        counts = Counter(text[horizon:end])
        expected = [min(counts, key=lambda c: (-counts[c], c))] * len(text)
    assert [None if n < 0 else "abc"[n] for n in found] == expected


def test_baselines_of_a_text_fall_back_to_shorter_contexts_and_see_no_later_text(book, file):
    task = CsvTask(file=book, text=True)
    forecasts, labels = task.baselines(), task.labels
    assert list(forecasts) == ["most frequent", "most frequent after 1 character",
                               "most frequent after 2 characters",
                               "most frequent after 3 characters"]  # fmt: skip
    cut = len(TEXT) - round(0.2 * len(TEXT))
    train, count = TEXT[:cut], len(TEXT) - cut
    expected = [" "] * count  # the most frequent character
    for length in (1, 2, 3):
        one = by_hand(train, TEXT, length, 1)[cut - 1 : -1]
        expected = [new or old for new, old in zip(one, expected, strict=True)]
        found = forecasts[[*forecasts][length]][1][-count:].astype(int)
        assert [labels[n] for n in found] == expected
    changed = file(TEXT[:-10] + "." * 10, "other.txt")  # the same symbols, other last ones
    later = CsvTask(file=changed, text=True).baselines()
    for name, values in forecasts.items():
        assert np.array_equal(values[1][:-10], later[name][1][:-10])


@pytest.mark.parametrize(("settings", "message"), [
    ({"target": "x"}, "text is one column, the characters of a file, so target must be left out"),
    ({"known": ["x"], "columns": []}, "so columns, known must be left out"),
    ({"file": None}, "so file must name it"),
    ({"horizon": "1..3"}, "so it is one symbol ahead"),
])  # fmt: skip
def test_options_about_columns_are_refused(book, settings, message):
    with pytest.raises(RecipeError, match=message):
        recipe("csv", **{"file": book, "text": True, **settings})


@pytest.mark.parametrize(("content", "message"), [
    (b"\xff\xfe", "must be text in UTF-8, but holds the byte"),
    (b"", "must have characters, but is empty"),
    (b"a\0b", "must be a text file"),
    (b"a" * 4_000_005, "at most 1,000,000 characters of a text are read"),
    (b"aaaaaaa" * 9, "a column of symbols must have 2 to 1,000 different ones"),
])  # fmt: skip
def test_files_that_are_no_text_are_refused(file, content, message):
    with pytest.raises(RecipeError, match=message):
        recipe("csv", file=file(content, "wrong.txt"), text=True)


def test_a_text_is_learnt_and_continued(book, file):
    chosen = recipe("csv", file=book, text=True, window=3, units=16, epochs=60, learning_rate=0.02)
    assert "text" not in recipe("csv").settings
    outcome = run(chosen, [0])
    assert outcome.seeds["accuracy"][0] > 0.7  # the most frequent character: about 0.2
    table = forecast_file(outcome, file("The cat s", "new.txt"))
    assert table["position"].tolist() == [str(n) for n in range(4, 11)]
    assert "".join(table["predicted"])[:3] == " ca"
    with pytest.raises(UserError, match="may hold only the symbols that were trained on"):
        forecast_file(outcome, file("The zebra", "new.txt"))


def test_a_sweep_over_a_text_has_its_name_and_a_search(book):
    sweep = sweep_over_file({"file": book, "text": True}, ["search.trials=3"])
    assert sweep.name == default_name({"task": "csv", "file": book, "text": True})
    assert sweep.name == "book-character" and sweep.search.trials == 3
