"""Reads the offline store the way a materialization would."""

from feast import utils
from feast.feature_view import DUMMY_ENTITY_NAME

from feasthelper.main import Refused
from feasthelper.store import WITHOUT_TTL, instant, now, ttl

# More entities than this are not compared one by one.
MOST_ENTITIES = 200_000


def window(view):
    """The time span whose newest rows the online store should hold."""
    end = now()
    return end - (ttl(view) or WITHOUT_TTL), end


def latest(question, repository, view, span=None):
    """The newest row of each entity in the span, as a materialization would
    write it: a list of (entity key, values, event timestamp)."""
    start, end = span or window(view)
    keys, features, timestamp, created = _columns(repository, view)
    question.stage(f"reading {_offline_name(repository)}")
    job = repository.store.provider.offline_store.pull_latest_from_table_or_query(
        config=repository.config,
        data_source=view.batch_source,
        join_key_columns=keys,
        feature_name_columns=features,
        timestamp_field=timestamp,
        created_timestamp_column=created,
        start_date=start,
        end_date=end,
    )
    table = job.to_arrow().combine_chunks()
    if table.num_rows == 0:
        return []
    mapping = view.batch_source.field_mapping
    if mapping:
        table = utils._run_pyarrow_field_mapping(table, mapping)
    types = {column.name: column.dtype.to_value_type() for column in view.entity_columns}
    rows = utils._convert_arrow_to_proto(table, view, types)
    return [(key, values, utils.make_tzaware(moment)) for key, values, moment, _ in rows]


def newest(question, repository, view):
    """The newest event timestamp of the source up to now, of any age."""
    if repository.config.offline_store.type == "postgres":
        _, _, timestamp, _ = _columns(repository, view)
        rows = _select(question, repository, view, "max({timestamp})", timestamp, None, now())
        return rows[0]
    rows = latest(question, repository, view)
    return max((moment for _, _, moment in rows), default=None)


def count(question, repository, view, start, end):
    """How many source rows lie in the interval, and of how many entities."""
    keys, features, timestamp, created = _columns(repository, view)
    if repository.config.offline_store.type == "postgres":
        from psycopg import sql

        distinct = sql.SQL("count(DISTINCT ({}))").format(
            sql.SQL(", ").join(sql.Identifier(key) for key in keys) or sql.SQL("1")
        )
        return _select(question, repository, view, "count(*), {distinct}", timestamp, start, end, distinct=distinct)
    question.stage(f"reading {_offline_name(repository)}")
    table = repository.store.provider.offline_store.pull_all_from_table_or_query(
        config=repository.config,
        data_source=view.batch_source,
        join_key_columns=keys,
        feature_name_columns=features,
        timestamp_field=timestamp,
        created_timestamp_column=created,
        start_date=start,
        end_date=end,
    ).to_arrow()
    entities = table.group_by(keys).aggregate([]).num_rows if keys else min(1, table.num_rows)
    return table.num_rows, entities


def reach(question, repository):
    """Fails where the offline store does not answer."""
    if repository.config.offline_store.type == "postgres":
        question.stage(f"connecting to {_offline_name(repository)}")
        with _connect(repository) as connection:
            connection.execute("SELECT 1")


def look(question, repository, view, entities):
    """Fails where the view's source cannot be read, or lacks a column: Feast
    registers such a view without a word."""
    source = view.batch_source
    if repository.config.offline_store.type != "postgres":
        repository.store.provider.validate_data_source(repository.config, source)
        return
    from psycopg import ProgrammingError, sql

    keys, features, timestamp, created = utils._get_column_names(view, entities)
    columns = [*keys, *features, timestamp, *([created] if created else [])]
    question.stage(f"looking for the source of {view.name} in {_offline_name(repository)}")
    with _connect(repository) as connection:
        connection.read_only = True
        statement = sql.SQL("SELECT {} FROM {} AS source LIMIT 0").format(
            sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys(columns))),
            sql.SQL(source.get_table_query_string()),
        )
        try:
            connection.execute(statement)
        except ProgrammingError as error:
            raise Refused(
                "source_unreadable",
                f"the source of {view.name} cannot be read: {str(error).splitlines()[0]}",
                "mend the source or its definition, or set skip_source_validation",
            ) from error


def _select(question, repository, view, what, timestamp, start, end, **parts):
    from psycopg import sql

    source = view.batch_source.get_table_query_string()
    column = sql.Identifier(timestamp)
    where = [sql.SQL("{} <= {}::timestamptz").format(column, sql.Literal(instant(end)))]
    if start is not None:
        where.append(sql.SQL("{} >= {}::timestamptz").format(column, sql.Literal(instant(start))))
    statement = sql.SQL("SELECT " + what + " FROM {source} AS source WHERE {where}").format(
        timestamp=column, source=sql.SQL(source), where=sql.SQL(" AND ").join(where), **parts
    )
    question.stage(f"reading {_offline_name(repository)}")
    with _connect(repository) as connection:
        connection.read_only = True
        return connection.execute(statement).fetchone()


def _connect(repository):
    from feast.infra.utils.postgres.connection_utils import _get_conn

    return _get_conn(repository.config.offline_store)


def _columns(repository, view):
    entities = [
        repository.registry.get_entity(name, repository.project)
        for name in view.entities
        if name != DUMMY_ENTITY_NAME
    ]
    return utils._get_column_names(view, entities)


def _offline_name(repository):
    return repository.offline_url() or f"the offline store ({repository.config.offline_store.type})"
