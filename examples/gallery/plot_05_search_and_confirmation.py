"""
A search and its confirmation
=============================

The best of many recipes is partly the luckiest. So the finalists of a search are run again, on
seeds that it never saw.
"""

import lstm_bench as lb

result = lb.search(
    "memory",
    {
        "units": (4, 32),
        "epochs": {"int": [50, 200], "log": True},
        "learning_rate": {"float": [1e-3, 3e-2], "log": True},
        "framing": ["pairs", "window", "whole"],
        "stateful": [True, False],
    },
    trials=12,
    seeds=6,
    search={"confirm": 2, "startup": 8},
    name="first-search",
    progress=False,
)
result.best

# %%
# Score of each trial. Small, open dots were stopped after a few seeds, because their chance of
# being the best had gone.
result.plot("history")

# %%
# What the search promised, and what fresh seeds say.
result.plot("confirmation")

# %%
# The cheapest recipe that solves the task, by the whole interval of its solve rate:
print(result.findings.simplest.sentence)

# %%
# The report of the search is a page of its own.
print(result.page)
