"""Networks of the user's own: `network: my_module:build`, on both engines."""

import json
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

import lstm_bench as lb
from lstm_bench.errors import RecipeError, SweepError, UserError
from lstm_bench.export import export_script
from lstm_bench.recipes import recipe, recipe_from_settings
from lstm_bench.testing import network_checks
from lstm_bench.testing._network_checks import NETWORK_CHECKS
from lstm_bench.training import keras_file, run
from lstm_bench.training._engine import get_engine
from lstm_bench.training._model_file import open_own_network

NETWORK = """
    '''A network with parts of its own.'''

    import keras

    from my_parts import Scaled, START


    def build(recipe, input_shape, output_shape):
        inputs = keras.Input(input_shape)
        x = Scaled()(keras.layers.Dense(recipe.units, activation="tanh")(inputs))
        x = keras.layers.GRU(recipe.units, return_sequences=len(output_shape) == 2)(x)
        x = keras.layers.Dropout(recipe.dropout)(x) if recipe.dropout else x
        return keras.Model(inputs, keras.layers.Dense(output_shape[-1], recipe.output)(x))
    """
PARTS = """
    import keras

    START = 1.5


    class Scaled(keras.layers.Layer):
        def build(self, shape):
            constant = keras.initializers.Constant(START)
            self.scale = self.add_weight(shape=(shape[-1],), initializer=constant, name="scale")

        def call(self, x):
            return x * self.scale
    """
SMALL = {"network": "my_network:build", "stateful": False, "units": 4, "epochs": 3}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("my_network", NETWORK)
    write("my_parts", PARTS)


def write(module, text):
    Path(f"{module}.py").write_text(textwrap.dedent(text).lstrip())


def chosen(**settings):
    return recipe("alphabet", **{**SMALL, "framing": "window", "batch_size": 5, **settings})


def train(engine, chosen, seed=3):
    return get_engine(engine).train(chosen, [seed]).runs[0]


# ---- What is trained


def by_hand(seed, draws, epochs):
    """Returns the losses of the same network in plain Keras, without anything of this package."""
    letters = np.arange(25)
    x = np.stack([letters[i : i + 3] for i in range(23)])[..., None].astype("float32") / 26
    y = np.eye(26, dtype="float32")[np.arange(3, 26)]
    keras.utils.set_random_seed(draws)
    inputs = keras.Input((3, 1))
    hidden = keras.layers.Dense(4, activation="tanh")(inputs)
    scale = keras.layers.EinsumDense("btf,f->btf", (3, 4), kernel_initializer="ones")(hidden)
    hidden = keras.layers.GRU(4)(scale)
    model = keras.Model(inputs, keras.layers.Dense(26, "softmax")(hidden))
    for variable in model.trainable_variables:
        if variable.path.startswith("einsum"):
            variable.assign(np.full(variable.shape, 1.5))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(0.01))
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(3,))))
    losses = []
    for _ in range(epochs):
        order = rng.permutation(23)
        history = model.fit(x[order], y[order], batch_size=5, shuffle=False, verbose=0)
        losses.append(history.history["loss"][0])
    return losses


@pytest.mark.long
@pytest.mark.parametrize("engine", ["keras", "compiled"])
def test_an_engine_trains_the_network_as_plain_keras_does(engine):
    sequence = np.random.SeedSequence(3, spawn_key=(2,))  # 2: initial weights
    draws = int(sequence.generate_state(1, np.uint32)[0] >> 1)
    trained = train(engine, chosen(learning_rate=0.01))
    assert trained.loss == pytest.approx(by_hand(3, draws, 3), rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"framing": "whole", "batch_size": 1},
        {"framing": "window", "batch_size": 4, "clip_norm": 0.5, "accumulate": 2},
        {"framing": "prefixes", "batch_size": "all", "optimizer": "sgd", "momentum": 0.5},
    ],
)  # fmt: skip
def test_both_engines_train_it_alike(settings):
    plain, compiled = (train(engine, chosen(**settings)) for engine in ("keras", "compiled"))
    assert compiled.loss == pytest.approx(plain.loss, rel=1e-5)
    assert np.abs(compiled.outputs - plain.outputs).max() < 1e-5


