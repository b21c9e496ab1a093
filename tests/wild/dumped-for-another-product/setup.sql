SET ROLE @owner@;
CREATE TABLE events (at date, n int) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events DEFAULT;
INSERT INTO events SELECT '2025-05-05'::date + g, g FROM generate_series(1, 400) g;
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $x$SELECT 'it''s $$'$x$;
COMMENT ON TABLE events IS 'lost';
