"""Settings of the service, for one machine; another place for the database is all that production needs besides."""

import os
import secrets
from pathlib import Path

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY") or secrets.token_hex()  # nothing is signed that outlives a start
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # it turns away requests for other hosts
APPEND_SLASH = False
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parent.parent / "shop.sqlite3",
        # SQLite has no row locks: whoever means to write waits at the start of the transaction, not at its end.
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
"""In bytes: what session_fsm.wire reads at most."""
