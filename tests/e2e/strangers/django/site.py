"""Django with its admin and nothing else: `python site.py prepare`, then `python site.py runserver ADDRESS --noreload`."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line
from django.urls import path

FOLDER = Path(os.environ["SITE"])

settings.configure(
    SECRET_KEY="of a test",
    DEBUG=True,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[f"django.contrib.{app}" for app in ("admin", "auth", "contenttypes", "sessions", "messages")],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
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
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "db.sqlite3",
            # Its visitors write at the same time.
            "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
        }
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    STATIC_URL="static/",
    # Its own log of requests, a line for each.
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": FOLDER / "requests.log"}},
        "loggers": {"django.server": {"handlers": ["file"], "level": "INFO", "propagate": False}},
    },
)
django.setup()

from django.contrib import admin  # noqa: E402  (only once Django is set up)

urlpatterns = [path("admin/", admin.site.urls)]

if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        from django.contrib.auth.models import Group, User

        call_command("migrate", verbosity=0)
        User.objects.create_superuser("ana", "ana@simulation.test", "opensesame")
    elif sys.argv[1] == "groups":
        from django.contrib.auth.models import Group

        print(*sorted(Group.objects.values_list("name", flat=True)), sep="\n")
    else:
        execute_from_command_line(sys.argv)
