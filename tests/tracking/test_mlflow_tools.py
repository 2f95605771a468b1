"""What MLflow's users expect of a store, read with MLflow and Keras alone."""

import base64
import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zlib
from pathlib import Path

import keras
import mlflow
import numpy as np
import pytest
from outcome_builder import build_outcome

from lstm_bench.provenance import full_commit, provenance
from lstm_bench.tracking._logging import dataset_input
from lstm_bench.tracking._moved_folder import adopt_moved_runs
from lstm_bench.tracking._network import network_shapes, opens_with_keras_alone
from lstm_bench.tracking._runs_view import TAG, runs_page, view_key, view_tag
from lstm_bench.tracking._single_runs import log_single_run
from lstm_bench.tracking._store import Store

WINDOW = {"task": "memory", "alphabet": 5, "framing": "window", "window": 3, "units": 4}


def a_network(batch=None, sequences=False):
    """Returns the bytes of a `.keras` file, and the network in it."""
    layers = [
        keras.layers.Input((3, 5), batch_size=batch),
        keras.layers.LSTM(4, stateful=batch is not None, return_sequences=sequences),
        keras.layers.Dense(2),
    ]
    network = keras.Sequential(layers)
    functional = keras.Model(network.inputs, network.outputs)
    file = io.BytesIO()
    keras.src.saving.saving_lib._save_model_to_fileobj(functional, file, "h5")
    return file.getvalue(), functional


@pytest.fixture(scope="module", name="logged")
def _logged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    store = Store(f"sqlite:///{folder}/mlflow.db", folder / "mlartifacts")
    file, network = a_network()
    outcome = build_outcome(
        [0.5, 1.0, 0.75],
        seeds=[10_000, 10_001, 10_002],
        settings=WINDOW,
        model=file,
        provenance=provenance(["run"]),
        digest="49c5394b771c",
    )
    run_id = log_single_run(store, outcome)
    return folder, store, run_id, network, outcome


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("batch", [None, 7])
def test_the_shapes_are_those_of_the_network(batch, sequences):
    file, network = a_network(batch, sequences)
    expected = [
        [-1 if n is None else n for n in shape]
        for shape in (network.input_shape, network.output_shape)
    ]
    assert list(network_shapes(file)) == expected


class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(
    ("layer", "opens"),
    [
        (keras.layers.Activation("relu"), True),
        (keras.layers.Lambda(lambda x: 2 * x), False),
        (Doubled(), False),
    ],
    ids=["of Keras", "Lambda", "own"],
)
def test_a_network_of_ones_own_is_written_if_keras_alone_opens_it(layer, opens, sequences):
    shape = (3, 2) if sequences else (2,)
    inputs = keras.Input((3, 5))
    inner = keras.layers.LSTM(2, return_sequences=sequences)(inputs)
    inner = keras.Model(inputs, layer(inner))
    network = keras.Model(inputs, keras.layers.Reshape(shape)(inner(inputs)))
    file = io.BytesIO()
    keras.src.saving.saving_lib._save_model_to_fileobj(network, file, "h5")
    assert opens_with_keras_alone(file.getvalue()) == opens
    assert network_shapes(file.getvalue()) == ([-1, 3, 5], [-1, *shape])


@pytest.mark.slow
def test_a_fresh_process_loads_the_network_with_mlflow_alone(logged, tmp_path):
    folder, _, run_id, network, _ = logged
    samples = np.random.default_rng(1).random((6, 3, 5), np.float32)
    np.save(tmp_path / "samples.npy", samples)
    code = (
        "import sys, numpy, mlflow\n"
        "database, run, samples = sys.argv[1:]\n"
        "mlflow.set_tracking_uri(f'sqlite:///{database}')\n"
        "samples, address = numpy.load(samples), f'runs:/{run}/model'\n"
        "network = mlflow.keras.load_model(address)\n"
        "function = mlflow.pyfunc.load_model(address)\n"
        "example = mlflow.models.Model.load(address).load_input_example()\n"
        "assert function.predict(example).shape == (1, 2)\n"
        "numpy.testing.assert_array_equal(function.predict(samples), network.predict(samples))\n"
        "numpy.save(sys.argv[3], network.predict(samples))\n"
        "assert not any(name.startswith('lstm_bench') for name in sys.modules)\n"
    )
    words = [sys.executable, "-c", code, str(folder / "mlflow.db"), run_id]
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([*words, str(tmp_path / "samples.npy")], capture_output=True,
                          text=True, cwd=tmp_path, env=env)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = np.load(tmp_path / "samples.npy")
    np.testing.assert_allclose(found, network.predict(samples, verbose=0), rtol=1e-6)


def test_the_network_is_a_logged_model_with_signature_and_example(logged):
    _, store, run_id, _, outcome = logged
    run = store.client.get_run(run_id)
    (output,) = run.outputs.model_outputs
    model = store.client.get_logged_model(output.model_id)
    assert (model.name, model.source_run_id, str(model.status)) == ("model", run_id, "READY")
    assert model.tags["seed"] == str(outcome.best_seed) == "10001"
    path = Path(urllib.parse.urlsplit(model.artifact_location).path)
    description = mlflow.models.Model.load(str(path / "MLmodel"))
    (inputs,), (outputs,) = description.signature.inputs, description.signature.outputs
    assert (inputs.shape, outputs.shape) == ((-1, 3, 5), (-1, 2))
    assert description.load_input_example(str(path)).shape == (1, 3, 5)


