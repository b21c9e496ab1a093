SET ROLE @owner@;
CREATE TABLE files (id int, content oid);
INSERT INTO files SELECT g, lo_from_bytea(0, decode(repeat(md5(g::text), 200), 'hex')) FROM generate_series(1, 5) g;
DO $$ DECLARE o oid; BEGIN FOR o IN SELECT content FROM files LOOP EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', o, 'a file'); EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO @app@', o); END LOOP; END $$;
