"""
"A larger batch is only faster"
===============================

*Why does my stateful network fail as soon as I raise the batch size?*

Because the batch size decides what the state is carried to. Keras passes the state of row i of a
batch to row i of the next one. A flat array fills the rows with consecutive samples; then the row
below, and not the next batch, holds the continuation. In the memory problem, ``3 0 1 2 3`` against
``4 0 1 2 4``, batch 4 puts all four steps of a sequence into one batch. No step sees what came
before it, and the last one must be guessed.
"""

import lstm_bench as lb

shared = {"units": 40, "epochs": 100, "seeds": 20}
one = lb.run("memory", batch_size=1, **shared)
four = lb.run("memory", batch_size=4, **shared)
streams = lb.run("memory", batch_size=2, layout="streams", **shared)

# %%
# Twenty seeds of each: batch 1; batch 4 with consecutive samples in its rows; batch 2 with one
# sequence in each row (``layout="streams"``), so that row i does continue row i.
import matplotlib.pyplot as plt

outcomes = {"batch 1": one, "batch 4 in rows": four, "batch 2 in streams": streams}
figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
for name, outcome in outcomes.items():
    curve = outcome.curves.groupby("epoch")["accuracy"].mean()
    axes.plot(curve.index, 100 * curve, label=f"{name}: {outcome.solve_rate.k} of 20 solve it")
axes.axhline(87.5, color="0.6", linewidth=0.8, linestyle=":")
axes.set(xlabel="epoch", ylabel="mean accuracy, %", ylim=(0, 103))
axes.legend(frameon=False, loc="lower right")
figure

# %%
# The dotted line is 7 of 8 steps: everything but one of the two that need memory. The batches
# themselves, by the numbers of their samples (0 to 3 are the first sequence):
for name, outcome in outcomes.items():
    settings = {key: outcome.settings[key] for key in ("batch_size", "layout")}
    batches, _ = lb.recipe("memory", **settings).schedule.epochs(None, 1)
    print(f"{name:20} {batches[0].tolist()}")

# %%
# **What to do.** With a state, choose the batch by the number of sequences that are read in
# parallel, and lay them out so that each row continues itself. Without one, the batch size is free.
