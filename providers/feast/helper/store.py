"""Opens a feature repository without changing it, and names its resources."""

import os
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

from feast import FeatureStore
from feast.feature_view import FeatureViewState
from feast.infra.registry.file import FileRegistryStore
from feast.infra.registry.registry import REGISTRY_SCHEMA_VERSION, Registry, RegistryProto
from feast.infra.registry.registry_store import NoopRegistryStore

from feasthelper.main import Refused

# How far back Feast itself looks where a feature view has no time to live.
WITHOUT_TTL = timedelta(weeks=52)


def now():
    return datetime.now(timezone.utc)


def instant(moment):
    """RFC 3339 in UTC; Feast's naive times are UTC."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    text = moment.astimezone(timezone.utc).isoformat()
    return text.replace("+00:00", "Z")


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Repository:
    """A feature repository, open. Where its registry is missing, Feast would
    write an empty one just by looking: that is kept from it, and remembered.
    Nothing is written before thaw is called."""

    def __init__(self, question):
        self.path = Path(os.path.realpath(question.repo))
        if not (self.path / "feature_store.yaml").is_file() and not _configured_elsewhere():
            raise Refused(
                "no_repository",
                f"there is no feature_store.yaml in {question.repo}",
                "set `repo` to the folder of the feature repository",
            )
        os.chdir(self.path)
        if str(self.path) not in sys.path:
            sys.path.append(str(self.path))
        self.missing, self.opening = False, True
        self.usual_retry = None  # the online client's own, while it is impatient
        self.thaw = _freeze(self)
        question.stage("opening the registry")
        self.store = FeatureStore(repo_path=str(self.path))
        self.registry = self._open_registry()
        self.opening = False
        if self.missing:
            # Feast would look for the file again, and here it stays missing.
            self.registry._registry_store.get_registry_proto = self._nothing
        self.config, self.project = self.store.config, self.store.project

    def _open_registry(self):
        try:
            return self.store.registry
        except Exception as error:
            if self.store.config.registry.registry_type != "sql" or not _lacks_tables(error):
                raise
            # Feast would have made the tables; without them an empty registry
            # in memory stands for the one that is missing.
            self.missing = True
            self.store._registry = Registry(self.store.project, None, None)
            self.store._registry._registry_store = NoopRegistryStore()
            self.store._registry.cached_registry_proto_ttl = timedelta(0)
            return self.store._registry

    def _nothing(self):
        return RegistryProto(registry_schema_version=REGISTRY_SCHEMA_VERSION)

    def view(self, name):
        """The named feature view as the registry has it."""
        self.must_exist()
        for view in self.views():
            if view.name == name:
                return view
        known = ", ".join(sorted(v.name for v in self.views())) or "none"
        raise Refused(
            "no_such_feature_view",
            f"the registry has no feature view {name}; it has: {known}",
            "`feast.apply` registers what the repository defines",
            argument="feature_view",
        )

    def views(self):
        """Feature views that are materialized from a source."""
        return [
            *self.registry.list_feature_views(self.project),
            *self.registry.list_stream_feature_views(self.project),
        ]

    def must_exist(self):
        if self.missing:
            raise Refused(
                "registry_missing",
                f"the registry {self.registry_path()} does not exist",
                "`feast.apply` makes it anew; what was materialized must then be materialized again in full",
            )

    def registry_path(self):
        path = str(self.config.registry.path)
        if "://" not in path:
            return str(self.path / path)
        address = urlsplit(path)
        if address.hostname is None:
            return path
        host = address.hostname + (f":{address.port}" if address.port else "")
        return f"{address.scheme}://{host}{address.path}"

    def servable(self, view):
        """Whether Feast hands this view's values to readers."""
        if not getattr(view, "enabled", True):
            return False
        states = {FeatureViewState.STATE_UNSPECIFIED, FeatureViewState.AVAILABLE_ONLINE}
        if getattr(self.registry, "serve_features_while_materializing", False):
            states.add(FeatureViewState.MATERIALIZING)
        return state(view) in states

    def online_url(self):
        online = self.config.online_store
        if online.type == "redis":
            from feast.infra.online_stores.redis import RedisOnlineStore

            nodes, params = RedisOnlineStore._parse_connection_string(online.connection_string)
            return f"redis://{nodes[0]['host']}:{nodes[0]['port']}/{params.get('db', 0)}/{self.project}"
        if online.type == "sqlite":
            return f"file://{self.path / online.path}"
        return None

    def offline_url(self):
        offline = self.config.offline_store
        if offline.type == "postgres":
            return f"postgres://{offline.host}:{offline.port}/{offline.database}"
        return None


def _lacks_tables(error):
    said = str(error)
    return type(error).__module__.startswith("sqlalchemy") and any(
        words in said for words in ("UndefinedTable", "no such table", "doesn't exist")
    )


def _configured_elsewhere():
    return "FEATURE_STORE_YAML_BASE64" in os.environ or "FEAST_FS_YAML_FILE_PATH" in os.environ


def _freeze(repository):
    """Keeps Feast from writing the registry and returns how to let it again. A
    commit while the repository is opened means that there was no registry."""
    kept = []

    def replace(holder, name, value):
        kept.append((holder, name, getattr(holder, name)))
        setattr(holder, name, value)

    def commit(registry):
        repository.missing = repository.missing or repository.opening

    replace(Registry, "commit", commit)
    sql = sys.modules.get("feast.infra.registry.sql")
    if sql:
        replace(sql.SqlRegistry, "_maybe_init_project_metadata", lambda *_: None)
        replace(sql.SqlRegistry, "_sync_feast_metadata_to_projects_table", lambda *_: None)
        replace(sql.metadata, "create_all", lambda *_: None)

    def thaw():
        for holder, name, value in reversed(kept):
            setattr(holder, name, value)

    return thaw


def write_whole_registries():
    """Feast empties a registry file and then writes it; killed in between, every
    feature view is gone. From here on the file is replaced as a whole."""
    write = FileRegistryStore._write_registry

    def whole(self, proto):
        target = self._filepath
        real = Path(os.path.realpath(target))
        self._filepath = real.with_name(f".{real.name}.{os.getpid()}")
        try:
            write(self, proto)
            if real.exists():
                shutil.copymode(real, self._filepath)
                _own_like(real, self._filepath)
            os.replace(self._filepath, real)
        finally:
            self._filepath.unlink(missing_ok=True)
            self._filepath = target

    FileRegistryStore._write_registry = whole


def _own_like(model, path):
    owner = model.stat()
    try:
        os.chown(path, owner.st_uid, owner.st_gid)
    except PermissionError:
        pass


def state(view):
    return getattr(view, "state", FeatureViewState.STATE_UNSPECIFIED)


def ttl(view):
    """The view's time to live, None where values never grow too old."""
    lifetime = getattr(view, "ttl", None)
    return lifetime if lifetime else None


def describe_view(repository, view):
    intervals = list(getattr(view, "materialization_intervals", []))
    last = intervals[-1] if intervals else (None, None)
    return {
        "name": view.name,
        "entities": sorted(view.join_keys),
        "features": [feature.name for feature in view.features],
        "ttl_seconds": ttl(view).total_seconds() if ttl(view) else None,
        "online": bool(view.online),
        "state": state(view).name,
        "servable": repository.servable(view),
        "intervals": len(intervals),
        "last_start": instant(last[0]),
        "last_end": instant(last[1]),
        "watermark": instant(view.most_recent_end_time),
    }
