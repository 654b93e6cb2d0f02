"""Sphinx extensions of this site, and the generator of the reference: they read the code, so that pages are current."""
