"""Which LSTM set-up really learns your sequences, and how sure can you be?

Five concepts: a `Task` is a sequence problem, a `Framing` turns its sequences into samples, a
`Recipe` is one frozen training configuration, an `Outcome` is what a recipe did over its seeds,
and a `Sweep` is a file of recipes, or of a search over them. One verb joins them::

    from lstm_bench.recipe import recipe
    from lstm_bench.run import run

    outcome = run(recipe("memory", units=20), seeds=range(10))
"""

__version__ = "0.1.0"
