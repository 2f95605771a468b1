"""Networks from files: those of this package are opened unchanged, all others are refused."""

import copy
import dataclasses
import io
import json
import random
import resource
import time
import zipfile

import h5py
import keras
import numpy as np
import pytest

from lstm_bench.data._csv_task import EXAMPLE
from lstm_bench.errors import RecipeError, StoreError, UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.training._forecast import forecast_file, load_network
from lstm_bench.training._model_file import open_network
from lstm_bench.training._models import MODELS, build
from lstm_bench.training._prediction import predict_symbols
from lstm_bench.training._run import keras_file, run


@pytest.fixture(scope="module")
def outcomes():
    small = {"epochs": 2, "units": 3}
    return {name: run(recipe(name, **small), [0]) for name in ("memory", "csv")}


@pytest.fixture
def file(outcomes):
    return outcomes["memory"].model


def parts(file):
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_config(file, change):
    members = parts(file)
    config = json.loads(members["config.json"])
    change(config)
    return packed({**members, "config.json": json.dumps(config)})


def refused(file, message):
    """Asserts that a file is refused quickly, and without memory for the sizes it declares."""
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with pytest.raises(StoreError) as caught:
        open_network(file)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KB, the most ever
    assert time.perf_counter() - start < 1 and used < 300_000
    text = str(caught.value)
    assert text.startswith("its network cannot be used (") and text.isprintable()
    assert text.endswith("; run its sweep again") and message in text


def valid_recipes():
    """Yields a recipe of every kind of network."""
    for network in MODELS:
        for framing in ("window", "whole"):
            for more in (
                {},
                {"stateful": True},
                {"bidirectional": True, "layers": 2},
                {"dropout": 0.2, "output": "sigmoid"},
            ):
                base = {"network": network, "framing": framing, "units": 4, "stateful": False}
                try:
                    yield recipe("alphabet", **base | more)
                except RecipeError:
                    continue
        yield recipe("csv", network=network, units=4)
    for more in (
        {"block_size": 2, "biases": "gates", "output_gate": False, "dropout": 0.1},
        {"recurrent_inputs": False, "biases": "none", "layers": 2, "framing": "whole"},
        {"squashing": "positive", "biases": "hidden", "bidirectional": True, "framing": "window"},
    ):
        base = {"network": "lstm_1997", "units": 4, "stateful": False, "framing": "pairs"}
        yield recipe("alphabet", **base | more)
    yield recipe("memory", network="lstm_1997", units=4, recurrent_inputs=False)  # stateful


@pytest.mark.parametrize("chosen", [pytest.param(r, id=r.name) for r in valid_recipes()])
def test_every_network_of_this_package_is_opened_with_the_same_weights(chosen):
    samples = chosen.samples(0)
    shape = samples.x.shape[1:]
    batch = 1 if chosen.stateful else None
    model = build(chosen, shape, samples.y.shape[-1], batch, plain=True)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=v.shape).astype(np.float32) for v in model.trainable_variables]
    network = open_network(keras_file(chosen, 0, weights))
    for variable, value in zip(network.trainable_variables, weights, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    x = rng.normal(size=(1, *shape)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(network(x)), np.asarray(model(x)), atol=1e-6)


# ---- Classes and functions


def saved(model):
    """Returns the bytes of the file that Keras writes for a model."""
    from keras.src.saving import saving_lib

    buffer = io.BytesIO()
    saving_lib.save_model(model, buffer)
    return buffer.getvalue()


def test_a_lambda_is_not_opened():
    inputs = keras.Input((3, 5))
    outputs = keras.layers.Lambda(lambda x: x * 2)(keras.layers.Flatten()(inputs))
    refused(saved(keras.Model(inputs, outputs)), "'keras.layers'.'Lambda'")


@pytest.mark.parametrize(
    "layer", [keras.layers.Embedding(9, 2), keras.layers.TimeDistributed(keras.layers.Dense(2))]
)
def test_other_layers_are_not_opened(layer):
    inputs = keras.Input((3, 5))
    refused(saved(keras.Model(inputs, layer(inputs))), "it must be made of Dense, Conv1D")


def test_a_sequential_model_is_not_opened():
    refused(saved(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])), "'Sequential'")


EVIL = {"module": "builtins", "class_name": "eval", "config": "1", "registered_name": None}
FUNCTION = {"module": "builtins", "class_name": "function", "config": "exec",
            "registered_name": "function"}  # fmt: skip


