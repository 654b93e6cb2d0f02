"""Sphinx extensions of this site: they generate pages from the code, so that the pages are always current."""
