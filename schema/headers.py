"""Headers of a request that only some roles may use, by the same rules as fields."""

from models.role import Role
from schema.directives import visible
from schema.rules import Rules

# Asks to be told, in a header of the answer, which way each root field went, and why.
DEBUG = "X-Cabinet-Debug"

HEADERS: dict[str, Rules] = {DEBUG: Rules((visible(Role.ADMIN),))}
