"""The best seed's network as a model that MLflow's tools load: `runs:/RUN/model`.

The files are those that `mlflow.keras.log_model` writes. They are written here from the existing
`.keras` file, because that function loads TensorFlow and takes seconds.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lstm_bench.results import Outcome, parse_json_mapping
from lstm_bench.safety import disk_errors_reported, temporary_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

MODEL = "model"
"""The name of the model, the last part of `runs:/RUN/model`."""
MAX_EXAMPLE_NUMBERS = 10_000
"""The largest sample that is written as an input example."""
MAX_CONFIG_BYTES = 2**20


def log_network(client: MlflowClient, experiment: str, run_id: str, outcome: Outcome) -> None:
    """Writes the network of an outcome as a logged model of a run, if the outcome has one.

    A network with layers of the user's own is not written: MLflow's tools could not open it.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    if not outcome.model or not opens_with_keras_alone(outcome.model):
        return
    inputs, outputs = network_shapes(outcome.model)
    model = client.create_logged_model(
        experiment,
        MODEL,
        source_run_id=run_id,
        tags={"digest": outcome.digest, "seed": str(outcome.best_seed)},
        model_type="keras",
    )
    with temporary_folder() as folder:
        with disk_errors_reported():
            _write_model(folder, outcome, inputs, outputs, model)
        client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])


def delete_networks(client: MlflowClient, experiment: str, run_id: str) -> None:
    """Deletes the models of a run that is deleted itself."""
    for model in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        client.delete_logged_model(model.model_id)


def opens_with_keras_alone(file: bytes) -> bool:
    """Returns whether a `.keras` file holds a network of Keras's own layers, without Lambda."""

    def is_known(part: Any) -> bool:
        if isinstance(part, list):
            return all(map(is_known, part))
        if not isinstance(part, dict):
            return True
        if "class_name" in part and "module" in part:
            of_keras = str(part["module"]).split(".")[0] == "keras"
            if not of_keras or part["class_name"] == "Lambda":
                return False
        return all(map(is_known, part.values()))

    return is_known(_description(file))


def _description(file: bytes) -> dict[str, Any]:
    """Returns the description of the network in a `.keras` file."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return parse_json_mapping(archive.read("config.json"), MAX_CONFIG_BYTES)


def network_shapes(file: bytes) -> tuple[list[int], list[int]]:
    """Returns the shapes of the inputs and the outputs of the network in a `.keras` file.

    The first number is the number of samples, or -1 if it is free. A stateful network fixes it.
    """
    first, *_, last = _description(file)["config"]["layers"]
    inputs = first["config"]["batch_shape"]
    if "target_shape" in last["config"]:  # of a user's own network
        outputs = [inputs[0], *last["config"]["target_shape"]]
    else:
        outputs = [*last["build_config"]["input_shape"][:-1], last["config"]["units"]]
    shapes = [[-1 if size is None else int(size) for size in shape] for shape in (inputs, outputs)]
    return shapes[0], shapes[1]


def _write_model(
    folder: Path,
    outcome: Outcome,
    inputs: list[int],
    outputs: list[int],
    model: LoggedModel,
) -> None:
    """Writes the files of MLflow's format of models, with its flavor `keras`, into `folder`."""
    facts = outcome.provenance
    packages = [f"{name}=={facts[name]}" for name in ("tensorflow", "keras") if name in facts]
    packages.append(f"mlflow=={facts.get('mlflow', '')}".removesuffix("=="))
    python = facts.get("python", "")
    document: dict[str, Any] = {
        "artifact_path": model.artifact_location,
        "flavors": {
            "keras": {
                "data": "data",
                "keras_backend": "tensorflow",
                "keras_version": facts.get("keras", ""),
                "save_exported_model": False,
            },
            "python_function": {
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.keras",
                "python_version": python,
            },
        },
        "mlflow_version": facts.get("mlflow", ""),
        "model_id": model.model_id,
        "model_size_bytes": len(outcome.model),
        "model_uuid": model.model_id.removeprefix("m-"),
        "run_id": model.source_run_id,
        "signature": {"inputs": _schema(inputs), "outputs": _schema(outputs), "params": None},
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    sample = [max(size, 1) for size in inputs]
    if math.prod(sample) <= MAX_EXAMPLE_NUMBERS:
        document["saved_input_example_info"] = {
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            "type": "ndarray",
        }
        example = _zeros(sample)
        (folder / "input_example.json").write_text(json.dumps(example))
        (folder / "serving_input_example.json").write_text(json.dumps({"inputs": example}))
    environment = {
        "python": python,
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    }
    (folder / "python_env.yaml").write_text(yaml.safe_dump(environment))
    (folder / "requirements.txt").write_text("\n".join(packages) + "\n")
    (folder / "MLmodel").write_text(yaml.safe_dump(document))
    (folder / "data").mkdir()
    (folder / "data" / "keras_module.txt").write_text("keras")
    (folder / "data" / "model.keras").write_bytes(outcome.model)


def _schema(shape: list[int]) -> str:
    """Returns a schema of MLflow for one array of numbers in single precision."""
    return json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": shape}}])


def _zeros(shape: list[int]) -> Any:
    """Returns zeros as nested lists of a shape.

    >>> _zeros([2, 3])
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0.0
