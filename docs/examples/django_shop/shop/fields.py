"""A model field that keeps a session or an event as JSON in a column."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from session_fsm import WireError, wire

__all__ = ["WireField"]


class WireField(models.TextField):
    """Holds whatever `session_fsm.wire` reads and writes; in the database it is text, so that every amount stays exact.

    Args:
        kind: the class of what it holds, such as a subclass of `CustomerSession`.
    """

    def __init__(self, kind: type, *args: Any, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Tell migrations how the field was made."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, [self.kind, *args], kwargs

    def from_db_value(self, value: str | None, *_: object) -> Any:
        """Read what the column holds."""
        return None if value is None else wire.loads(value, self.kind)

    def to_python(self, value: Any) -> Any:
        """Read what a fixture or a form holds."""
        if value is None or isinstance(value, self.kind):
            return value
        try:
            return wire.loads(value, self.kind)
        except WireError as error:
            raise ValidationError(list(map(str, error.problems))) from None

    def get_prep_value(self, value: Any) -> Any:
        """Write what the column shall hold."""
        return wire.dumps(value).decode() if isinstance(value, self.kind) else value

    def value_to_string(self, obj: models.Model) -> Any:
        """Write what a fixture shall hold."""
        return self.get_prep_value(self.value_from_object(obj))