@pytest.mark.long
@network_checks(recipe("alphabet", network="own_network_example:build", units=3, framing="window"))
def test_the_example_keeps_the_contract(check):
    check()


@pytest.mark.long
@pytest.mark.parametrize("engine", ["keras", "compiled"])
def test_weights_follow_the_seed_and_nothing_else(engine):
    alone = run(chosen(epochs=1), [1], engine)
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    several = run(chosen(epochs=1), [0, 1, 2], engine, threads=2)
    losses = several.seeds["loss"].tolist()
    assert losses[1] == alone.seeds["loss"][0]  # to the last bit
    assert len(set(losses)) == 3
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.long
def test_dropout_is_drawn_from_the_seed():
    plain = [train("keras", chosen(dropout=0.4), seed).loss.tolist() for seed in (3, 3, 4)]
    assert plain[0] == plain[1] != plain[2]
    compiled = [train("compiled", chosen(dropout=0.4), seed).loss.tolist() for seed in (3, 3)]
    assert compiled[0] == compiled[1]


# ---- Content


def test_the_digest_is_of_the_content_of_the_module_and_of_what_it_imports_here():
    first = chosen().digest
    assert chosen().digest == first
    write("unrelated", "X = 1")
    assert chosen().digest == first
    write("my_parts", PARTS.replace("1.5", "1.6"))
    other = chosen()
    assert other.digest != first
    assert sorted(other.own_network.files) == ["my_network.py", "my_parts.py"]
    write("my_network", NETWORK + "\n    # a comment")
    assert chosen().digest not in (first, other.digest)


@pytest.mark.long
def test_a_recipe_is_built_from_the_content_that_it_was_made_with():
    before = chosen(epochs=1)
    expected = train("keras", before).loss.tolist()
    settings = pickle.loads(pickle.dumps(before.settings))  # as a worker gets them
    write("my_parts", PARTS.replace("1.5", "-2.5"))
    after = chosen(epochs=1)
    assert train("keras", after).loss.tolist() != expected
    assert train("compiled", after).loss == pytest.approx(train("keras", after).loss, rel=1e-5)
    Path("my_network.py").unlink()
    Path("my_parts.py").unlink()
    sent = recipe_from_settings(settings, lb.recipes.BUILT_IN_TASKS)
    assert (sent.digest, train("keras", sent).loss.tolist()) == (before.digest, expected)
    assert "my_parts" not in sys.modules


@pytest.mark.long
def test_packages_and_relative_imports_travel_too():
    Path("nets/deep").mkdir(parents=True)
    Path("nets/__init__.py").write_text("")
    Path("nets/deep/sizes.py").write_text("EXTRA = 2\n")
    code = textwrap.dedent(NETWORK).replace("Scaled()(", "(")
    code = code.replace("from my_parts import Scaled, START", "from .deep.sizes import EXTRA")
    Path("nets/gru.py").write_text(code.replace("recipe.units,", "recipe.units + EXTRA,"))
    made = chosen(network="nets.gru:build")
    files = ["nets/__init__.py", "nets/deep/sizes.py", "nets/gru.py"]
    assert sorted(made.own_network.files) == files
    weights = [w.shape for w in train("keras", made).weights]
    assert weights[0] == (1, 6)


def test_settings_are_plain_text_for_json_and_yaml():
    assert json.loads(json.dumps(chosen().settings))["network"] == "my_network:build"
    again = recipe_from_settings(
        json.loads(json.dumps(chosen().settings)), lb.recipes.BUILT_IN_TASKS
    )
    assert again == chosen()
    assert again.digest == chosen().digest


# ---- What is refused

