"""The comparisons. `benchmarks.plan` imports every module here and collects its ``COMPARISONS``.

A module imports the measured packages inside the set-up functions: these run in the worker processes, and the command
itself has no packages installed.
"""
