-- The tables of the trading database, and the features the offline store reads.

CREATE TABLE usdcop_m5_ohlcv (
    time   timestamptz      NOT NULL,
    symbol text             NOT NULL,
    open   double precision NOT NULL,
    high   double precision NOT NULL,
    low    double precision NOT NULL,
    close  double precision NOT NULL,
    volume bigint           NOT NULL,
    PRIMARY KEY (time, symbol)
);

-- A view, so that a fresh bar is a fresh feature: between PostgreSQL and the
-- online store there is materialization and nothing else that could lag.
CREATE VIEW technical_features AS
WITH moves AS (
    SELECT time, symbol, close,
           close - lag(close) OVER w AS change,
           ln(close / lag(close) OVER w) AS log_ret_5m,
           ln(close / lag(close, 12) OVER w) AS log_ret_1h,
           greatest(high, lag(close) OVER w) - least(low, lag(close) OVER w) AS true_range
    FROM usdcop_m5_ohlcv
    WINDOW w AS (PARTITION BY symbol ORDER BY time)
), averages AS (
    SELECT *,
           avg(greatest(change, 0)) OVER w9 AS gain,
           avg(greatest(-change, 0)) OVER w9 AS loss,
           count(change) OVER w9 AS changes,
           avg(true_range) OVER w9 AS average_range
    FROM moves
    WINDOW w9 AS (PARTITION BY symbol ORDER BY time ROWS 8 PRECEDING)
)
SELECT time AS event_timestamp,
       symbol,
       CASE WHEN changes = 9 THEN 100 * gain / nullif(gain + loss, 0) END AS rsi_9,
       log_ret_5m,
       log_ret_1h,
       100 * average_range / close AS atr_pct_9
FROM averages;
