"""What the resolvers of one request share: the viewer, the services and the loaders."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from auth.even_time import EvenTime
from auth.viewer import Viewer
from schema.loading import Loaders

_NONE: Mapping[str, Any] = MappingProxyType({})


class Context:
    """One request's context. ``services`` are handed to resolvers that name them as keywords.

    ``done`` is what mutations returned, in their order.
    """

    def __init__(self, viewer: Viewer, services: Mapping[str, Any] = _NONE) -> None:
        self.viewer = viewer
        self.services = services
        self.done: list[Any] = []
        self._loaders: Loaders | None = None

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.viewer)
        return self._loaders

    def even_time(self) -> EvenTime:
        """What a mutation is measured by: whoever has signed in waits for nothing."""
        is_stranger = self.viewer.account_id is None and "settings" in self.services
        return EvenTime(self.services["settings"].even_time if is_stranger else timedelta())

    def act_as(self, viewer: Viewer) -> None:
        """Goes on as another viewer: after signing in, or after a switch of role."""
        self.viewer = viewer
        self._loaders = None

    def forget(self) -> None:
        """Drops what was loaded: called after a write."""
        self._loaders = None
