"""
Forget bias and the memory span
===============================

An LSTM's cell keeps what its forget gate lets through: with a bias b, about ``sigmoid(b)`` of it at
each step before training. Keras starts at 1, where half is gone in about two steps. Does a larger
one help to remember further back?
"""

import matplotlib.pyplot as plt
import numpy as np

import lstm_bench as lb

biases = [0.0, 1.0, "chrono"]
for b in (0.0, 1.0, 3.0, 5.0):
    kept = 1 / (1 + np.exp(-b))
    print(f"bias {b:.0f}: half of a cell is left after {np.log(0.5) / np.log(kept):.1f} steps")

# %%
# ``chrono`` draws biases for memories of up to the length of the sample (Tallec & Ollivier 2018).
# The task is ``memory``, whole sequences as samples, 500 updates.
lags = [16, 32, 64]
shared = {"framing": "whole", "stateful": False, "batch_size": 2, "epochs": 500}
shared |= {"learning_rate": 0.03, "seeds": 10}
solved = {
    b: [lb.run("memory", lag=lag, forget_bias=b, **shared).solve_rate.k for lag in lags]
    for b in biases
}

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for (b, counts), marker in zip(solved.items(), "os^", strict=True):
    axes.plot(lags, counts, marker=marker, label=f"forget bias {b}")
axes.set_xscale("log", base=2)
axes.set_xticks(lags, lags)
axes.set(xlabel="lag, steps", ylabel="seeds of 10 that solve it", ylim=(-0.4, 10.4))
axes.legend(frameon=False)
figure

# %%
# Ten seeds a point leave wide intervals. With thirty seeds, 2000 updates and a learning rate of its
# own for each, the sweep ``horizon`` says how far back half of the seeds remember:
import pandas as pd

spans = pd.read_csv("reports/horizon/horizon.csv").set_index("family")
spans.loc[["bias_0", "whole", "bias_3", "bias_5", "chrono"], ["half", "low", "high"]].round(0)