@pytest.mark.parametrize("evil", [EVIL, FUNCTION, {**EVIL, "module": "os", "class_name": "system"}])
@pytest.mark.parametrize("key", ["dtype", "activation", "kernel_initializer", "name", "seed"])
def test_a_class_or_function_of_another_module_is_not_created(file, evil, key):
    def change(config):
        config["config"]["layers"][1]["config"][key] = evil

    rule = "activation must be one of" if key == "activation" else "its layers must be plain"
    refused(with_config(file, change), rule)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(EVIL), "it must be a chain of layers"),
        (lambda c: c["config"]["layers"].insert(1, EVIL), "inbound_nodes"),
        (lambda c: c["config"]["layers"][1].update(module="builtins"), "'builtins'.'LSTM'"),
        (lambda c: c["config"]["layers"][1].update(registered_name="a>b"), "it must be made of"),
        (lambda c: c["config"]["layers"][1]["config"].update(activation="os>system"), "os>system"),
        (lambda c: c["config"]["layers"][1]["config"].update(bias_regularizer="l2"), "'l2'"),
        (lambda c: c["config"]["layers"][2]["config"].update(dtype=[EVIL]), "must be plain"),
        (lambda c: c["config"]["output_layers"].__setitem__(0, "rnn_1"), "ends of its chain"),
    ],
)
def test_a_description_with_other_parts_is_refused(file, change, message):
    refused(with_config(file, change), message)


# ---- Sizes


def change_layer(number, **changed):
    return lambda config: config["config"]["layers"][number]["config"].update(changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_layer(1, units=10**6), "a layer gets input [1000000], but is built for"),
        (change_layer(2, units=10**8), "but its file holds"),
        (change_layer(1, units=10**18), "sizes must be whole numbers"),
        (change_layer(1, units="5"), "sizes must be whole numbers"),
        (change_layer(1, unroll=True), "unroll must be left out"),
        (change_layer(0, batch_shape=[10**9, 1, 5]), "batch size 1 or of any batch size"),
        (change_layer(0, batch_shape=[1, 10**8, 5]), "a sample may have"),
        (change_layer(0, batch_shape=[1, 1, 6]), "a layer gets input [1, 6], but is built for"),
        (lambda c: c["config"]["layers"][1].update(build_config={"input_shape": [1, 1, 10**9]}),
         "a layer gets input [1, 5], but is built for"),
    ],
)  # fmt: skip
def test_sizes_beyond_the_file_are_refused(file, change, message):
    refused(with_config(file, change), message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_layer(1, units=6), "a layer gets input [6], but is built for"),
        (change_layer(1, block_size=3), "has options that do not exist"),
        (change_layer(1, block_size=0), "sizes must be whole numbers"),
        (change_layer(1, squashing={"a": 1}), "has options that do not exist"),
        (change_layer(1, biases="some"), "has options that do not exist"),
        (change_layer(1, output_gate=3), "has options that do not exist"),
        (change_layer(1, recurrent_inputs=[]), "has options that do not exist"),
        (change_layer(1, bias_initializer=EVIL), "its layers must be plain"),
        (lambda c: c["config"]["layers"][1].update(registered_name=None), "it must be made of"),
        (lambda c: c["config"]["layers"][1].update(module="keras.layers"), "it must be made of"),
    ],
)
def test_an_lstm_of_1997_with_other_options_is_refused(change, message):
    chosen = recipe("alphabet", network="lstm_1997", units=4, framing="pairs")
    samples = chosen.samples(0)
    model = build(chosen, samples.x.shape[1:], samples.y.shape[-1], None, plain=True)
    weights = [np.zeros(v.shape, np.float32) for v in model.trainable_variables]
    refused(with_config(keras_file(chosen, 0, weights), change), message)


def test_a_layer_in_the_place_of_an_option_is_refused(file):
    layer = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 10**6},
             "registered_name": None, "build_config": {"input_shape": [1, 10**6]}}  # fmt: skip
    refused(with_config(file, change_layer(1, bias_initializer=layer)), "its layers must be plain")


def test_a_bomb_is_not_unpacked(file):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts(file).items():
            with archive.open(name, "w") as member:
                member.write(data)
                for _ in range(1000 * (name == "model.weights.h5")):
                    member.write(bytes(10**6))
    assert len(buffer.getvalue()) < 10**7
    refused(buffer.getvalue(), "must not be compressed")


