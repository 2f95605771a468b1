"""
"The last batch may be smaller"
===============================

*Why does a stateful network break on the last batch?*

A stateful layer keeps one state for each row of a batch. Nine samples in batches of two leave a
last batch with one row: the other row has a state and nothing that continues it. Keras fails in the
middle of training. lstm-bench refuses it before, and names the sizes that fit:
"""

import lstm_bench as lb

nine = {"letters": 10, "stateful": True, "shuffle": "none", "reset": "epoch"}  # 9 samples
try:
    lb.recipe("alphabet", batch_size=2, **nine)
except lb.RecipeError as error:
    print(error)

# %%
# Without a carried state the last batch may be smaller. lstm-bench fills it up with rows of weight
# 0, so that the loss is the mean over the samples there are, as in Keras. Both engines agree:
smaller = {"letters": 10, "stateful": False, "batch_size": 4, "epochs": 20, "shuffle": "none"}
compiled = lb.run("alphabet", seeds=2, **smaller)
plain = lb.run("alphabet", seeds=2, engine="keras", **smaller)
difference = (compiled.curves["loss"] - plain.curves["loss"]).abs().max()
print(f"largest difference of a loss in 20 epochs: {difference:.1e}")

# %%
# Leaving the odd samples out is no way out: here are the sizes that fit 9 samples, and what is
# learnt with each, over ten seeds.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
for size, layout in ((1, "rows"), (3, "streams"), (9, "streams")):
    outcome = lb.run(
        "alphabet", seeds=10, batch_size=size, layout=layout, units=30, epochs=200, **nine
    )
    curve = outcome.curves.groupby("epoch")["accuracy"].mean()
    axes.plot(curve.index, 100 * curve, label=f"batch {size}, {layout}")
axes.set(xlabel="epoch", ylabel="mean accuracy, %", ylim=(0, 103))
axes.legend(frameon=False)
figure

# %%
# In streams, each row is a contiguous part of the sequence: three rows of three letters, or nine of
# one. A larger batch makes fewer updates an epoch, so it needs more epochs.
#
# **What to do.** Choose a batch size that divides the number of samples, in training and in
# evaluation.
