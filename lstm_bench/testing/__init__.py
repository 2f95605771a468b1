"""What every task and every framing must keep to, as checks for a test file of your own.

::

    from lstm_bench.testing import task_checks
    from my_task import Parity

    @task_checks(Parity(), Parity(length=4))
    def test_parity(check):
        check()

Each check is a test of its own, `parity-shapes`, `parity(length=4)-leak` and so on, so that
`pytest -k parity` runs those of one task. `check_task(Parity())` runs them without pytest. Our own
tasks and framings are held to the same ones. A check that fails raises `AssertionError`, which
says what must hold, what was found, and what to do.
"""

from lstm_bench.testing._contract import (
    Check,
    check_framing,
    check_task,
    framing_checks,
    task_checks,
)
from lstm_bench.testing._framing_checks import FRAMING_CHECKS
from lstm_bench.testing._task_checks import TASK_CHECKS

__all__ = [
    "FRAMING_CHECKS",
    "TASK_CHECKS",
    "Check",
    "check_framing",
    "check_task",
    "framing_checks",
    "task_checks",
]
