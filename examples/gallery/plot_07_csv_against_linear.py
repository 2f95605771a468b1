"""
Your CSV against a linear model
===============================

A network for a file of your own is worth it if it beats a forecast that needs none. Here: monthly
carbon dioxide over Mauna Loa. One recipe, ten seeds; the last fifth of the rows is scored and never
trained on.
"""

import lstm_bench as lb

sweep = {
    "title": "Is a network worth it?",
    "task": "csv",
    "file": "sweeps/data/co2.csv",
    "target": "co2",
    "missing": "interpolate",
    "difference": True,
    "seeds": 10,
    "recipes": {
        "gru": {
            "network": "gru",
            "framing": "window",
            "window": 12,
            "units": 16,
            "batch_size": 16,
            "epochs": 60,
            "learning_rate": 0.003,
        }
    },
}
result = lb.sweep(sweep, name="co2-example", progress=False)
result["gru"]

# %%
# Baselines on the very same steps: the last value, that of a season before, a linear model of the
# latest rows, exponential smoothing and gradient boosting. The interval counts two kinds of chance:
# the seeds, and the stretch of time that happened to be scored.
for comparison in result.findings.baselines:
    print(comparison.sentence)

# %%
result.plots

# %%
result.plot("forecast")
