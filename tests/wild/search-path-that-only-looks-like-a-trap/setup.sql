SET ROLE @owner@;
CREATE EXTENSION lg_plain;
CREATE FUNCTION complex(a text, b numeric(10, 2)) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n int := greatest(1, length(a)); parts text[] := string_to_array(a, ' '); r record; v varchar(20) DEFAULT coalesce(a, '');
    c CURSOR (x int) FOR SELECT g FROM generate_series(1, x) g(g);
BEGIN
    IF (n > 3) AND NOT (n = 4) THEN RETURN (lower(a)); ELSIF (n IN (1, 2)) THEN v := trim(both ' ' from a); END IF;
    FOR r IN SELECT t.w, row_number() OVER (PARTITION BY t.w ORDER BY (t.w)) AS rn, count(*) FILTER (WHERE t.w <> '') OVER () AS n
        FROM unnest(parts) WITH ORDINALITY AS t(w, i) CROSS JOIN LATERAL (VALUES (1), (2)) AS u(x) GROUP BY GROUPING SETS ((t.w), ()) LOOP
        v := v || r.w::varchar(10) || cast(b AS numeric(12, 3))::text || (ARRAY[1, 2])[1];
        EXIT WHEN (n > 100); CONTINUE WHEN (n < 0);
    END LOOP;
    FOREACH v IN ARRAY (parts) LOOP n := n + 1; END LOOP;
    FOR r IN c(3) LOOP n := n + r.g; END LOOP;
    WHILE (n > 1000) LOOP n := n - 1; END LOOP;
    RAISE DEBUG '%', (v) USING HINT = upper('x');
    ASSERT (n > 0), 'never';
    PERFORM (SELECT max(x) FROM (WITH RECURSIVE deep(x, y) AS (SELECT 1, 2 UNION ALL SELECT x + 1, y FROM deep WHERE x < 3) SELECT x FROM deep) AS s(x));
    CASE (n) WHEN (1) THEN NULL; ELSE NULL; END CASE;
    RETURN substring(a from 1 for 2) || overlay('abc' placing 'x' from 2) || extract(year from date '2026-01-01')
        || json_build_object('a', any_value)::text FROM (VALUES (1)) AS vv(any_value);
END $$;
CREATE TABLE cc (a text, CHECK (complex(a, 1) IS NOT NULL));
INSERT INTO cc VALUES ('abcd'), ('ab cd'), ('one two three');
