"""Answers about the registry and about how far the online store is behind."""

import math
from importlib.metadata import version

from feast.type_map import feast_value_type_to_python_type

from feasthelper import offline, online
from feasthelper.main import Refused
from feasthelper.store import Repository, describe_view, instant, now, state, ttl

# How many entities an answer names.
NAMED = 20


def registry(question):
    repository = Repository(question)
    answer = {
        "exists": not repository.missing,
        "project": repository.project,
        "path": repository.registry_path(),
        "version": version("feast"),
        "online": repository.online_url(),
        "offline": repository.offline_url(),
        "views": [],
        "entities": [],
        "feature_services": [],
        "now": instant(now()),
    }
    if repository.missing:
        return answer
    registry, project = repository.registry, repository.project
    answer["views"] = [describe_view(repository, view) for view in repository.views()]
    answer["entities"] = sorted(e.name for e in registry.list_entities(project) if e.name != "__dummy")
    answer["feature_services"] = sorted(s.name for s in registry.list_feature_services(project))
    return answer


def freshness(question):
    """How old the values online are; entities not given are those that the
    source holds within the view's time to live."""
    repository = Repository(question)
    view = repository.view(question.args["feature_view"])
    given = question.args.get("entities")
    source = None
    if given is None:
        source = offline.latest(question, repository, view)
        keys = [key for key, _, _ in source]
    else:
        keys = online.keys_of(view, given)
    moment = now()
    found = online.read(question, repository, view, keys) if keys else []
    there = [(at, key) for key, (at, _) in zip(keys, found) if at is not None]
    missing = [online.plain(key) for key, (at, _) in zip(keys, found) if at is None]
    answer = {
        "state": state(view).name,
        "servable": repository.servable(view),
        "entities": len(keys),
        "missing": len(missing),
        "missing_entities": missing[:NAMED],
        "oldest": None,
        "newest": None,
        "oldest_entity": None,
        "age_seconds": None,
        "offline_newest": None,
        "watermark": instant(view.most_recent_end_time),
    }
    if there:
        oldest, key = min(there, key=lambda pair: pair[0])
        answer["oldest"], answer["oldest_entity"] = instant(oldest), online.plain(key)
        answer["newest"] = instant(max(at for at, _ in there))
        if not missing:
            answer["age_seconds"] = (moment - oldest).total_seconds()
    if source is not None:
        newest = max((at for _, _, at in source), default=None)
        answer["offline_newest"] = instant(newest or offline.newest(question, repository, view))
    return answer


def sync(question):
    """Compares the online store with the newest row of each entity."""
    repository = Repository(question)
    view = repository.view(question.args["feature_view"])
    source = offline.latest(question, repository, view)
    if len(source) > offline.MOST_ENTITIES:
        raise Refused("too_many_entities", f"{view.name} has {len(source)} entities; at most {offline.MOST_ENTITIES} are compared")
    found = online.read(question, repository, view, [key for key, _, _ in source]) if source else []
    missing, behind, ahead, different, lag = [], [], [], [], 0.0
    for (key, values, at), (held, kept) in zip(source, found):
        if held is None:
            missing.append(online.plain(key))
        elif held < at:
            behind.append(online.plain(key))
            lag = max(lag, (at - held).total_seconds())
        elif held > at:
            ahead.append(online.plain(key))
        elif not _same(values, kept):
            different.append(online.plain(key))
    return {
        "entities": len(source),
        "missing": len(missing),
        "behind": len(behind),
        "ahead": len(ahead),
        "different": len(different),
        "wrong_entities": [*missing, *behind, *ahead, *different][:NAMED],
        "lag_seconds": None if missing or not source else lag,
        "offline_newest": instant(
            max((at for _, _, at in source), default=None) or offline.newest(question, repository, view)
        ),
        "online_newest": instant(max((at for at, _ in found if at is not None), default=None)),
        "servable": repository.servable(view),
        "state": state(view).name,
    }


def _same(values, kept):
    return all(_equal(value, kept.get(name)) for name, value in values.items())


def _equal(a, b):
    a, b = _plain_value(a), _plain_value(b)
    return a == b


def _plain_value(value):
    """A feature's value as JSON can hold it; what is no number is null."""
    if value is None:
        return None
    held = feast_value_type_to_python_type(value)
    if isinstance(held, float) and not math.isfinite(held):
        return None
    if isinstance(held, bytes):
        return held.hex()
    return held


def online_features(question):
    """Asks Feast as a reader would, and corrects the status: Feast's Redis store
    calls keys that do not exist PRESENT, and never looks at the time to live."""
    repository = Repository(question)
    repository.must_exist()
    features, entities = question.args["features"], question.args["entities"]
    views = {reference: repository.view(reference.partition(":")[0]) for reference in features}
    question.stage(f"reading {online.online_name(repository)}")
    online.impatient(repository)
    try:
        proto = repository.store.get_online_features(features=features, entity_rows=entities).proto
    except ValueError as error:
        if not all(repository.servable(view) for view in views.values()):
            return {"refused": str(error), "rows": []}
        raise
    moment = now()
    names = list(proto.metadata.feature_names.val)
    rows = [{"entity": entity, "values": {}, "statuses": {}, "event_timestamps": {}} for entity in entities]
    for reference, view in views.items():
        name = reference.partition(":")[2].partition("@")[0]
        column = proto.results[names.index(name)]
        for row, value, at in zip(rows, column.values, column.event_timestamps):
            row["values"][name] = _plain_value(value)
            seconds = at.seconds + at.nanos / 1e9
            row["event_timestamps"][name] = None if seconds <= 0 else instant(at.ToDatetime())
            row["statuses"][name] = _status(view, seconds, row["values"][name], moment)
    return {"refused": None, "rows": rows}


def _status(view, seconds, value, moment):
    if seconds <= 0:
        return "missing"
    if ttl(view) and moment.timestamp() - seconds > ttl(view).total_seconds():
        return "expired"
    return "null" if value is None else "present"


def online_keys(question):
    repository = Repository(question)
    view = repository.view(question.args["feature_view"])
    keys, sample = 0, []
    for _, key in online.held(question, repository, view):
        keys += 1
        if len(sample) < NAMED:
            sample.append(online.plain(key))
    return {"keys": keys, "sample": sample, "online": repository.online_url()}
