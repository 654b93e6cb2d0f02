"""A model field that stores a session or an event as JSON, and its form field."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from session_fsm import WireError, wire

__all__ = ["WireField", "WireFormField"]


class WireFormField(forms.CharField):
    """The form field of `WireField`: displays the value as JSON, and reads JSON."""

    widget = forms.Textarea

    def __init__(self, *, kind: type, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return the JSON to display; the default would be the repr."""
        return wire.dumps(value, indent=2).decode() if isinstance(value, self.kind) else value

    def to_python(self, value: Any) -> Any:
        """Return the value of the submitted JSON; an empty string is None."""
        if value in self.empty_values:
            return None
        return value if isinstance(value, self.kind) else _read(value, self.kind)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the submitted value differs from the displayed one."""
        try:
            sent = self.to_python(data)
        except ValidationError:
            return True
        return self._compact(sent) != self._compact(initial)

    def _compact(self, value: Any) -> Any:
        return wire.dumps(value) if isinstance(value, self.kind) else value


class WireField(models.TextField):
    """Stores an object of one class as the JSON of `session_fsm.wire`, in a text column, so that amounts stay exact.

    Accepts an object of exactly this class, or its JSON. Objects of a subclass are refused, because the fields that
    the subclass adds would be lost when the row is read.

    Args:
        kind: the class of the objects, such as a subclass of `CustomerSession`.
    """

    def __init__(self, kind: type, *args: Any, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return the arguments of the field for migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, [self.kind, *args], kwargs

    def from_db_value(self, value: str | None, *_: object) -> Any:
        """Return the object for the text in the column."""
        return None if value is None else wire.loads(value, self.kind)

    def to_python(self, value: Any) -> Any:
        """Return the object for a value of a fixture, a form or ``full_clean()``: an object, or its JSON."""
        return value if value is None or type(value) is self.kind else _read(value, self.kind)

    def get_prep_value(self, value: Any) -> str | None:
        """Return the text for the column."""
        held = self.to_python(value)
        return None if held is None else wire.dumps(held).decode()

    def value_to_string(self, obj: models.Model) -> str | None:
        """Return the text for a fixture."""
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        """Return the form field."""
        return models.Field.formfield(self, **{"form_class": WireFormField, "kind": self.kind, **kwargs})


def _read(value: Any, kind: type) -> Any:
    if not isinstance(value, str | bytes):
        raise ValidationError(f"A {type(value).__name__} is not a {kind.__name__}.")
    try:
        return wire.loads(value, kind)
    except WireError as error:
        raise ValidationError([str(problem) for problem in error.problems]) from None