def test_a_run_has_its_data_its_training_time_and_its_description(logged):
    _, store, run_id, _, outcome = logged
    run = store.client.get_run(run_id)
    (data,) = run.inputs.dataset_inputs
    assert data.dataset.name == "memory"
    assert json.loads(data.dataset.profile) == {"task": "memory", "alphabet": 5}
    assert run.info.end_time - run.info.start_time == 1500  # three seeds, half a second each
    note = run.data.tags["mlflow.note.content"]
    assert outcome.name.partition("(")[0] in note
    assert "1 of 3 seeds solved" in note and f"runs:/{run_id}/model" in note


def test_values_by_seed_have_the_steps_0_to_n(logged):
    _, store, run_id, _, _ = logged
    history = store.client.get_metric_history(run_id, "by_seed/accuracy")
    assert sorted((m.step, m.value) for m in history) == [(0, 0.5), (1, 1.0), (2, 0.75)]
    assert store.client.get_run(run_id).data.tags["seeds"] == "10000, 10001, 10002"


def test_the_data_of_another_task_have_another_digest():
    def digest(**settings):
        outcome = build_outcome([1.0], settings=WINDOW | settings)
        return dataset_input(outcome).dataset.digest

    assert digest() == digest(units=9) != digest(alphabet=6)
    csv = {"task": "csv", "file": "shop.csv", "framing": "window"}
    dataset = dataset_input(build_outcome([1.0], settings=csv)).dataset
    assert (dataset.name, dataset.source_type) == ("shop.csv", "local")


def test_the_commit_is_the_whole_one():
    folder = Path(__file__).parent
    words = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    head = subprocess.run(words, capture_output=True, text=True)
    if head.returncode:
        pytest.skip("not a git checkout")
    assert full_commit(head.stdout[:12]) == full_commit(head.stdout[:12] + "+") == head.stdout[:40]
    assert full_commit("0123456789ab") == "0123456789ab"  # of another checkout


def test_a_moved_folder_takes_its_models_along(tmp_path):
    first = tmp_path / "first"
    store = Store(f"sqlite:///{first}/mlflow.db", first / "mlartifacts")
    outcome = build_outcome([1.0], settings=WINDOW, model=a_network()[0],
                            provenance=provenance(["run"]))  # fmt: skip
    run_id = log_single_run(store, outcome)
    second = first.rename(tmp_path / "second")
    assert adopt_moved_runs(second / "mlflow.db", second / "mlartifacts") is not None
    store = Store(f"sqlite:///{second}/mlflow.db", second / "mlartifacts")
    (output,) = store.client.get_run(run_id).outputs.model_outputs
    place = store.client.get_logged_model(output.model_id).artifact_location
    path = Path(urllib.parse.urlsplit(place).path)
    assert path.is_relative_to(second) and (path / "data" / "model.keras").is_file()


def test_the_view_is_one_that_mlflow_can_inflate():
    value = view_tag("0" * 32, ("accuracy", "parameters"))
    assert len(value) < 5000  # the longest tag of an experiment
    scheme, _, packed = value.partition(";")
    state = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert (scheme, state["orderByKey"]) == ("deflate", "metrics.`accuracy`")
    assert state["selectedColumns"] == ["metrics.`accuracy`", "metrics.`parameters`"]
    assert state["compareRunSections"][0]["name"] == "curve"
    sections = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} <= sections


def shown_by(chromium, address):
    """Returns the text of a page in a browser, after its scripts have run."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--window-size=1900,1400",
             f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom", address],
            capture_output=True, text=True, timeout=180,
        )  # fmt: skip
    return re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", done.stdout, flags=re.S)


@pytest.mark.slow
def test_a_browser_shows_the_columns_and_the_curves_first(tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs chromium")
    store = Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlartifacts")
    experiment = store.ensure_experiment("small")
    parent = store.client.create_run(experiment).info.run_id
    for name, accuracy in {"trial-4": 0.25, "trial-5": 0.75}.items():
        run = store.client.create_run(
            experiment, tags={"mlflow.parentRunId": parent}, run_name=name
        ).info.run_id
        store.client.log_metric(run, "accuracy", accuracy)
        for step in (1, 2, 3):
            store.client.log_metric(run, "curve/loss", 1 / step, step=step)
    tag = TAG + view_key(parent)
    store.client.set_experiment_tag(experiment, tag, view_tag(parent, ("accuracy",)))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    words = [sys.executable, "-m", "mlflow", "ui", "--port", str(port)]
    words += ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    env = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(words, cwd=tmp_path, env={**os.environ, **env}, stdout=log,
                                  stderr=log, start_new_session=True)  # fmt: skip
    page = f"http://127.0.0.1:{port}/#{runs_page(experiment, parent)}"
    texts = []
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.5)
        for address, word in ((page, "trial-4"), (f"{page}&compareRunsMode=CHART", "curve/loss")):
            text = ""
            for _ in range(4):  # on a busy machine the page may not be complete in its time
                text = text if word in text else shown_by(chromium, address)
            texts.append(text)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    table, charts = texts
    assert 0 < table.index("trial-5") < table.index("trial-4")  # the best first
    assert "0.75" in table
    assert "curve/loss" in charts
    sections = re.findall(r"(curve|Model metrics|by_seed)\s*\(\s*\d", charts)
    assert sections[:2] == ["curve", "Model metrics"]
