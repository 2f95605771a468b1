"""What a stranger's files and the system may do to a command, and what that may not lead to.

::

    world        a working folder with neighbours, and what changed in it
    forked       a process that has imported the package once and forks a child for each command
    runner       starts that process, and asks it to run commands
    verdict      what a command may not do: tracebacks, crashes, hangs, leaks, files astray
    fuzzing      mutated inputs through a command, counted; those that fail are kept
    bytewise     any file, damaged byte by byte
    documents    nested values, damaged node by node
    sweep_files  mutated sweep files
    csv_files    mutated CSV files
    stores       mutated run stores
    damages      what is done to them
    sessions     sweeps in processes of their own, that are to be disturbed
    disturbances kills, signals, full disks and damaged checkpoints
    ends         what a sweep has come to, to be compared with another one's
"""
