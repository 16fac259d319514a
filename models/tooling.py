"""The configuration that Tortoise's own command line reads when a migration is made."""

import os

from models.database import configuration

TORTOISE = configuration(os.environ.get("CABINET_DATABASE_URL", "sqlite://:memory:"))