BATCH_NORM = "x = keras.layers.BatchNormalization()(x)"
OTHERS = "x = x - keras.ops.mean(x, axis=0)"
SUBCLASS = """import keras

    class Whole(keras.Model):
        def __init__(self, recipe, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x)"""
REFUSED = {
    r"must return a network for inputs \(batch, 3, 1\) and outputs \(batch, 26\), but raised "
    r"AttributeError: .* has no attribute 'unit' \(my_network.py, line 10\)": [
        ("units, activation", "unit, activation")],
    "must return a keras.Model, but returned str; return keras.Model": [
        ("return keras.Model", "return 'x' if True else keras.Model")],
    r"outputs of shape \(batch, 26\), but has \(batch, 3, 26\); return the output of the last": [
        ("return_sequences=len(output_shape) == 2", "return_sequences=True")],
    r"outputs of shape \(batch, 26\), but has \(batch, 27\); end with": [
        ("Dense(output_shape[-1]", "Dense(27")],
    "must have outputs of a softmax, but an output sums to .*; end with activation": [
        ("recipe.output)(x)", "'linear')(x)")],
    "must draw its initial weights from the seed, but they are the same": [
        ("import keras", "import keras\n    ONES = {'kernel_initializer': 'ones'}"),
        ('activation="tanh"', 'activation="tanh", **ONES'),
        ("GRU(recipe.units", "GRU(recipe.units, recurrent_initializer='ones', **ONES"),
        ("recipe.output)(x)", "recipe.output, **ONES)(x)")],
    "must have no weights but those that gradients train, .* use LayerNormalization": [
        ("x = keras.layers.Dropout", f"{BATCH_NORM}\n        x = keras.layers.Dropout")],
    "but raised ValueError: .*stateful": [  # Keras needs a batch size for it
        ("GRU(recipe.units,", "GRU(recipe.units, stateful=True,")],
    "must add nothing to the loss of the recipe, but layer .* has a regularizer": [
        ('activation="tanh"', 'activation="tanh", kernel_regularizer="l2"')],
    "my_network must be importable, but raised ModuleNotFoundError: .* 'nothing_here'": [
        ("import keras", "import keras, nothing_here")],
    "must treat each sample by itself, but its outputs depend on the rest": [
        ("x = keras.layers.Dropout", f"{OTHERS}\n        x = keras.layers.Dropout")],
    "must be a model that Keras can save, but: NotImplementedError: .* give its classes a get": [
        ("import keras", SUBCLASS), ("return keras.Model(", "return Whole(recipe, keras.Model("),
        ("recipe.output)(x))", "recipe.output)(x)))")],
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("message", "changes"), REFUSED.items(), ids=range(len(REFUSED)))
def test_a_network_that_breaks_a_rule_is_refused(message, changes):
    code = NETWORK
    for old, new in changes:
        assert old in code
        code = code.replace(old, new, 1)
    write("my_network", code)
    with pytest.raises(RecipeError, match=message):
        train("keras", chosen())


AHEAD = {
    "convolution": 'keras.layers.Conv1D(4, 3, padding="same")(x)',
    "attention": "keras.layers.Attention()([x, x])",
    "reversed": "keras.layers.GRU(4, return_sequences=True, go_backwards=True)(x)[:, ::-1]",
}
CAUSAL = {
    "convolution": 'keras.layers.Conv1D(4, 3, padding="causal")(x)',
    "attention": "keras.layers.Attention()([x, x], use_causal_mask=True)",
}


def with_layer(layer):
    write("my_network", NETWORK.replace("x = keras.layers.Dropout", f"x = {layer}\n        #"))


@pytest.mark.parametrize("layer", AHEAD.values(), ids=AHEAD)
def test_a_network_that_reads_the_targets_ahead_is_refused(layer):
    """As `bidirectional=true` is: noise would be forecast without an error."""
    with_layer(layer)
    whole = recipe("memory", **SMALL | {"framing": "whole", "batch_size": 1})
    with pytest.raises(RecipeError, match="must read no later steps, because with framing=whole"):
        train("keras", whole)
    train("keras", recipe("cumulative_sum", **SMALL | {"framing": "whole", "epochs": 1}))


