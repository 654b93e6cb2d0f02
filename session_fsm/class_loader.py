"""Import a session class by its path, written as ``package.module:ShopSession``, for commands and pytest options."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType

from session_fsm.errors import InvalidValue
from session_fsm.session import CustomerSession

__all__ = ["class_at"]

_PACKAGE = Path(__file__).parent


def class_at(place: str) -> type[CustomerSession]:
    """Import the session class at *place*; the current directory is searched too.

    Raises:
        InvalidValue: the place is not written as one, there is no such module or class, the module cannot be
            imported, or what is there is no session class.
    """
    module_name, _, class_name = place.partition(":")
    if not (module_name and class_name):
        meant = "" if ":" in place else _guess(place)
        hint = f"; did you mean {meant}?" if meant else ""
        raise InvalidValue("", f"'{place}' does not look like package.module:ShopSession{hint}")
    if module_name.endswith(".py") and Path(module_name).exists():
        meant = f"{'.'.join(Path(module_name).with_suffix('').parts)}:{class_name}"
        raise InvalidValue("", f"'{place}' names a file, and not a module; did you mean {meant}?")
    module = _module(module_name)
    try:
        found = attrgetter(class_name)(module)
    except AttributeError:
        raise InvalidValue("", f"the module '{module_name}' has no '{class_name}'{_offer(module)}") from None
    if not (isinstance(found, type) and issubclass(found, CustomerSession)):
        raise InvalidValue("", f"'{place}' is not CustomerSession or a subclass of it")
    return found


def _guess(place: str) -> str:
    """Return the class that *place*, which has no colon, probably means, or an empty text."""
    if place == CustomerSession.__name__:
        return f"session_fsm:{place}"
    with suppress(InvalidValue):
        names = _classes(_module(place))
        return f"{place}:{names[-1]}" if names else ""
    return ":".join(place.rsplit(".", 1)) if "." in place else ""


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if name not in sys.modules and here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the module of the user may raise anything
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise InvalidValue("", f"there is no module '{error.name}', neither here nor installed") from None
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        what = f"{type(error).__name__}: {text}".removesuffix(": ")
        raise InvalidValue("", f"the module '{name}' cannot be imported: {what}{_place(error)}") from None


def _place(error: BaseException) -> str:
    """Return the file and line in which *error* was raised, if it was raised in the user's code."""
    if isinstance(error, SyntaxError):
        return f" ({error.filename}, line {error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _is_users(filename: str) -> bool:
    """Whether *filename* is a file of the user: not of this package, of `importlib`, or of generated code."""
    path = Path(filename)
    return not (filename.startswith("<") or path.is_relative_to(_PACKAGE) or path.parent.name == "importlib")


def _offer(module: ModuleType) -> str:
    names = _classes(module)
    return f"; it has {', '.join(names)}" if names else ""


def _classes(module: ModuleType) -> list[str]:
    """Return the names of the session classes in *module*, apart from CustomerSession."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, CustomerSession) and value is not CustomerSession
    ]
