"""A project of Django. A process has one, so `tests/test_django.py` runs this suite in a process of its own."""

import django
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import Client

_APPS = ("admin", "auth", "contenttypes", "messages", "sessions")


def pytest_configure() -> None:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[*(f"django.contrib.{name}" for name in _APPS), "orders"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "session_fsm.django.SessionErrorMiddleware",
        ],
        ROOT_URLCONF="orders.views",
        SECRET_KEY="of the suite",
        STATIC_URL="static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()


@pytest.fixture(scope="session", autouse=True)
def _tables():
    call_command("migrate", run_syncdb=True, verbosity=0)


@pytest.fixture(autouse=True)
def _rolled_back(_tables):
    """Undo what a test stores."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def client():
    return Client()