@pytest.mark.parametrize("layer", CAUSAL.values(), ids=CAUSAL)
def test_a_network_that_reads_earlier_steps_alone_is_trained(layer):
    with_layer(layer)
    train("keras", recipe("memory", **SMALL | {"framing": "whole", "batch_size": 1}))


@pytest.mark.parametrize(
    ("layer", "fails"), [("Dropout(0.4)", []), ("BatchNormalization()", ["rules", "seeds"])]
)
def test_a_network_that_draws_random_numbers_keeps_the_contract(layer, fails):
    """The engines draw other numbers, so they are not held to each other."""
    with_layer(f"keras.layers.{layer}(x)")
    failed = []
    for name, check in NETWORK_CHECKS.items():
        try:
            check(chosen())
        except AssertionError:
            failed.append(name)
    assert [name for name in failed if name != "engines" or not fails] == fails


def test_masked_outputs_are_refused():
    write("my_network", NETWORK.replace("Scaled()(", "keras.layers.Masking()("))
    with pytest.raises(RecipeError, match="must have outputs without a mask"):
        train("keras", chosen(framing="whole", batch_size=1))


@pytest.mark.long
def test_what_xla_cannot_compile_is_refused_by_the_compiled_engine_alone():
    text = NETWORK.replace("return x * self.scale", "")
    layer = """

    class Slow(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            y = tf.numpy_function(lambda v: v, [x], tf.float32)
            y.set_shape(x.shape)
            return x + tf.stop_gradient(y)


    def build("""
    write("my_network", text.replace("\n\n    def build(", layer).replace("Scaled()(", "Slow()("))
    assert np.isfinite(train("keras", chosen()).loss).all()
    message = "operations that XLA compiles for the compiled engine, but .* use the engine keras"
    with pytest.raises(RecipeError, match=message):
        train("compiled", chosen())


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("lstn", "must be 'lstm', .* or MODULE:FUNCTION of a network of yours"),
        ("nowhere:build", "there must be a file nowhere.py in the working folder"),
        ("os:system", "there must be a file os.py in the working folder"),
        ("pandas:read_pickle", "one of an installed package must be imported in such a file"),
        ("my_network:bild", "my_network.py must have a function 'bild' at its top level, but has"),
        ("broken:build", "broken.py, line 2 is not valid Python"),
    ],
)
def test_a_name_that_names_no_network_is_refused(network, message):
    Path("broken.py").write_text("import keras\ndef build(:\n")
    with pytest.raises(RecipeError, match=message):
        chosen(network=network)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stateful": True}, "only the recurrent networks of this package keep a state"),
        ({"bidirectional": True}, "belongs to recurrent networks of this package"),
        ({"truncate": 2}, "belongs to lstm, gru or simple_rnn"),
        ({"forget_bias": 1.0}, "only an LSTM has forget gates"),
        ({"kernel_size": 5}, "belongs to network=conv1d"),
        ({"block_size": 2}, "belongs to network=lstm_1997"),
    ],
)
def test_settings_of_other_networks_are_refused(settings, message):
    with pytest.raises(RecipeError, match=message):
        chosen(**settings)


# ---- What is done with it


@pytest.mark.long
def test_the_trained_network_is_a_file_that_keras_opens_and_that_is_read_back_by_content():
    made = chosen(epochs=1, framing="whole", batch_size=1)
    trained = train("compiled", made)
    file = keras_file(made, 3, trained.weights)
    again = open_own_network(file, made.own_network, made.settings)
    x = trained.samples.x
    assert np.abs(again.predict(x, verbose=0) - trained.outputs.reshape(1, 25, 26)).max() < 1e-5
    Path("opened.keras").write_bytes(file)
    sys.path.insert(0, ".")
    try:
        from my_parts import Scaled

        plain = keras.models.load_model("opened.keras", custom_objects={"Scaled": Scaled})
    finally:
        sys.path.remove(".")
        sys.modules.pop("my_parts", None)
    assert np.array_equal(plain.predict(x, verbose=0), again.predict(x, verbose=0))


