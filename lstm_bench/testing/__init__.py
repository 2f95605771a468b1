"""The contract of tasks, framings and networks, as checks for your own test files.

::

    from lstm_bench.testing import task_checks
    from my_task import Parity

    @task_checks(Parity(), Parity(length=4))
    def test_parity(check):
        check()

Each check becomes one test, `parity-shapes`, `parity(length=4)-leak` and so on, and
`pytest -k parity` runs those of one task. `check_task(Parity())` runs all checks without pytest.
`network_checks(recipe("memory", network="my_network:build", stateful=False))` does the same for a
network of your own. The tasks and framings of this package pass the same checks. A check that fails
raises `AssertionError` with the rule, the value it got, and the repair.
"""

from lstm_bench.testing._contract import (
    Check,
    check_framing,
    check_network,
    check_task,
    framing_checks,
    network_checks,
    task_checks,
)
from lstm_bench.testing._framing_checks import FRAMING_CHECKS
from lstm_bench.testing._network_checks import NETWORK_CHECKS
from lstm_bench.testing._task_checks import TASK_CHECKS

__all__ = [
    "FRAMING_CHECKS",
    "NETWORK_CHECKS",
    "TASK_CHECKS",
    "Check",
    "check_framing",
    "check_network",
    "check_task",
    "framing_checks",
    "network_checks",
    "task_checks",
]
