"""Compares the repository's definitions with the registry, and applies them."""

import sys

from feast.diff.registry_diff import TransitionType
from feast.feature_view import DUMMY_ENTITY_NAME
from feast.protos.feast.core.DataSource_pb2 import DataSource as DataSourceProto
from feast.repo_config import load_repo_config
from feast.repo_operations import _get_repo_contents, apply_total
from feast.utils import get_default_yaml_file_path

from feasthelper import offline
from feasthelper.main import Refused
from feasthelper.store import Repository, write_whole_registries


def plan(question):
    repository = Repository(question)
    return {
        "exists": not repository.missing,
        "changes": _changes(question, repository),
        "registry": repository.registry_path(),
        "online": repository.online_url(),
    }


def apply(question):
    """Applies, and proves it by looking for what is still different."""
    repository = Repository(question)
    changes = _changes(question, repository)
    deleted = [change for change in changes if change["change"] == "delete"]
    if deleted and not question.args["allow_deletions"]:
        raise Refused(
            "would_delete",
            "these are in the registry and no longer in the repository: "
            + ", ".join(f"{change['type']} {change['name']}" for change in deleted),
            "bring their definitions back, or set allow_deletions",
        )
    for unit, found in (("changes", len(changes)), ("deletions", len(deleted))):
        most = question.args.get(f"limit_{unit}")
        if most is not None and found > most:
            raise Refused("over_limit", f"{found} {unit} would be made, the limit is {most}")

    question.touch()
    write_whole_registries()
    repository.thaw()
    _forget_definitions(repository)
    question.stage("applying")
    config = load_repo_config(repository.path, get_default_yaml_file_path(repository.path))
    apply_total(config, repository.path, question.args["skip_source_validation"])

    seen = Repository(question)
    left = _changes(question, seen)
    if left:
        raise Refused(
            "not_applied",
            "Feast ended without an error, but the registry still differs in "
            + ", ".join(f"{change['type']} {change['name']}" for change in left),
            clean=False,
        )
    return {
        "changes": changes,
        "never_materialized": sorted(v.name for v in seen.views() if v.online and v.most_recent_end_time is None),
    }


def _changes(question, repository):
    question.stage("reading the repository's definitions")
    _forget_definitions(repository)
    contents = _get_repo_contents(repository.path, repository.project, repository.config)
    if not question.args.get("skip_source_validation"):
        entities = {entity.name: entity for entity in contents.entities}
        for view in [*contents.feature_views, *contents.stream_feature_views]:
            if view.batch_source is not None:
                known = [entities[name] for name in view.entities if name in entities]
                offline.look(question, repository, view, known)
    question.stage("comparing definitions")
    objects, infrastructure, _ = repository.store.plan(contents)
    changes = []
    for diff in objects.feast_object_diffs:
        if diff.name == DUMMY_ENTITY_NAME or diff.transition_type == TransitionType.UNCHANGED:
            continue
        properties = sorted({p.property_name for p in diff.feast_object_property_diffs or [] if _real(p)})
        if diff.transition_type == TransitionType.UPDATE and not properties:
            continue
        changes.append(
            {
                "type": diff.feast_object_type.value,
                "name": diff.name,
                "change": diff.transition_type.name.lower(),
                "properties": properties,
            }
        )
    for diff in infrastructure.infra_object_diffs:
        if diff.transition_type != TransitionType.UNCHANGED:
            changes.append(
                {
                    "type": "infrastructure",
                    "name": diff.name,
                    "change": diff.transition_type.name.lower(),
                    "properties": [],
                }
            )
    return sorted(changes, key=lambda change: (change["type"], change["name"]))


def _real(property):
    """Feast compares sources with the times at which they were registered, and
    so finds an update in every view that has ever been materialized."""
    return _timeless(property.val_existing) != _timeless(property.val_declared)


def _timeless(value):
    if not isinstance(value, DataSourceProto):
        return value
    copy = DataSourceProto()
    copy.CopyFrom(value)
    copy.ClearField("meta")
    if copy.HasField("batch_source"):
        copy.batch_source.ClearField("meta")
    return copy


def _forget_definitions(repository):
    """Lets definitions be read again that this process has read before."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and file.startswith(str(repository.path) + "/"):
            del sys.modules[name]
