"""
How many seeds do I need?
=========================

As many as the question takes. The recipe of a tutorial on the memory problem solves it with some
seeds and not with others. A hundred seeds of it show what one, ten or thirty would have said.
"""

import matplotlib.pyplot as plt
import numpy as np

import lstm_bench as lb

many = lb.run("memory", seeds=100)
many.solve_rate

# %%
# The share of the first n seeds that solve the task, with Wilson's 95 % interval. One seed says "it
# works" or "it does not".
counts = np.array([1, 3, 5, 10, 20, 30, 50, 100])
solved = many.seeds.sort_values("seed")["solved"].to_numpy(bool)
z = 1.96
k = np.array([solved[:n].sum() for n in counts])
centre = (k + z**2 / 2) / (counts + z**2)
half = z / (counts + z**2) * np.sqrt(k * (counts - k) / counts + z**2 / 4)

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.fill_between(counts, 100 * (centre - half), 100 * (centre + half), alpha=0.2)
axes.plot(counts, 100 * k / counts, marker="o")
axes.set_xscale("log")
axes.set_xticks(counts, counts)
axes.minorticks_off()
axes.set(xlabel="seeds", ylabel="seeds that solve it, %", ylim=(-3, 103))
figure

# %%
# For a comparison it depends on the difference. Twice the units are a large one, and few seeds show
# it:
for n in (5, 20):
    wide = lb.run("memory", units=40, seeds=n)
    narrow = lb.run("memory", units=20, seeds=n)
    print(n, lb.compare(wide, narrow, "solve_rate").sentence)

# %%
# A verdict of "not real" takes at least 29 seeds: with fewer, one sample in twenty misses what
# happens to every tenth seed.
