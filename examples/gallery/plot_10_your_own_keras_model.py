"""
Compare with your own Keras model
=================================

A recipe hands out the very arrays that it trains on, so that a model of your own can be held to it
on the same data and the same seeds. Here: an LSTM with layer normalization, which recipes do not
have.
"""

import keras
import numpy as np

import lstm_bench as lb

recipe = lb.recipe("random_memory", lag=6, units=16, epochs=30, train=50, unseen=50)
outcome = lb.run(recipe, seeds=4)
outcome

# %%
# The samples of seed 0: inputs, one-hot targets, and the weight of each step, which is 0 where a
# step does not count.
samples = recipe.samples(0)
samples.x.shape, samples.y.shape


# %%
def own_accuracy(seed):
    """Returns the accuracy of a model of your own on the unseen sequences of a seed."""
    keras.utils.set_random_seed(seed)
    data = recipe.samples(seed)
    train, test = data.part(unseen=False), data.part(unseen=True)
    model = keras.Sequential(
        [
            keras.layers.Input(train.x.shape[1:]),
            keras.layers.LSTM(16, return_sequences=True),
            keras.layers.LayerNormalization(),
            keras.layers.Dense(train.y.shape[-1], activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
    weights = train.scored.astype("float32")
    model.fit(train.x, train.y, sample_weight=weights, batch_size=10, epochs=30, verbose=0)
    right = model.predict(test.x, verbose=0).argmax(-1) == test.y.argmax(-1)
    return right[test.scored].mean()


own = np.array([own_accuracy(seed) for seed in range(4)])
own

# %%
# Same seeds, same data: the differences are paired.
from scipy import stats

ours = outcome.seeds.sort_values("seed")["accuracy"].to_numpy()
difference = own - ours
interval = stats.ttest_1samp(difference, 0).confidence_interval()
print(f"{100 * difference.mean():+.1f} points, 95 % interval {100 * interval.low:+.1f} to", end=" ")
print(f"{100 * interval.high:+.1f}, four seeds")

# %%
# The other way round, ``lb.export`` writes a recipe as a Keras script to change by hand:
print(lb.export(recipe)[:800])
