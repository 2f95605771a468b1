"""Where the command starts: `lstm-bench`, which is `python -m lstm_bench`."""

import _signal  # type: ignore[import-not-found]  # `signal` without the imports of that
import gc
import os
import sys


def main() -> None:
    """Imports the command line and runs it; Ctrl-C in the meantime ends both without a traceback.

    Nothing has begun by then that would have to be put away.
    """
    before = _signal.signal(_signal.SIGINT, _end)
    # Importing makes hundreds of thousands of objects that stay: looking for garbage among them
    # after every 700 new ones takes a fifth of the time to import TensorFlow.
    gc.set_threshold(50_000, 20, 50)
    from lstm_bench.cli import main

    _signal.signal(_signal.SIGINT, before)
    main()


def _end(number: int, frame: object) -> None:
    sys.stderr.write("interrupted\n")
    os._exit(1)


if __name__ == "__main__":
    main()
