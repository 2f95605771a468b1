"""
One step of gradient against all
================================

A state can be carried from sample to sample while the gradient stays inside the sample. Does a
network that is trained on single steps learn to remember? ``framing="pairs"`` gives it one step of
gradient, ``framing="whole"`` all of it. Both get 1000 weight updates; the lag grows.
"""

import matplotlib.pyplot as plt

import lstm_bench as lb

LAGS = [4, 8, 16]
RECIPES = {
    "one step of gradient": {"framing": "pairs", "stateful": True, "layout": "streams"},
    "all steps": {"framing": "whole", "stateful": False},
}


def solve_rates(steps_an_update, **settings):
    """Returns the solve rate with its interval at each lag, after 1000 updates."""
    rates = []
    for lag in LAGS:
        epochs = 1000 // (lag if steps_an_update == 1 else 1)
        shared = {"lag": lag, "batch_size": 2, "learning_rate": 0.01, "epochs": epochs}
        rates.append(lb.run("memory", seeds=10, **shared, **settings).solve_rate)
    return rates


results = {
    name: solve_rates(1 if settings["framing"] == "pairs" else 0, **settings)
    for name, settings in RECIPES.items()
}

# %%
# Shares of 10 seeds that solve the task, with Wilson's 95 % intervals.
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
for (name, rates), marker in zip(results.items(), "os", strict=True):
    shares = [100 * rate.rate for rate in rates]
    below = [100 * (rate.rate - rate.low) for rate in rates]
    above = [100 * (rate.high - rate.rate) for rate in rates]
    axes.errorbar(LAGS, shares, [below, above], marker=marker, capsize=3, label=name)
axes.set_xscale("log", base=2)
axes.set_xticks(LAGS, LAGS)
axes.set(xlabel="lag, steps", ylabel="seeds that solve it, %", ylim=(-4, 104))
axes.legend(frameon=False)
figure

# %%
# At a lag of 4 one step of gradient may do: an untrained network carries a trace of the first
# symbol for a few steps, and learning to read that trace is enough. Further back nothing ever told
# the network to keep it. The sweep ``horizon`` runs twelve recipes up to a lag of 1024.
