SELECT lo_create(5001); SELECT lo_from_bytea(5002, '\x0001'); SELECT lo_from_bytea(5003, decode(repeat('ab', 5000), 'hex'));
ALTER LARGE OBJECT 5002 OWNER TO @owner@; ALTER LARGE OBJECT 5003 OWNER TO @app@;
GRANT SELECT ON LARGE OBJECT 5003 TO @reader@; COMMENT ON LARGE OBJECT 5001 IS 'nothing in it';
