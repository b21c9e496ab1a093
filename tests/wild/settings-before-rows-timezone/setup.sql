SET ROLE @owner@;
SET timezone TO 'Pacific/Auckland';
CREATE TABLE events (at timestamptz NOT NULL, day date NOT NULL);
INSERT INTO events VALUES ('2026-01-01 12:30:00+00', '2026-01-02'), ('2026-01-01 01:00:00+00', '2026-01-01');
CREATE MATERIALIZED VIEW per_day AS SELECT at::date AS day, count(*) FROM events GROUP BY 1;
