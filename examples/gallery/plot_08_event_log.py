"""
An event log
============

A log of events: one row each, with its time and the session that it belongs to. Which event comes
next in a session? Sessions are series of their own, events are symbols, and the last fifth of the
sessions is kept for scoring.

The log is made up: visitors search and look at things, and some put one into the basket. These look
at two more things and pay, which takes a memory of three events to foresee.
"""

import numpy as np
import pandas as pd

import lstm_bench as lb

rng = np.random.default_rng(0)
rows = []
for session in range(120):
    events = ["enter"]
    while len(events) < 14:
        if events[-1] == "basket":
            events += ["view", "view", "pay"]
        else:
            events += [["view", "search", "basket"][rng.integers(3)]]
    times = 30 * session + np.cumsum(rng.integers(1, 9, size=14))  # minutes
    rows += [(time, f"s{session:03d}", event) for time, event in zip(times, events, strict=False)]
log = pd.DataFrame(rows, columns=["minute", "session", "event"])
log["time"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(log.pop("minute"), unit="min")
log.to_csv("events.csv", index=False)
log.head(8)

# %%
# What is not said is inferred, and reported.
result = lb.sweep(
    {
        "task": "csv",
        "file": "events.csv",
        "target": "event",
        "group": "session",
        "time": "time",
        "split": "group",
        "seeds": 10,
        "framing": "window",
        "units": 16,
        "epochs": 30,
        "batch_size": 16,
        "recipes": {"one event": {"window": 1}, "four events": {"window": 4}},
        "comparisons": {"memory": {"of": "four events", "to": "one event"}},
    },
    name="event-log",
    progress=False,
)
result.to_frame()[["id", "accuracy_mean", "accuracy_low", "accuracy_high"]]

# %%
for comparison in result.comparisons():
    print(comparison.sentence)

# %%
# Is a network needed? The baselines are the most frequent event after the latest one, and logistic
# regressions on the latest events:
for comparison in result.findings.baselines:
    print(comparison.sentence)

# %%
result.plot("accuracy")
