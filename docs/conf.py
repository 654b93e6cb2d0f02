# ruff: noqa: INP001 - Sphinx reads it by its place
"""How the documentation is built: ``sphinx-build -W -n docs build/docs``, from a clone and without a network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "session-fsm"
author = "The session-fsm developers"
copyright = author  # noqa: A001 - the name that Sphinx asks for
version = release = version_of("session-fsm")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "session_fsm.diagrams.sphinx",
    "_ext.api",
    "_ext.changelog",
    "_ext.domain",
    "_ext.figures",
    "_ext.layout",
    "_ext.pictures",
]
# Caches and environments of the example projects hold Markdown of their own.
exclude_patterns = ["_ext", "comparison", "**/.*"]
nitpicky = True
nitpick_ignore_regex = [
    # The standard library and the libraries beneath are documented elsewhere, and a build has no network.
    (
        r"py:.*",
        r"(abc|asyncio|collections|copy|datetime|decimal|enum|functools|pathlib|pickle|threading|types|typing|uuid)(\..*)?",
    ),
    (r"py:.*", r"ABCMeta|Decimal|Enum|UUID|timedelta|Attribute|EventData|get_(state|triggers|transitions)"),
    (
        r"py:.*",
        r"(attrs?|cattrs|click|django|docutils|hypothesis|pytest|_pytest|rich|sphinx|sqlalchemy|transitions)(\..*)?",
    ),
    # The names of its callbacks, which a service writes.
    (r"py:.*", r"(prepare|before|after|on_enter|on_exit|on_exception|on_final)(_\w+)?"),
    # Private names that signatures show.
    (r"py:.*", r"(.*\.)?_\w+"),
    # Internal types of the store that signatures show.
    (r"py:.*", r"session_fsm\.store\.(outbox\.statements|results\.C_co).*"),
    # Internal types of the sandbox that signatures show.
    (r"py:.*", r"session_fsm\.sandbox\.(bell|settings|turns)\..*"),
    # Internal types of the testing kit that signatures show.
    (r"py:.*", r"session_fsm\.testing\.(model\.reference|coverage\.counters)\..*"),
    # Sphinx cuts a long signature at the comma within such a type.
    (r"py:class", r"Mapping\[str"),
    # Type variables.
    (r"py:.*", r"(.*\.)?[A-Z]"),
]

source_suffix = {".md": "markdown"}
myst_enable_extensions = ["attrs_block"]
myst_heading_anchors = 3
smartquotes_action = "qe"  # the two hyphens of an option are no dash
default_role = "py:obj"

autodoc_preserve_defaults = True  # as the source writes them, so that signatures can be read
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 72
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"session-fsm {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "a11y-light"  # every colour of it can be read on its paper
pygments_dark_style = "monokai"
