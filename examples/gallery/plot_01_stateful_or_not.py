"""
Stateful or not
===============

Two sequences, ``3 0 1 2 3`` and ``4 0 1 2 4``, differ only in their first symbol. A network that
gets one symbol at a time has to carry a state to the end to get the last one right.
"""

import lstm_bench as lb

with_state = lb.run("memory", units=40, epochs=100, seeds=30)
with_state

# %%
# The same recipe without a carried state sees a ``2`` that is followed by ``3`` and by ``4``: one
# of its eight answers must be wrong, whatever it learns.
without = lb.run("memory", units=40, epochs=100, seeds=30, stateful=False)
without

# %%
# Each dot is a seed. Without a state all seeds score 7 of 8 steps.
with_state.plot("accuracy")

# %%
# Seed s gives both the same initial weights and data, so they are compared seed by seed.
comparison = lb.compare(with_state, without)
comparison

# %%
comparison.plot()
