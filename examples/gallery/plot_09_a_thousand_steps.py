"""
A thousand steps
================

"LSTMs can do hundreds or thousands of steps." With the defaults they do not: see the recipe
``whole`` below. This takes minutes a seed, so the figure is drawn from stored results:
``reports/horizon/``, which ``lstm-bench sweep horizon`` writes.
"""

import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv("reports/horizon/comparison.csv")
table[["family", "lag"]] = table["id"].str.split("/", expand=True)
table["lag"] = table["lag"].astype(int)
families = {
    "pairs": "one step of gradient",
    "whole": "whole sequences",
    "chrono_weighted": "and chrono biases, a weight of 10 on the recalled step",
    "long": "32 units, 10,000 updates, chrono, weight 3, a rate that falls to 0",
}

# %%
figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
for (family, name), marker in zip(families.items(), "os^D", strict=True):
    part = table[table["family"] == family].sort_values("lag")
    rate = 100 * part["solve_rate"]
    line = axes.plot(part["lag"], rate, marker=marker, label=name)[0]
    low, high = 100 * part["solve_rate_low"], 100 * part["solve_rate_high"]
    axes.fill_between(part["lag"], low, high, color=line.get_color(), alpha=0.12)
axes.set_xscale("log", base=2)
axes.set_xticks([4, 16, 64, 256, 1024], [4, 16, 64, 256, 1024])
axes.set(xlabel="lag, steps", ylabel="seeds of 30 that solve it, %", ylim=(-4, 104))
figure.legend(loc="outside lower left", frameon=False)
figure

# %%
# The last line in words:
long = table[table["family"] == "long"].sort_values("lag")
long[["lag", "solved", "seeds", "solve_rate_low", "solve_rate_high"]]
