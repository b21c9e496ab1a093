-- An application's database of about :megabytes MB in a plain dump (psql --set megabytes=N): users, their charts, their
-- messages and files. Nothing is random: the same rows each time, on every version.
-- A quarter each of short rows, jsonb, prose (compresses well) and bytea (doesn't).

\set ON_ERROR_STOP on
\if :{?megabytes}
\else
    \set megabytes 1
\endif
SET client_min_messages = warning;
BEGIN;

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    born timestamptz NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL
);
CREATE TABLE charts (
    id bigint PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users,
    positions jsonb NOT NULL,
    created timestamptz NOT NULL
);
CREATE TABLE messages (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, body text NOT NULL);
CREATE TABLE files (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, content bytea NOT NULL);

-- About 100 bytes a row.
INSERT INTO users (email, name, born, latitude, longitude)
SELECT 'user' || i || '@' || substr(md5(i::text), 1, 12) || '.example.org',
       initcap(translate(substr(md5('n' || i), 1, 8), '0123456789', 'aeiouaeiou')) || ' ' || initcap(translate(substr(md5('m' || i), 1, 12), '0123456789', 'lnrstlnrst')),
       '1950-01-01 00:00:00+00'::timestamptz + (i * 7919 % 25000) * interval '1 day' + (i % 86400) * interval '1 second',
       (i * 104729 % 180000) / 1000.0 - 90, (i * 1299709 % 360000) / 1000.0 - 180
FROM generate_series(1::bigint, 2500 * :megabytes) AS i;

-- About 460 bytes a row.
INSERT INTO charts
SELECT i, 1 + i % (2500 * :megabytes),
       (SELECT jsonb_object_agg(body, jsonb_build_object('sign', (ARRAY ['aries', 'taurus', 'gemini', 'cancer', 'leo', 'virgo'])[(1 + (i + n) % 6)::integer], 'degree', round((i * n * 37 % 360000) / 1000.0, 3)))
        FROM unnest(ARRAY ['sun', 'moon', 'mercury', 'venus', 'mars', 'jupiter', 'saturn', 'uranus', 'neptune', 'pluto']) WITH ORDINALITY AS b (body, n)),
       '2020-01-01 00:00:00+00'::timestamptz + i * interval '11 minutes'
FROM generate_series(1::bigint, 540 * :megabytes) AS i;

-- About 1,100 bytes a row.
INSERT INTO messages
SELECT i, 1 + i % (2500 * :megabytes),
       (SELECT string_agg((ARRAY ['the', 'moon', 'is', 'in', 'your', 'seventh', 'house', E'and\tJupiter', 'aligns', 'with', E'Mars\n', 'then', 'peace', 'will', 'guide', 'the planets'])[(1 + (i * 7919 + i * n * 31 + n * n * n) % 9973 % 16)::integer], ' ')
        FROM generate_series(1, 180) AS n)
FROM generate_series(1::bigint, 225 * :megabytes) AS i;

-- About 16,400 bytes a row: each byte takes two digits in a dump.
INSERT INTO files
SELECT i, 1 + i % (2500 * :megabytes), (SELECT string_agg(sha256((i || '/' || n)::bytea), '' ORDER BY n) FROM generate_series(1, 256) AS n)
FROM generate_series(1::bigint, 15 * :megabytes) AS i;

CREATE INDEX ON charts (user_id, created);
CREATE INDEX ON messages (user_id);
COMMIT;
ANALYZE;
