"""Writes what Redis and the Feast registry hold, in one canonical form.

usage: dump.py REPO REDIS_PORT DIRECTORY

Two dumps are byte for byte the same exactly where no key, value, expiry time
or registry entry changed in between. An expiry is written as its moment, which
stays, and not as the time left, which does not.
"""

import hashlib
import json
import sys
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import registry


def text(value: object) -> object:
    """Bytes as readable text with everything else escaped; containers likewise."""
    if isinstance(value, bytes):
        return value.decode("ascii", "backslashreplace")
    if isinstance(value, dict):
        return {text(key): text(value[key]) for key in sorted(value)}
    if isinstance(value, set):
        return [text(item) for item in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [text(item) for item in value]
    return value


READERS = {
    b"string": lambda client, key: client.get(key),
    b"hash": lambda client, key: client.hgetall(key),
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    b"stream": lambda client, key: client.xrange(key),
}


def dump_redis(port: int, path: Path) -> None:
    try:
        databases = redis.Redis(port=port, socket_timeout=2, retry=Retry(NoBackoff(), 0)).info("keyspace")
    except (redis.ConnectionError, redis.TimeoutError):
        path.write_text("no answer\n")
        return
    with path.open("w") as out:
        for name in sorted(databases):
            database = int(name.removeprefix("db"))
            client = redis.Redis(port=port, db=database)
            for key in sorted(client.scan_iter()):
                kind = client.type(key)
                record = {
                    "db": database,
                    "key": text(key),
                    "type": text(kind),
                    "expires_at_ms": client.pexpiretime(key),
                    "value": text(READERS[kind](client, key)),
                }
                out.write(json.dumps(record) + "\n")


def dump_registry(repo: str, path: Path) -> None:
    found = registry.load(repo)
    if found is None:
        path.write_text("missing\n")
        return
    digest = hashlib.sha256(Path(repo, "data", "registry.db").read_bytes()).hexdigest()
    path.write_text(f"sha256 {digest}\n{found}")


def main() -> None:
    repo, port, directory = sys.argv[1:]
    dump_redis(int(port), Path(directory, "redis.jsonl"))
    dump_registry(repo, Path(directory, "registry.txt"))


main()
