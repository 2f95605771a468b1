"""Tests with untrusted files and with interrupted commands, and what these must not cause.

::

    sandbox      a working folder with neighbours, and the changes in it
    forked       a process that imports the package once and forks a child for each command
    runner       starts that process and sends it commands
    violations   what no command may do: tracebacks, crashes, hangs, leaks, files in wrong places
    fuzzing      runs a command on mutated inputs, counts them, and keeps those that fail
    bytewise     mutates the bytes of any file
    documents    mutates the nodes of nested values
    sweep_files  mutated sweep files
    csv_files    mutated CSV files
    stores       mutated run stores
    damages      the mutations of a run store
    sessions     sweeps in processes of their own
    disturbances kills, signals, full disks and damaged checkpoints
    results      the results of a sweep, and how to compare them
"""
