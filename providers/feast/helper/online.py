"""Reads the online store, and empties one feature view of it."""

from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.type_map import feast_value_type_to_python_type, python_values_to_proto_values

from feasthelper.main import Refused


def keys_of(view, entities):
    """Entity keys of plain objects such as {"symbol": "USDCOP"}."""
    columns = {column.name: column.dtype.to_value_type() for column in view.entity_columns}
    keys = []
    for entity in entities:
        if set(entity) != set(columns):
            raise Refused(
                "invalid_argument",
                f"an entity of {view.name} is made of {', '.join(sorted(columns))}, not of {', '.join(sorted(entity)) or 'nothing'}",
                argument="entities",
            )
        values = [python_values_to_proto_values([entity[name]], kind)[0] for name, kind in columns.items()]
        keys.append(EntityKey(join_keys=list(columns), entity_values=values))
    return keys


def plain(key):
    """An entity key as a plain object."""
    return {
        name: feast_value_type_to_python_type(value)
        for name, value in zip(key.join_keys, key.entity_values)
    }


def read(question, repository, view, keys):
    """What the online store holds of each key: (event timestamp, values), or
    (None, {}) where it holds nothing. Feast's Redis store tells such a key as
    one of 1970 with empty values."""
    question.stage(f"reading {online_name(repository)}")
    impatient(repository)
    names = [feature.name for feature in view.features]
    found = repository.store.provider.online_read(repository.config, view, keys, names)
    return [
        (moment, values) if moment is not None and moment.timestamp() > 0 else (None, {})
        for moment, values in found
    ]


def reach(question, repository):
    """Fails where the online store does not answer."""
    if repository.config.online_store.type == "redis":
        question.stage(f"connecting to {online_name(repository)}")
        impatient(repository)
        _client(repository).ping()


def held(question, repository, view):
    """The Redis keys that hold the view's values, with their entity keys."""
    from feast.infra.key_encoding_utils import deserialize_entity_key, serialize_entity_key
    from feast.infra.online_stores.helpers import _redis_key_prefix

    question.stage(f"scanning {online_name(repository)}")
    impatient(repository)
    client = _client(repository)
    version = repository.config.entity_key_serialization_version
    prefix, project = _redis_key_prefix(view.join_keys), repository.project.encode()
    stamp = _fields(repository, view)[-1]
    # A pattern alone also finds keys of projects whose names end like this
    # one's; and brackets in a prefix would be read as a class.
    pattern = b"".join(b"\\" + bytes([c]) if c in b"*?[]\\" else bytes([c]) for c in prefix) + b"*" + project
    candidates = []
    for name in client.scan_iter(pattern, count=1000):
        encoded = name[: -len(project)]
        try:
            key = deserialize_entity_key(encoded, version)
            if serialize_entity_key(key, version) == encoded:
                candidates.append((name, key))
        except (ValueError, UnicodeDecodeError):
            continue
    for batch in _batches(candidates):
        with client.pipeline(transaction=False) as pipe:
            for name, _ in batch:
                pipe.hexists(name, stamp)
            for pair, there in zip(batch, pipe.execute()):
                if there:
                    yield pair


def purge(question, repository, view, most):
    """Takes the view's values out of Redis, and leaves what other views keep in
    the same hashes; returns how many keys it was taken out of."""
    found = [name for name, _ in held(question, repository, view)]
    if most is not None and len(found) > most:
        raise Refused("over_limit", f"{view.name} has {len(found)} keys online, the limit is {most}")
    client, fields = _client(repository), _fields(repository, view)
    question.stage(f"deleting from {online_name(repository)}")
    done = 0
    question.touch()
    for batch in _batches(found):
        with client.pipeline(transaction=False) as pipe:
            for name in batch:
                # Redis drops a hash with its last field.
                pipe.hdel(name, *fields)
            pipe.execute()
        done += len(batch)
        question.progress(done, f"{done} of {len(found)} keys")
    return done


def impatient(repository):
    """Makes a Redis that is away known at once: redis-py tries for seven seconds
    by itself, and whoever waits for an answer here looks again anyway."""
    if repository.config.online_store.type != "redis" or repository.usual_retry:
        return
    client = _client(repository)
    if hasattr(client, "get_retry"):
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        repository.usual_retry = client.get_retry()
        client.set_retry(Retry(NoBackoff(), 1))


def patient(repository):
    """Takes that back, for work that should outlast a hiccup."""
    if repository.usual_retry:
        _client(repository).set_retry(repository.usual_retry)
        repository.usual_retry = None


def online_name(repository):
    return repository.online_url() or f"the online store ({repository.config.online_store.type})"


def _client(repository):
    online = repository.config.online_store
    if online.type != "redis":
        raise Refused(
            "unsupported_online_store",
            f"keys can be counted and purged in Redis only, and the online store is {online.type}",
        )
    return repository.store.provider.online_store._get_client(online)


def _fields(repository, view):
    """The fields of an entity's hash that belong to the view; the last one is
    its event timestamp."""
    from feast.infra.online_stores.helpers import _mmh3
    from feast.infra.online_stores.redis import _versioned_fv_name

    name = _versioned_fv_name(view, repository.config)
    return [*(_mmh3(f"{name}:{feature.name}") for feature in view.features), f"_ts:{name}".encode()]


def _batches(items, size=1000):
    for start in range(0, len(items), size):
        yield items[start : start + size]
