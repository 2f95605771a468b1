"""One label a sequence: sines among noise, in sequences of different lengths."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import lstm_bench as lb
from lstm_bench.data import CsvTask, default_search, forecast_with_baseline
from lstm_bench.data._labelled import split_sequences
from lstm_bench.errors import DataError, RecipeError, UserError
from lstm_bench.recipes import recipe


def waves(count=40, seed=0, longest=20):
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(count):
        rows, kind = int(rng.integers(8, longest)), "sine" if number % 2 else "noise"
        x = rng.normal(0, 0.75, rows)
        if kind == "sine":
            x = np.sin(0.8 * np.arange(rows) + rng.uniform(0, 6)) + rng.normal(0, 0.3, rows)
        columns = {"id": f"s{number}", "t": range(rows), "x": x.round(3), "y": x.round(1) ** 2}
        parts.append(pd.DataFrame({**columns, "kind": kind}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("waves") / "waves.csv"
    waves().to_csv(path, index=False)
    return str(path)


def settings(file, **further):
    options = {"file": file, "target": "kind", "group": "id", "label_per_sequence": True}
    return {**options, "time": "t", **further}


def task(file, **further):
    chosen = settings(file, **further)
    return CsvTask.class_for(chosen)(**chosen)


@given(st.lists(st.integers(3, 40), min_size=1, max_size=4), st.sampled_from([0.1, 0.2, 0.4]))
def test_each_part_has_the_same_share_of_each_label(sizes, unseen):
    labels = {f"{n}-{k}": str(n) for n, size in enumerate(sizes) for k in range(size)}
    lengths = {name: 5 + place % 3 for place, name in enumerate(labels)}
    starts, order = split_sequences("f", unseen, labels, lengths)
    assert sorted(order.values()) == list(range(len(labels)))
    for n, size in enumerate(sizes):
        parts = [starts[name] for name in labels if labels[name] == str(n)]
        test = sum(part == (0, 0) for part in parts)
        validation = sum(part[0] == 0 and part[1] > 0 for part in parts)
        assert test == validation >= 1
        assert test == min(max(1, round(unseen * size)), (size - 1) // 2)
        assert size - test - validation >= 1
    assert split_sequences("f", unseen, labels, lengths) == (starts, order)  # no seed in it


def test_whole_sequences_are_scored_after_their_last_row(file):
    frame, chosen = waves(), task(file)
    problem, data = chosen.problem(0), chosen.prepared
    assert chosen.problem(7) is problem
    held_out = {s.name for s in data.series if s.test_start == 0}
    assert len(held_out) == 8 and len(problem.train) == 32 and len(problem.unseen) == 8
    groups = {str(name): rows for name, rows in frame.groupby("id", sort=False)}
    learnt = frame[~frame["id"].isin(held_out)][["x", "y"]]
    names = [s.series.name for s in chosen.file_sequences.segments]
    for name, sequence in zip(names, problem.sequences, strict=True):
        rows = groups[name]
        expected = (rows[["x", "y"]] - learnt.mean()) / learnt.std(ddof=0)
        np.testing.assert_allclose(sequence.inputs, expected, rtol=1e-9)
        assert sequence.scored.tolist() == [False] * (len(rows) - 1) + [True]
        assert chosen.labels[sequence.targets[-1]] == rows["kind"].iloc[0]
    assert set(names[len(problem.train) :]) == held_out
    assert chosen.chance == 0.5


def test_a_search_never_sees_the_sequences_that_finalists_are_scored_on(file):
    searched, scored = task(file, part="validation"), task(file)
    test = {s.series.name for s in scored.file_sequences.segments[32:]}
    seen = {s.series.name for s in searched.file_sequences.segments}
    assert len(searched.problem(0).unseen) == 8
    assert not test & seen and len(test | seen) == 40


def summaries(frame):
    """Returns the summary features by pandas, one row a sequence, in the order of the file."""
    groups = frame.groupby("id", sort=False)
    parts = [
        pd.DataFrame(
            {
                "mean": groups[name].mean(), "sd": groups[name].std(ddof=0),
                "min": groups[name].min(), "max": groups[name].max(), "last": groups[name].last(),
            }
        )
        for name in ("x", "y")
    ]  # fmt: skip
    return pd.concat([*parts, groups.size()], axis=1).to_numpy(), groups["kind"].first()


def test_baselines_are_those_of_scikit_learn_on_summaries(file):
    chosen = task(file)
    features, labels = summaries(waves())
    names = [s.series.name for s in chosen.file_sequences.segments]
    place = {name: number for number, name in enumerate(labels.index)}
    order = [place[name] for name in names]
    x, y = features[order], labels.to_numpy()[order]
    scaler = StandardScaler().fit(x[:32])
    logistic = LogisticRegression(max_iter=1000).fit(scaler.transform(x[:32]), y[:32])
    boosted = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
    boosted.fit(x[:32], y[:32])
    expected = {
        "most frequent": np.array(["noise"] * 40),
        "logistic regression of summary features": logistic.predict(scaler.transform(x)),
        "gradient boosting of summary features": boosted.predict(x),
    }
    forecasts = chosen.baselines()
    assert list(forecasts) == list(expected)
    for name, arrays in forecasts.items():
        assert [len(array) for array in arrays] == [len(s) for s in chosen.problem(0).sequences]
        found = [chosen.labels[int(array[-1])] for array in arrays]
        assert found == expected[name].tolist()
    assert chosen.baselines(3) == {}


def test_a_baseline_labels_the_sequences_of_another_file(file, tmp_path):
    chosen = task(file)
    new = waves(10, seed=1).drop(columns="kind")
    new.to_csv(tmp_path / "new.csv", index=False)
    name = "logistic regression of summary features"
    table = forecast_with_baseline(chosen, name, str(tmp_path / "new.csv"))
    assert table.columns.tolist() == ["id", "predicted"]
    assert table["id"].tolist() == [f"s{n}" for n in range(10)]
    features, labels = summaries(waves())
    held_out = {s.name for s in chosen.prepared.series if s.test_start == 0}
    train = ~labels.index.isin(held_out)
    scaler = StandardScaler().fit(features[train])
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(features[train]), labels[train])
    expected = model.predict(scaler.transform(summaries(waves(10, seed=1))[0]))
    assert table["predicted"].tolist() == expected.tolist()


def test_a_file_in_any_order_of_rows_is_read_by_its_times(file, tmp_path):
    frame = waves().sample(frac=1, random_state=0)
    first = pd.Index(frame["id"]).unique()  # sequences are numbered as they come
    frame.to_csv(tmp_path / "mixed.csv", index=False)
    mixed = {s.name: s for s in task(str(tmp_path / "mixed.csv")).prepared.series}
    assert list(mixed) == first.tolist()
    for series in task(file).prepared.series:
        np.testing.assert_array_equal(series.inputs, mixed[series.name].inputs)


def changed(tmp_path, change):
    frame = waves()
    change(frame)
    frame.to_csv(tmp_path / "changed.csv", index=False)
    return str(tmp_path / "changed.csv")


def test_a_label_that_varies_is_refused_with_its_sequence(tmp_path):
    def change(frame):
        frame.loc[frame.index[frame["id"] == "s3"][4], "kind"] = "noise"

    with pytest.raises(DataError, match=r"'kind' of id 's3' is 'noise', 'sine'; correct these"):
        task(changed(tmp_path, change))


def test_a_label_of_two_sequences_is_refused(tmp_path):
    def change(frame):
        frame.loc[frame["id"].isin(["s3", "s8"]), "kind"] = "rare"

    with pytest.raises(DataError, match="'rare' has 2; leave them out"):
        task(changed(tmp_path, change))


@pytest.mark.parametrize(
    ("further", "message"),
    [
        ({"group": None}, "group must name the column that says which sequence"),
        ({"target": None}, "target must name the column that labels the sequences"),
        ({"group": "kind"}, "both target and group"),
        ({"horizon": 3}, "horizon must be left out"),
        ({"origins": 5}, "origins must be left out"),
        ({"latest": 50, "season": 3}, "latest, season must be left out"),
        ({"target_kind": "real"}, "target_kind is real; leave it out"),
        ({"columns": []}, "there are none of numbers that vary"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_repair(file, further, message):
    with pytest.raises((RecipeError, UserError), match=message):
        recipe("csv", **{k: v for k, v in settings(file, **further).items() if v is not None})


def test_notes_say_how_sequences_are_split_and_what_chance_is(file):
    notes = " / ".join(task(file).prepared.notes)
    assert "label of each sequence: kind, 2 different" in notes
    assert "'noise', 50 % of the sequences" in notes
    assert "40 sequences, one for each id, of 8 to 19 rows" in notes
    assert "training set: 24 sequences, validation set: 8, test set: 8" in notes
    assert "the same for every seed" in notes
    space = default_search({"task": "csv", **settings(file)})["space"]
    assert "framing" not in space and "window" not in space


@pytest.mark.long
def test_the_network_labels_as_plain_keras_does_with_its_weights(tmp_path):
    import keras

    from lstm_bench.training import forecast_file

    waves(200).to_csv(tmp_path / "waves.csv", index=False)
    file, chosen = str(tmp_path / "waves.csv"), {"epochs": 60, "units": 16}
    outcome = lb.run("csv", seeds=2, **settings(file), **chosen)
    (tmp_path / "network.keras").write_bytes(outcome.model)
    network = keras.models.load_model(tmp_path / "network.keras")
    frame, data = waves(200), task(file).prepared
    held_out = [s.name for s in data.series if s.test_start == 0]
    learnt = frame[~frame["id"].isin(held_out)][["x", "y"]]
    longest = int(frame.groupby("id").size().max())
    labels = []
    for name in held_out:  # one at a time, padded with zeros after its end
        rows = frame.loc[frame["id"] == name, ["x", "y"]]
        x = np.zeros((1, longest, 2), np.float32)
        x[0, : len(rows)] = (rows - learnt.mean()) / learnt.std(ddof=0)
        outputs = network.predict(x, verbose=0)[0, len(rows) - 1]
        labels.append(sorted(frame["kind"].unique())[int(outputs.argmax())])
    best = outcome.predictions[outcome.predictions["seed"] == outcome.best_seed]
    assert dict(zip(best["input"], best["predicted"], strict=True)) == dict(
        zip(held_out, labels, strict=True)
    )
    truth = [frame.loc[frame["id"] == name, "kind"].iloc[0] for name in held_out]
    accuracy = np.mean([a == b for a, b in zip(labels, truth, strict=True)])
    assert outcome.seeds.set_index("seed").loc[outcome.best_seed, "accuracy"] == accuracy
    assert accuracy > 0.8  # half of them by chance
    # A row a sequence of a file, also without its labels.
    frame.drop(columns="kind").to_csv(tmp_path / "new.csv", index=False)
    table = forecast_file(outcome, str(tmp_path / "new.csv"))
    assert table.columns.tolist() == ["id", "predicted", "output"]
    assert len(table) == 200 and table["output"].between(0.5, 1).all()
    by_name = dict(zip(table["id"], table["predicted"], strict=True))
    assert [by_name[name] for name in held_out] == labels
    # Both engines learn the same.
    keras_run = lb.run("csv", seeds=1, engine="keras", **settings(file), **chosen | {"epochs": 3})
    compiled = lb.run("csv", seeds=1, **settings(file), **chosen | {"epochs": 3})
    np.testing.assert_allclose(keras_run.seeds["loss"], compiled.seeds["loss"], rtol=1e-4)
