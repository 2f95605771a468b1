"""
Is 84 % against 86.96 % real?
=============================

A tutorial predicts the next letter of the alphabet. One letter as input gives 84.00 %, a window of
three letters as features 86.96 %; its author adds that the small gain may or may not be real. Each
figure is one run. Here are thirty of each.
"""

import matplotlib.pyplot as plt

import lstm_bench as lb

one = lb.run("alphabet", seeds=30)
three = lb.run("alphabet", framing="feature_window", window=3, seeds=30)

# %%
figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
bins = [70 + n for n in range(0, 30, 2)]
for outcome, name, published in ((one, "one letter", 84.0), (three, "three letters", 86.96)):
    _, _, bars = axes.hist(
        100 * outcome.seeds["accuracy"], bins=bins, alpha=0.55, label=f"{name}, 30 seeds"
    )
    axes.axvline(published, color=bars[0].get_facecolor(), linewidth=3, alpha=1)
axes.set(xlabel="accuracy, %   (lines: the published runs)", ylabel="seeds")
axes.legend(frameon=False, loc="upper right")
figure

# %%
# Both published runs lie well inside the spread of their own recipe, and the spreads overlap. Seed
# by seed, the difference is this:
comparison = lb.compare(three, one)
comparison

# %%
# As one of the many comparisons of the sweep ``published``, its p value is corrected for all of
# them, and the verdict is less certain than here, where it stands alone. This is what it would
# take:
print(f"more seeds needed: {comparison.more_seeds or 'none, alone'}")

# %%
# A window of three *time steps* is another matter:
steps = lb.run("alphabet", framing="window", window=3, seeds=30)
lb.compare(steps, one)
