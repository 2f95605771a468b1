"""
"It should learn 0 to 1 and 0 to 2"
===================================

*Why can't my network learn [0->1][0->2]?*

Without a state it is a function: one input, one output. The input 0 cannot give 1 and 2. The best
that it can do for the loss is to answer in between.
"""

import lstm_bench as lb

recipes = {
    "one step a sample, no state": {},
    "one step a sample, state kept": {"stateful": True, "batch_size": 1, "reset": "epoch"},
    "both steps in a sample": {"framing": "whole", "batch_size": 1},
}
outcomes = {name: lb.run("ambiguous_pair", seeds=20, **s) for name, s in recipes.items()}

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
for name, outcome in outcomes.items():
    curve = outcome.curves.groupby("epoch")["loss"].mean()
    axes.plot(curve.index, curve, label=f"{name}: {outcome.solve_rate.k} of 20 solve it")
axes.set(xlabel="epoch", ylabel="mean loss", ylim=(0, None))
axes.legend(frameon=False)
figure

# %%
# The loss without a state does not fall to 0. Its floor can be computed: outputs of one half for 1
# and for 2, and none for 0, have a binary cross-entropy of
import numpy as np

reached = outcomes["one step a sample, no state"].seeds["loss"].mean()
print(f"floor {2 * np.log(2) / 3:.4f}, reached {reached:.4f}")

# %%
# More units, layers or epochs do not change that:
lb.run("ambiguous_pair", units=128, layers=2, epochs=2000, seeds=5)

# %%
# **What to do.** Give the network what tells the two apart: a state that is kept, or both steps as
# one sample.
