"""The tables of an outcome, and their columns.

`seeds`        one row per seed: SEED_COLUMNS
`curves`       one row per seed and epoch (thinned to about CURVE_POINTS epochs): CURVE_COLUMNS
`predictions`  one row per seed and scored step: PREDICTION_COLUMNS
"""

TABLES = ("seeds", "curves", "predictions")

SEED_COLUMNS = (
    "seed",
    "loss",  # of the last epoch, as Keras reports it
    "accuracy",  # share of scored steps right, in the evaluation that the recipe names
    "sequence_accuracy",  # share of sequences with every scored step right
    "solved",  # bool, as the task defines it
    "solved_epoch",  # from which it stayed solved in teacher forcing, or of `stop=rule`; or NaN
    "seconds",  # of training
)
"""The columns that every seeds table has.

If the task marks the steps that need memory, `recall_accuracy` is the accuracy over these alone.
If a recipe can end early, `trained_epochs` is the number of epochs that were trained, and
`sequences` the number of training sequences; NaN if the seed did not solve the task. With
`stop=rule`, sequences are counted until the task's rule was met. With `stop_after_solved`, the
sequences of all trained epochs are counted: an upper limit, because the task is only evaluated
between epochs, and has then stayed solved for a while. If the task has unseen sequences, `accuracy`
is measured on these, and `seen_accuracy` and `unseen_accuracy` are columns too. In teacher forcing
there are also all of `statistics.METRICS`, and `skill` if the task has baselines.
"""
PLACE_COLUMNS = ("host", "processor", "versions")
"""Text columns of seeds from a cluster, at the end: where they ran, and with which packages."""
PARTIAL_ACCURACIES = ("recall_accuracy", "seen_accuracy", "unseen_accuracy")
"""Accuracies over a part of the scored steps, if they were recorded."""

CURVE_COLUMNS = ("seed", "epoch", "loss", "accuracy")
PREDICTION_COLUMNS = ("seed", "sequence", "step", "input", "expected", "predicted", "correct")
CURVE_POINTS = 200
