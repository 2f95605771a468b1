"""Prints what a recurrent Keras layer returns: `python -m lstm_bench.returned_states`."""

from lstm_bench.training import print_returned_states

if __name__ == "__main__":
    print_returned_states()
