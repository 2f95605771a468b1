"""What must hold before any test module is imported.

TensorFlow reads its environment once, so it is prepared here; TensorFlow itself is imported by
those test modules alone that need it.
"""

from hypothesis import settings

from lstm_bench.backend import prepare_environment

prepare_environment()

# The same examples on every run and every machine; none are kept from run to run.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
