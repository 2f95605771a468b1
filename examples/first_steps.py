# %% [markdown]
# # First steps
#
# Which LSTM set-up really learns a sequence, and how sure can you be? Five minutes: one recipe, its
# learning curve, a comparison with a verdict, a search, its report, and the runs in MLflow.

# %%
import lstm_bench as lb

lb.tasks()[["name", "kind", "chance", "about"]]

# %% [markdown]
# ## One recipe over ten seeds
#
# Two sequences, `3 0 1 2 3` and `4 0 1 2 4`, differ only in their first symbol. A network has to
# remember it to get the last one right. A seed decides the initial weights; ten of them show how
# much that matters.

# %%
narrow = lb.run("memory", units=10, epochs=150, seeds=10)
narrow

# %%
narrow.seeds[["seed", "loss", "accuracy", "solved", "solved_epoch"]]

# %%
narrow.plot("accuracy")

# %% [markdown]
# ## Is another recipe better?
#
# Seed s gives both recipes the same initial weights, so they are compared seed by seed. The verdict
# is `real`, `not real` (the whole interval is too small to matter), or `cannot tell yet`.

# %%
wide = lb.run("memory", units=40, epochs=150, seeds=10)
comparison = lb.compare(wide, narrow)
comparison

# %%
comparison.plot()

# %% [markdown]
# ## A search
#
# Optuna proposes recipes. Each is run over several seeds, and the best ones are run again on seeds
# that the search never saw, because the best of many recipes is partly the luckiest.

# %%
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
    seeds=5,
    search={"confirm": 2},
    name="first-steps",
)
result

# %%
result.best

# %%
result.plot("history")

# %%
print(result.findings.simplest.sentence)

# %% [markdown]
# ## The report
#
# The search has already written one, to `reports/first-steps/index.html`: a page that needs no
# other file, with every number beside it as CSV. The same can be written anywhere:

# %%
result.report("reports/my-first-steps")

# %% [markdown]
# ## The runs in MLflow
#
# Every recipe is a run in the experiment of the search. `mlflow ui` shows them in a browser; its
# Python client reads them as well:

# %%
import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
runs = mlflow.search_runs(experiment_names=["first-steps"], filter_string="tags.kind = 'recipe'")
runs[["tags.recipe", "metrics.accuracy", "metrics.solve_rate", "metrics.parameters"]].head()

# %% [markdown]
# ## What next?
#
# - `lb.load("first-steps")` reads the result from the store, today or next month.
# - `print(lb.export(narrow))` writes a recipe as a Keras script that needs nothing of this package.
# - `lstm-bench sweep --csv FILE --target COLUMN` searches over your own data.
# - `lstm-bench init mine` makes a folder with a task of your own.
