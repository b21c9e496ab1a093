-- What a database holds beside its definitions, one line a thing. Settings of the database must not change the words.
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET lc_monetary = 'C'; SET bytea_output = 'hex';
SET extra_float_digits = 1; SET xmlbinary = 'base64'; SET row_security = off; SET statement_timeout = 0; SET lock_timeout = 0;
SET default_transaction_read_only = off; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;

-- Rows, by the root of a partitioned table: PostgreSQL may put a row into another partition (a hash of an enum).
WITH trees AS (
    SELECT c.oid, EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE l.relkind = 'f') AS remote
    FROM pg_class c WHERE c.relkind = 'p' AND NOT c.relispartition
), counted AS (
    SELECT oid AS rel, '' AS only_it FROM trees WHERE NOT remote
    UNION ALL
    SELECT c.oid, 'ONLY ' FROM pg_class c LEFT JOIN trees r ON r.oid = pg_partition_root(c.oid)
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND (r.oid IS NULL OR r.remote)
)
SELECT format('SELECT %L, count(*), coalesce(sum((''x'' || substr(md5(convert_to(%s::text, %L)), 1, 15))::bit(60)::bigint), 0) FROM %s%I.%I AS wild_row',
        'rows of ' || n.nspname || '.' || c.relname, 
        -- A child has its own columns in its parent's order when it is restored.
        CASE WHEN EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) AND NOT c.relispartition
            THEN (SELECT format('ROW(%s)', string_agg(format('wild_row.%I', attname), ', ' ORDER BY attname COLLATE "C"))
                FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
            ELSE 'wild_row' END,
        CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, only_it, n.nspname, c.relname)
FROM counted JOIN pg_class c ON c.oid = rel JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND (c.relkind <> 'm' OR c.relispopulated)
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \gexec

SELECT 'not populated: ' || oid::regclass FROM pg_class WHERE relkind = 'm' AND NOT relispopulated ORDER BY 1;

SELECT format('SELECT %L, last_value, is_called FROM %I.%I', 'sequence ' || n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND c.relpersistence <> 't'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \gexec

SELECT 'large object ' || oid, (SELECT md5(string_agg(data, ''::bytea ORDER BY pageno)) FROM pg_largeobject WHERE loid = m.oid),
    obj_description(oid, 'pg_largeobject')
FROM pg_largeobject_metadata m ORDER BY oid;

SELECT 'invalid index ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid ORDER BY 1;
SELECT 'extension', extname, extversion FROM pg_extension ORDER BY 2;
