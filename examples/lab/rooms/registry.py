"""Reads a Feast registry file, without the seconds that importing Feast takes."""

import importlib.util
import sys
import types
from pathlib import Path

# The generated protobuf modules need the package's name, not its contents.
_spec = importlib.util.find_spec("feast")
_package = types.ModuleType("feast")
_package.__path__ = list(_spec.submodule_search_locations)
sys.modules["feast"] = _package

from feast.protos.feast.core.FeatureView_pb2 import FeatureViewState  # noqa: E402
from feast.protos.feast.core.Registry_pb2 import Registry  # noqa: E402


def load(repo: str) -> Registry | None:
    """The registry of a feature repository, None where there is no file."""
    path = Path(repo, "data", "registry.db")
    if not path.exists():
        return None
    registry = Registry()
    registry.ParseFromString(path.read_bytes())
    return registry


def state_name(view) -> str:
    """The lifecycle state of a feature view's proto, such as AVAILABLE_ONLINE."""
    return FeatureViewState.Name(view.meta.state)
