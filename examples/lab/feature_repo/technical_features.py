"""The features that inference reads: indicators over five-minute bars."""

from datetime import timedelta

from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
    PostgreSQLSource,
)
from feast.types import Float64

symbol = Entity(name="symbol", join_keys=["symbol"], value_type=ValueType.STRING)

technical_features = FeatureView(
    name="technical_features",
    entities=[symbol],
    ttl=timedelta(days=1),
    schema=[
        Field(name="rsi_9", dtype=Float64),
        Field(name="log_ret_5m", dtype=Float64),
        Field(name="log_ret_1h", dtype=Float64),
        Field(name="atr_pct_9", dtype=Float64),
    ],
    source=PostgreSQLSource(
        name="technical_features",
        table="technical_features",
        timestamp_field="event_timestamp",
    ),
)
