"""Settings of the service for one machine; production needs another database."""

import os
import secrets
from pathlib import Path

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY") or secrets.token_hex()  # no signed data outlives the process
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",  # refuses requests for other hosts
    "session_fsm.django.SessionErrorMiddleware",  # answers refusals and invalid documents
]
APPEND_SLASH = False
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parent.parent / "shop.sqlite3",
        # SQLite has no row locks: a writer waits at the start of the transaction, not at its end.
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
"""In bytes: the limit of session_fsm.wire."""
