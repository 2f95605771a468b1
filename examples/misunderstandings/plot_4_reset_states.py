"""
"reset_states makes the network forget what it learnt"
======================================================

*What does reset_states do?*

It sets the state to zero: what the network remembers of its *inputs*. The weights, what it has
*learnt*, are untouched. Here is a trained network's answer to ``2`` after three different pasts.
"""

import lstm_bench as lb

outcome = lb.run("memory", units=40, epochs=100, seeds=20)
outcome

# %%
# The network of the best seed, as plain Keras opens it. Before each past its state is cleared.
from pathlib import Path

import keras
import numpy as np

Path("best.keras").write_bytes(outcome.model)
model = keras.models.load_model("best.keras")


def answer(past):
    """Returns the symbol that the network predicts after a past, from a cleared state."""
    for layer in model.layers:
        if hasattr(layer, "reset_states"):
            layer.reset_states()
    for symbol in past:
        outputs = model(np.eye(5, dtype="float32")[[[symbol]]])  # 1 sample, 1 step, 5 features
    return int(np.argmax(outputs))


for past in ([2], [3, 0, 1, 2], [4, 0, 1, 2]):
    print(past, "->", answer(past))

# %%
# A ``2`` right after a reset is the start of no sequence that it was trained on, and its answer
# means nothing. With its past, both answers are right, after any number of resets: nothing that was
# learnt is lost.
#
# The same recipe with the state cleared at other times. ``sequence`` clears it before each
# sequence, ``epoch`` once an epoch, so that the second sequence begins with what is left of the
# first, and ``never`` not at all in training. It is always cleared before an evaluation.
resets = {
    reset: lb.run("memory", units=40, epochs=100, reset=reset, seeds=20)
    for reset in ("sequence", "epoch", "never")
}

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
for reset, one in resets.items():
    curve = one.curves.groupby("epoch")["accuracy"].mean()
    axes.plot(curve.index, 100 * curve, label=f"reset: {reset}, {one.solve_rate.k} of 20 solve it")
axes.set(xlabel="epoch", ylabel="mean accuracy, %", ylim=(0, 103))
axes.legend(frameon=False, loc="lower right")
figure

# %%
# And a reset where there should be none: clearing the state after *each sample* is the same as
# having no state, and one of the steps that need memory is always wrong.
without = lb.run("memory", units=40, epochs=100, stateful=False, seeds=20)
print(f"{without.solve_rate.k} of 20 seeds solve it; mean accuracy {without.accuracy.mean:.1%}")

# %%
# **What to do.** Clear the state wherever one sequence ends and another begins, and before
# evaluating; on this problem one reset an epoch does as well, none at all does not. Within a
# sequence, never.
