"""
"Shuffling never hurts"
=======================

*Why must shuffling be off in a stateful network?*

Keras's ``fit`` shuffles samples by default. With a carried state the order is the data: the state
before a sample should be that of the sample before it. Shuffled, it is that of some other sample.
lstm-bench refuses the two together:
"""

import lstm_bench as lb

try:
    lb.recipe("memory", stateful=True, shuffle="samples")
except lb.RecipeError as error:
    print(error)

# %%
# What happens if it is done all the same? Plain Keras does not refuse it. Four seeds with the order
# kept, and four with the samples shuffled every epoch; the evaluation is in order for both.
import keras
import numpy as np

samples = lb.recipe("memory").samples(0)
x, y = samples.x, samples.y


def accuracy(seed, shuffle):
    """Returns the accuracy of a stateful network, one sample at a time, after 30 epochs."""
    keras.utils.set_random_seed(seed)
    layers = [
        keras.layers.Input(batch_shape=(1, 1, 5)),
        keras.layers.LSTM(40, stateful=True),
        keras.layers.Dense(5, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    order, rng = np.arange(8), np.random.default_rng(seed)
    for _ in range(30):
        if shuffle:
            order = rng.permutation(8)
        for half in (order[:4], order[4:]):  # in order, each half is one sequence
            for i in half:
                model.train_on_batch(x[i : i + 1], y[i : i + 1])
            model.layers[0].reset_states()
    right = []
    for i in range(8):
        if i % 4 == 0:
            model.layers[0].reset_states()
        right.append(model(x[i : i + 1]).numpy().argmax() == y[i].argmax())
    return np.mean(right)


scores = {
    name: [accuracy(s, name != "in order") for s in range(4)] for name in ("in order", "shuffled")
}

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 1.8), layout="constrained")
for place, (name, values) in enumerate(scores.items()):
    jitter = np.linspace(-0.15, 0.15, len(values))
    axes.plot(100 * np.array(values), place + jitter, "o", label=name)
axes.set_yticks([0, 1], scores)
axes.set(xlabel="accuracy, %", xlim=(0, 103), ylim=(1.5, -0.5))
figure

# %%
# **What to do.** Pass ``shuffle=False`` to ``fit``. Whole sequences may change places, as long as
# the order inside each is kept and the state is cleared between them; this is
# ``shuffle="sequences"``:
lb.run("memory", units=40, epochs=100, shuffle="sequences", seeds=20)
