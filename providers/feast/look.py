# Looks into a Feast repository, changes nothing, and prints what it sees as JSON:
# registry REPO {} | freshness REPO {"feature_view", "entities"} | online_features REPO {"features", "entities"}
import json
import os
import sys
from datetime import datetime, timedelta, timezone

what, repo, given = sys.argv[1], os.path.realpath(sys.argv[2]), json.loads(sys.argv[3])
os.chdir(repo)
sys.path.append(repo)

from feast import FeatureStore, utils
from feast.feature_view import DUMMY_ENTITY_NAME
from feast.infra.registry.registry import Registry
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.type_map import python_values_to_proto_values

missing = []
Registry.commit = lambda self: missing.append(True)  # Feast makes an empty registry just by looking
store = FeatureStore(repo_path=repo)
if store.config.registry.registry_type != "file":
    sys.exit("this look knows registries in files only")
try:
    known = store.registry.list_feature_views(store.project) + store.registry.list_stream_feature_views(store.project)
except FileNotFoundError:
    missing.append(True)
views = {} if missing else {view.name: view for view in known}
now = datetime.now(timezone.utc)


def state(view):
    return view.state.name if hasattr(view, "state") else "STATE_UNSPECIFIED"


def servable(view):
    return getattr(view, "enabled", True) and state(view) in ("STATE_UNSPECIFIED", "AVAILABLE_ONLINE")


def instant(moment):
    return moment and utils.make_tzaware(moment).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def view_named(name):
    if name not in views:
        sys.exit(f"the registry has no feature view {name}")
    return views[name]


def keys_in_source(view):
    """The entities that the source holds within the view's time to live."""
    entities = [store.registry.get_entity(name, store.project) for name in view.entities if name != DUMMY_ENTITY_NAME]
    keys, features, timestamp, created = utils._get_column_names(view, entities)
    table = store._get_provider().offline_store.pull_latest_from_table_or_query(
        config=store.config, data_source=view.batch_source, join_key_columns=keys, feature_name_columns=features,
        timestamp_field=timestamp, created_timestamp_column=created,
        start_date=now - (view.ttl or timedelta(weeks=52)), end_date=now,
    ).to_arrow().combine_chunks()
    if table.num_rows == 0:
        return []
    if view.batch_source.field_mapping:
        table = utils._run_pyarrow_field_mapping(table, view.batch_source.field_mapping)
    types = {column.name: column.dtype.to_value_type() for column in view.entity_columns}
    return [key for key, _, _, _ in utils._convert_arrow_to_proto(table, view, types)]


def keys_of(view, entities):
    types = {column.name: column.dtype.to_value_type() for column in view.entity_columns}
    return [
        EntityKey(join_keys=list(types), entity_values=[python_values_to_proto_values([e[n]], t)[0] for n, t in types.items()])
        for e in entities
    ]


def freshness(feature_view, entities):
    view = view_named(feature_view)
    keys = keys_in_source(view) if entities is None else keys_of(view, entities)
    names = [feature.name for feature in view.features]
    found = store._get_provider().online_read(store.config, view, keys, names) if keys else []
    there = [utils.make_tzaware(at) for at, _ in found if at is not None and at.timestamp() > 0]
    gone = len(keys) - len(there)
    return {
        "entities": len(keys), "missing": gone, "state": state(view), "servable": servable(view),
        "oldest": instant(min(there, default=None)), "newest": instant(max(there, default=None)),
        "ahead_seconds": (max(there) - now).total_seconds() if there else 0,
        "age_seconds": (now - min(there)).total_seconds() if there and not gone else None,
        "watermark": instant(view.most_recent_end_time),
    }


def online_features(features, entities):
    proto = store.get_online_features(features=features, entity_rows=entities).proto
    names = list(proto.metadata.feature_names.val)
    gone = 0
    for reference in features:
        view = view_named(reference.partition(":")[0])
        column = proto.results[names.index(reference.partition(":")[2].partition("@")[0])]
        for value, at in zip(column.values, column.event_timestamps):
            old = view.ttl and now.timestamp() - at.seconds > view.ttl.total_seconds()
            gone += at.seconds <= 0 or bool(old) or value.WhichOneof("val") is None
    return {"missing": gone}


def registry():
    return {"exists": not missing, "project": store.project, "feature_views": sorted(views)}


if missing and what != "registry":
    sys.exit("the registry does not exist")
print(json.dumps({"registry": registry, "freshness": freshness, "online_features": online_features}[what](**given)))
