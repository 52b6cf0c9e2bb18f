-- Writes the five-minute bars that are missing from :since to :until.
--
-- A bar is a pure function of its symbol and time, so any two labs, and the
-- same lab tomorrow, agree on every bar they both hold.

INSERT INTO usdcop_m5_ohlcv (time, symbol, open, high, low, close, volume)
SELECT to_timestamp(bar.epoch),
       market.symbol,
       round(opening.price, 4),
       round(greatest(opening.price, closing.price) + market.step * noise.up, 4),
       round(least(opening.price, closing.price) - market.step * noise.down, 4),
       round(closing.price, 4),
       100 + (noise.size * 900)::bigint
FROM (VALUES ('USDCOP', 4150.0, 1.5), ('USDMXN', 18.35, 0.006)) AS market (symbol, level, step)
CROSS JOIN generate_series(
    ceil(extract(epoch FROM :'since'::timestamptz) / 300)::bigint * 300,
    floor(extract(epoch FROM :'until'::timestamptz) / 300)::bigint * 300,
    300) AS bar (epoch)
CROSS JOIN LATERAL (
    SELECT get_byte(digest, 0) / 255.0 AS up,
           get_byte(digest, 1) / 255.0 AS down,
           get_byte(digest, 2) / 255.0 AS size,
           get_byte(digest, 3) / 255.0 AS last
    FROM decode(md5(market.symbol || bar.epoch), 'hex') AS digest
) AS noise
CROSS JOIN LATERAL (
    SELECT get_byte(decode(md5(market.symbol || (bar.epoch - 300)), 'hex'), 3) / 255.0 AS last
) AS before
CROSS JOIN LATERAL (
    SELECT (market.level * (1 + 0.012 * sin(epoch / 95000.0) + 0.004 * sin(epoch / 13700.0))
            + market.step * (2 * before.last - 1))::numeric AS price
    FROM (SELECT (bar.epoch - 300)::float8 AS epoch) AS previous
) AS opening
CROSS JOIN LATERAL (
    SELECT (market.level * (1 + 0.012 * sin(epoch / 95000.0) + 0.004 * sin(epoch / 13700.0))
            + market.step * (2 * noise.last - 1))::numeric AS price
    FROM (SELECT bar.epoch::float8 AS epoch) AS this
) AS closing
ON CONFLICT DO NOTHING;
