"""A pytest plugin for the tests that pages show: Hypothesis draws few examples, since only the output is of interest."""

from hypothesis import settings

settings.register_profile("few examples", max_examples=10)
settings.load_profile("few examples")
