"""The contract of tasks and framings, as checks for your own test files.

::

    from lstm_bench.testing import task_checks
    from my_task import Parity

    @task_checks(Parity(), Parity(length=4))
    def test_parity(check):
        check()

Each check becomes one test, `parity-shapes`, `parity(length=4)-leak` and so on, and
`pytest -k parity` runs those of one task. `check_task(Parity())` runs all checks without pytest.
The tasks and framings of this package pass the same checks. A check that fails raises
`AssertionError` with the rule, the value it got, and the repair.
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
