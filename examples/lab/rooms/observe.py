"""Looks at every room and prints what it sees, one `name value` a line.

usage: observe.py REPO POSTGRES_PORT DATABASE USER REDIS_PORT

Reads POSTGRES_PASSWORD from the environment. Changes nothing; a room that does
not answer within two seconds is said to give no answer. These rooms are healthy
where the newest bar and every online feature are at most 600 seconds old.
"""

import os
import sys
from datetime import datetime, timezone

import psycopg
import redis
from google.protobuf.timestamp_pb2 import Timestamp
from redis.backoff import NoBackoff
from redis.retry import Retry

import registry

SYMBOLS = ("USDCOP", "USDMXN")
VIEW = "technical_features"
PROJECT = b"usdcop"
LIMIT = 600
WAIT = 2

seen: dict[str, object] = {}


def see(name: str, value: object) -> None:
    seen[name] = value
    if isinstance(value, datetime):
        value = value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f"{name} {value}", flush=True)


def see_time(name: str, moment: datetime | None) -> None:
    if moment is None:
        see(name, "none")
        return
    see(name, moment)
    see(f"{name}_age_seconds", int((datetime.now(timezone.utc) - moment).total_seconds()))


def look_at_postgres(port: str, database: str, user: str) -> None:
    try:
        connection = psycopg.connect(
            host="127.0.0.1",
            port=port,
            dbname=database,
            user=user,
            password=os.environ["POSTGRES_PASSWORD"],
            connect_timeout=WAIT,
            options=f"-c statement_timeout={WAIT}s",
        )
    except psycopg.errors.ConnectionTimeout:
        see("postgres", "no_answer")
        return
    except psycopg.OperationalError as error:
        see("postgres", "refused" if "refused" in str(error) else "rejecting")
        return
    with connection:
        try:
            row = connection.execute("SELECT count(*), max(time) FROM usdcop_m5_ohlcv").fetchone()
        except psycopg.Error as error:
            see("postgres", type(error).__name__)
            return
        see("postgres", "accepting")
        see("postgres.bars", row[0])
        see_time("postgres.newest_bar", row[1])


def look_at_redis(port: str) -> None:
    client = redis.Redis(
        port=int(port),
        socket_timeout=WAIT,
        socket_connect_timeout=WAIT,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        keys = set(client.scan_iter())
    except redis.TimeoutError:
        see("redis", "no_answer")
        return
    except redis.ConnectionError:
        see("redis", "refused")
        return
    see("redis", "accepting")
    features = {key for key in keys if key.endswith(PROJECT) and b"symbol" in key}
    see("redis.feature_keys", len(features))
    see("redis.other_keys", len(keys - features))
    times = []
    for key in features:
        raw = client.hget(key, f"_ts:{VIEW}")
        if raw is not None:
            stamp = Timestamp.FromString(raw)
            times.append(datetime.fromtimestamp(stamp.seconds, timezone.utc))
    see_time("redis.oldest_feature", min(times, default=None))


def look_at_registry(repo: str) -> None:
    found = registry.load(repo)
    if found is None:
        see("registry", "missing")
        return
    views = {view.spec.name: view for view in found.feature_views}
    if VIEW not in views:
        see("registry", "empty")
        return
    view = views[VIEW]
    see("registry", "present")
    see("registry.state", registry.state_name(view))
    ends = [interval.end_time.ToDatetime(timezone.utc) for interval in view.meta.materialization_intervals]
    see_time("registry.watermark", max(ends, default=None))


def main() -> None:
    repo, postgres_port, database, user, redis_port = sys.argv[1:]
    look_at_postgres(postgres_port, database, user)
    look_at_redis(redis_port)
    look_at_registry(repo)
    healthy = (
        seen["registry"] == "present"
        and seen["registry.state"] == "AVAILABLE_ONLINE"
        and seen.get("redis.feature_keys") == len(SYMBOLS)
        and seen.get("redis.oldest_feature_age_seconds", LIMIT + 1) <= LIMIT
        and seen.get("postgres.newest_bar_age_seconds", LIMIT + 1) <= LIMIT
    )
    see("feast.healthy", "yes" if healthy else "no")


main()
