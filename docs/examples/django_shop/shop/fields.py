"""A model field that keeps a session or an event as JSON in a column, and its field in forms."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from session_fsm import WireError, wire

__all__ = ["WireField", "WireFormField"]


class WireFormField(forms.CharField):
    """Shows in a form the JSON of what a `WireField` holds, and reads it."""

    widget = forms.Textarea

    def __init__(self, *, kind: type, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Write what the form shows. Without this it would show, and send back, the repr."""
        return wire.dumps(value, indent=2).decode() if isinstance(value, self.kind) else value

    def to_python(self, value: Any) -> Any:
        """Read what the form sends; an empty text is None."""
        if value in self.empty_values:
            return None
        return value if isinstance(value, self.kind) else _read(value, self.kind)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the form sends anything else than it showed."""
        try:
            sent = self.to_python(data)
        except ValidationError:
            return True
        return self._compact(sent) != self._compact(initial)

    def _compact(self, value: Any) -> Any:
        return wire.dumps(value) if isinstance(value, self.kind) else value


class WireField(models.TextField):
    """Holds whatever `session_fsm.wire` reads and writes; in the database it is text, so that every amount stays exact.

    Nothing but an object of the class itself, or JSON that can be read as one, gets into the column. An object of
    another class is refused, a subclass included: what that adds would be lost when the row is read.

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
        """Read what a fixture, a form or ``full_clean()`` has: an object of the class, or its JSON."""
        return value if value is None or type(value) is self.kind else _read(value, self.kind)

    def get_prep_value(self, value: Any) -> str | None:
        """Write what the column shall hold."""
        held = self.to_python(value)
        return None if held is None else wire.dumps(held).decode()

    def value_to_string(self, obj: models.Model) -> str | None:
        """Write what a fixture shall hold."""
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        """Return the field for forms."""
        return models.Field.formfield(self, **{"form_class": WireFormField, "kind": self.kind, **kwargs})


def _read(value: Any, kind: type) -> Any:
    if not isinstance(value, str | bytes):
        raise ValidationError(f"A {type(value).__name__} is not a {kind.__name__}.")
    try:
        return wire.loads(value, kind)
    except WireError as error:
        raise ValidationError([str(problem) for problem in error.problems]) from None