def test_the_declared_sizes_of_an_archive_must_be_in_it(file):
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        info = archive.getinfo("config.json")
    size = info.file_size.to_bytes(4, "little")
    assert file.count(size * 2) == 2
    refused(
        file.replace(size * 2, size + (10**9).to_bytes(4, "little")),
        "declares more bytes than it holds",
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("extra", ["assets/a.txt", "../../a", "config.json", "a.weights.npz"])
def test_no_other_files_may_be_in_it(file, extra):
    buffer = io.BytesIO(file)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(extra, b"{}")
    refused(buffer.getvalue(), "its file must hold config.json, metadata.json, model.weights.h5")


# ---- Weights


def with_weights(file, change):
    members = parts(file)
    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as weights:
        change(weights)
    return packed({**members, "model.weights.h5": buffer.getvalue()})


def outside(weights):
    del weights["layers"]
    weights["layers"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(weights):
    weights["again"] = h5py.SoftLink("/layers")


def huge(weights):
    weights.create_dataset("huge", (10**9,), np.float32)


def compressed(weights):
    weights.create_dataset("tight", data=np.zeros(10**6, np.float32), compression="gzip")


def text(weights):
    weights.create_dataset("text", data="hello")


def in_another_file(weights):
    weights.create_dataset("file", (4,), np.float32, external=[("/etc/passwd", 0, 16)])


def circle(weights):
    weights["layers/again"] = weights["layers"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (outside, "must lie in its own file"),
        (soft, "must lie in its own file"),
        (circle, "no larger than its file"),
        (huge, "uncompressed in its file"),
        (compressed, "uncompressed in its file"),
        (in_another_file, "uncompressed in its file"),
        (text, "must be floating point numbers"),
    ],
)
def test_weights_must_lie_uncompressed_in_the_file(file, change, message):
    refused(with_weights(file, change), message)


def test_missing_weights_are_noticed(file):
    def change(weights):
        name = next(iter(weights["layers"]))
        del weights["layers"][name]

    refused(with_weights(file, change), "but its file holds")


# ---- Damage


def test_a_damaged_file_is_opened_or_refused(file):
    rng = random.Random(0)
    cuts = [b"", file[:50], file[: len(file) // 2], file[:-1]]
    flips = []
    for _ in range(60):
        flipped = bytearray(file)
        flipped[rng.randrange(len(file))] ^= 1 << rng.randrange(8)
        flips.append(bytes(flipped))
    opened = 0
    for data in cuts + flips:
        try:
            opened += isinstance(open_network(data), keras.Model)
        except StoreError:
            continue
    assert opened < 10


def test_a_description_with_any_error_is_opened_or_refused(file):
    members = parts(file)
    config = json.loads(members["config.json"])
    rng = random.Random(0)
    refusals = 0
    for _ in range(80):
        changed = copy.deepcopy(config)
        inner, above = changed["config"], changed
        while isinstance(inner, dict | list) and inner and rng.random() < 0.85:
            key = rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            above, inner = inner, inner[key]
        if above is changed:
            continue
        above[key] = rng.choice([None, -1, 10**9, "x", [], {}, EVIL, True, 0.5])
        try:
            open_network(packed({**members, "config.json": json.dumps(changed)}))
        except StoreError:
            refusals += 1
    assert refusals > 30


# ---- Predictions


def test_a_network_of_another_run_is_not_used(outcomes, tmp_path):
    other = run(recipe("csv", epochs=1, units=3, window=4), [0])
    mixed = dataclasses.replace(outcomes["memory"], model=other.model)
    with pytest.raises(StoreError, match=r"must have weights of the shapes.*run its sweep again"):
        predict_symbols(mixed, "3 0 1")
    mixed = dataclasses.replace(outcomes["csv"], model=outcomes["memory"].model)
    with pytest.raises(UserError, match=r"time steps|has inputs and outputs"):
        forecast_file(mixed, str(EXAMPLE))
    with pytest.raises(StoreError, match="has no model in the store"):
        load_network(dataclasses.replace(mixed, model=b""))


@pytest.mark.long
@pytest.mark.parametrize("where", ["data", "settings"])
def test_facts_that_a_forecast_needs_may_be_missing_or_have_any_value(outcomes, where):
    outcome = outcomes["csv"]
    facts = json.loads(json.dumps(dict(getattr(outcome, where))))
    input_settings = ["framing", "window", "encoding", "stateful"]
    places = [(facts, key) for key in (facts if where == "data" else input_settings)]
    places += [(facts["columns"], key) for key in facts.get("columns", ())]
    refusals = {"missing": 0}
    for holder, key in places:
        for other in ("missing", None, 0, "x", [], {}, [["sunspots", 1.0, 0.0]], 10**9):
            original = holder.pop(key)
            if other != "missing":
                holder[key] = other
            changed = dataclasses.replace(outcome, **{where: copy.deepcopy(facts)})
            holder[key] = original
            try:
                assert len(forecast_file(changed, str(EXAMPLE)))
            except UserError as error:
                assert str(error).isprintable()
                refusals[str(other)] = refusals.get(str(other), 0) + 1
    stored_later = {"time_format", "aggregate"} & facts.get("columns", {}).keys()
    assert refusals["missing"] == len(places) - len(stored_later)
    assert refusals["{}"] == len(places)
