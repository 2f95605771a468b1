"""
Read a study in Optuna
======================

Every search is also an Optuna study: its trials are written to an Optuna storage, with the mean
score after each rung as intermediate values. ``optuna-dashboard sqlite:///optuna.db`` shows it in a
browser.
"""

import optuna

import lstm_bench as lb

result = lb.search(
    "memory",
    {
        "units": (4, 32),
        "epochs": {"int": [50, 200], "log": True},
        "learning_rate": {"float": [1e-3, 3e-2], "log": True},
        "framing": ["pairs", "window", "whole"],
        "stateful": [True, False],
    },
    trials=12,
    seeds=6,
    search={"confirm": 2, "startup": 8},
    name="first-search",
    progress=False,
)

# %%
# From the storage, in any process:
optuna.logging.set_verbosity(optuna.logging.WARNING)
names = optuna.get_all_study_names("sqlite:///optuna.db")
study = optuna.load_study(study_name=names[0], storage="sqlite:///optuna.db")
len(study.trials), study.directions

# %%
table = study.trials_dataframe()
table[[name for name in table if name.startswith(("number", "value", "state", "params"))]].head()

# %%
# ``result.study`` is the same study in memory. Trials that were stopped are ``PRUNED``.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for trial in result.study.trials:
    rungs = trial.intermediate_values
    pruned = trial.state == optuna.trial.TrialState.PRUNED
    color = "0.7" if pruned else "C0"
    axes.plot(list(rungs), [100 * v for v in rungs.values()], color=color, marker=".", linewidth=1)
axes.set(xlabel="seeds so far", ylabel="mean accuracy, %   (grey: stopped)")
figure
