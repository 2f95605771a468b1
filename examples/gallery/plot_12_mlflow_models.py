"""
Use MLflow's models
===================

Every recipe of a sweep is a run in MLflow: settings as parameters, scores as metrics, the best
seed's network as a model. ``mlflow ui`` shows them; MLflow's client reads them.
"""

import mlflow

import lstm_bench as lb

small = {
    "task": "memory",
    "seeds": 5,
    "epochs": 100,
    "recipes": {"narrow": {"units": 10}, "wide": {"units": 40}},
}
result = lb.sweep(small, name="widths", progress=False)
result

# %%
mlflow.set_tracking_uri("sqlite:///mlflow.db")
runs = mlflow.search_runs(experiment_names=["widths"], filter_string="tags.kind = 'recipe'")
runs[["tags.recipe", "metrics.accuracy", "metrics.solve_rate", "params.units"]]

# %%
# The network of the best seed is a Keras model. It carries a state, so it is shown one symbol at a
# time: ``3 0 1 2``, and it should answer ``0 1 2 3``.
import numpy as np

best = runs.sort_values("metrics.accuracy", ascending=False).iloc[0]
model = mlflow.keras.load_model(f"runs:/{best['run_id']}/model")
answers = []
for symbol in (3, 0, 1, 2):
    one_hot = np.eye(5, dtype="float32")[[[symbol]]]  # (1 sample, 1 step, 5 features)
    answers.append(int(model.predict(one_hot, verbose=0).argmax()))
answers