@pytest.mark.long
def test_the_exported_script_trains_it_to_the_same_losses(tmp_path):
    """In a process that has neither this package nor the module on its path."""
    made = chosen(dropout=0.3)
    script = tmp_path / "away" / "script.py"
    script.parent.mkdir()
    script.write_text(export_script(made, seed=3))
    Path("my_network.py").unlink()
    ended = subprocess.run(
        [sys.executable, "-I", str(script), "--losses"],
        cwd=script.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    lines = [line for line in ended.stdout.splitlines() if line.startswith("epoch")]
    losses = [float(line.split("loss ")[1]) for line in lines]
    assert losses == pytest.approx(train("keras", made).loss.tolist(), rel=1e-6)


def test_a_function_stands_for_its_name_in_python(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    from my_network import build

    by_function = recipe("alphabet", **{**SMALL, "network": build, "framing": "window"})
    assert by_function.network == "my_network:build"
    assert by_function.digest == recipe("alphabet", **SMALL, framing="window").digest
    with pytest.raises(RecipeError, match="a function in a module, so that worker processes"):
        recipe("alphabet", **{**SMALL, "network": lambda recipe, inputs, outputs: None})
    with pytest.raises(UserError, match="must be a function in a module"):
        lb.search("memory", {"network": [lambda *shapes: None]})
    for module in ("my_network", "my_parts"):
        sys.modules.pop(module)


def test_sweep_files_may_name_it_as_a_recipe_and_as_a_choice(tmp_path):
    from lstm_bench.sweeps import load_sweep

    document = {
        "task": "memory",
        "stateful": False,
        "recipes": {"A": {"network": "my_network:build"}, "B": {"network": "lstm"}},
        "search": {"space": {"network": ["my_network:build", "gru"], "units": [4, 8]}},
    }
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(document))
    assert load_sweep(path).entries["A"].recipe.own_network.function == "build"
    document["search"]["space"]["network"][0] = "my_network:bild"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(SweepError, match=r"search.space.network: .* a function 'bild'"):
        load_sweep(path)


@pytest.mark.long
def test_it_is_searched_repeated_compared_predicted_and_exported(command, tmp_path):
    document = {
        "task": "memory",
        "seeds": 2,
        "stateful": False,
        "epochs": 3,
        "framing": "window",
        "window": 2,
        "batch_size": 2,
        "recipes": {"own": {"network": "my_network:build", "units": 5}, "lstm": {}},
        "comparisons": {"own against lstm": {"of": "own", "to": "lstm"}},
        "search": {"trials": 4, "startup": 2, "confirm": 1,
                   "space": {"network": ["my_network:build", "lstm"], "units": [4, 8]}},
    }  # fmt: skip
    Path("s.yaml").write_text(yaml.safe_dump(document))
    code, out, _ = command("sweep", "s.yaml", "--json")
    assert code == 0
    assert "own" in json.loads(out)["recipes"]
    code, out, _ = command("predict", "s:own", "3 0 1 2", "--json")
    assert code == 0
    assert command("export", "s:own", "--model", "own.keras")[0] == 0
    assert command("export", "s:own", "--output", "own.py")[0] == 0
    original = Path("my_parts.py").read_text()
    write("my_parts", PARTS.replace("1.5", "9.0"))
    for words in (("predict", "s:own", "3 0 1 2"), ("export", "s:own")):
        code, _, err = command(*words)
        assert code == 2
        assert "they have other content now; restore" in " ".join(err.split())
    Path("my_parts.py").write_text(original)
    shutil.rmtree("reports")
    assert command("report", "s")[0] == 0
    code, out, _ = command("sweep", "s.yaml", "--json")  # nothing is run again
    assert code == 0
