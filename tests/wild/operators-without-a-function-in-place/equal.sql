SELECT oprname, oprcode = 0 FROM pg_operator WHERE oid >= 16384 ORDER BY oprname;
SELECT count(*) FROM spans a, spans b WHERE a.span <<< b.span;
