"""What the resolvers of one request share: the viewer, the services and the loaders."""

from dataclasses import dataclass, field
from typing import Any

from auth.viewer import Viewer
from schema.loading import Loaders


@dataclass
class Context:
    """One request's context. ``services`` are handed to resolvers that name them as keywords.

    ``done`` is what mutations returned, in their order.
    """

    viewer: Viewer
    services: dict[str, Any] = field(default_factory=dict)
    done: list[Any] = field(default_factory=list)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.viewer)

    def act_as(self, viewer: Viewer) -> None:
        """Goes on as another viewer: after signing in, or after a switch of role."""
        self.viewer = viewer
        self.loaders = Loaders(viewer)

    def forget(self) -> None:
        """Drops what was loaded: called after a write."""
        self.loaders = Loaders(self.viewer)
