-- What PostgreSQL says in another way once it has been restored, or might: `make drills` holds that each is known or stays as it is.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN short AS varchar(20) CHECK (VALUE IN ('a', 'b', 'c'));
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status varchar(20) NOT NULL CHECK (status IN ('new', 'paid', 'sent')),
    state character varying DEFAULT 'open' CHECK (state::text = ANY (ARRAY['open'::character varying, 'shut'::character varying]::text[])),
    code char(3) CHECK (code NOT IN ('xxx', 'yyy')),
    kind short,
    mood mood CHECK (mood IN ('ok', 'happy')),
    total numeric(10, 2) CHECK (total BETWEEN 0 AND 1000),
    weight real CHECK (weight > 1.5),
    note text CONSTRAINT "no Größe 100%" CHECK (note !~ 'x{2}' AND length(note) < 10 OR note IS NULL),
    day date DEFAULT now(),
    span tstzrange DEFAULT tstzrange(now(), now() + '1 day'),
    net numeric GENERATED ALWAYS AS (total * 0.8) STORED,
    CONSTRAINT both_or_none CHECK ((note IS NULL) = (code IS NULL)),
    EXCLUDE USING gist (span WITH &&) WHERE (status IN ('paid', 'sent'))
);
ALTER TABLE orders ADD CONSTRAINT later CHECK (total <> ALL (ARRAY[100, 200, 300])) NOT VALID;
CREATE INDEX ON orders (lower(status)) WHERE status IN ('new', 'paid');
CREATE UNIQUE INDEX ON orders ((status || coalesce(note, ''::varchar)));
CREATE VIEW open_orders AS SELECT o.id, status IN ('new', 'paid') AS is_open, CASE WHEN state = 'open' THEN 1 ELSE 0 END FROM orders o WHERE status NOT IN ('sent');
CREATE VIEW named (a, b, c) AS SELECT id, id + 1, x.n FROM (VALUES (1), (2)) v (id) JOIN LATERAL (SELECT 1) x (n) ON true WHERE v.id = ANY ('{1,2}');
CREATE VIEW joined AS SELECT a.*, c.* FROM orders a JOIN orders b USING (id) LEFT JOIN (SELECT id AS id2 FROM orders) c ON a.id = c.id2;
CREATE VIEW unions AS SELECT 'a' AS x UNION SELECT 'b'::varchar UNION ALL SELECT NULL;
CREATE MATERIALIZED VIEW counts AS SELECT status, count(*) FILTER (WHERE state IN ('open')) FROM orders GROUP BY 1;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.status IN ('paid', 'sent') AND OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch();
CREATE RULE no_delete AS ON DELETE TO orders WHERE OLD.status IN ('paid', 'sent') DO INSTEAD NOTHING;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON orders USING (status IN ('new', 'paid') OR current_user = 'postgres') WITH CHECK (status <> ALL (ARRAY['sent'::varchar, 'paid']));
CREATE FUNCTION standard(a varchar DEFAULT 'x', VARIADIC b text[] DEFAULT ARRAY['a'::varchar]::text[]) RETURNS boolean LANGUAGE sql
    BEGIN ATOMIC SELECT a IN ('x', 'y') OR a = ANY (b); END;
CREATE TABLE parted (region varchar(10), n integer) PARTITION BY LIST (region);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a', 'b');
CREATE TABLE parted_rest PARTITION OF parted (CHECK (n IN (1, 2))) DEFAULT;
-- By values enough that not all of them fall to their old partitions by chance: an enum is hashed by its values' OIDs.
CREATE TYPE hue AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o');
CREATE TABLE by_hue (hue hue, n integer) PARTITION BY HASH (hue);
CREATE TABLE by_hue_0 PARTITION OF by_hue FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_hue_1 PARTITION OF by_hue FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_hue_2 PARTITION OF by_hue FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO by_hue SELECT (enum_range(NULL::hue))[1 + n % 15], n FROM generate_series(1, 30) n;
CREATE TABLE base (id integer NOT NULL, a text NOT NULL DEFAULT 'x'::varchar, CHECK (a IN ('x', 'y')));
CREATE TABLE child (b integer CHECK (b IN (1, 2))) INHERITS (base);
ALTER TABLE child ALTER COLUMN a SET DEFAULT 'y';
CREATE STATISTICS likely ON status, state FROM orders;
INSERT INTO orders (status, code, note, total) SELECT 'new', 'abc', n, n FROM generate_series(1, 9) n;
CREATE TABLE par (a integer, b text NOT NULL DEFAULT 'p', c date);
CREATE TABLE own_order (c date, x integer, b text DEFAULT 'q', a integer CHECK (a > 0), "Größe 100%" varchar CHECK ("Größe 100%" IN ('x', 'y')));
ALTER TABLE own_order DROP COLUMN x, ALTER COLUMN b SET NOT NULL, ALTER COLUMN b SET STATISTICS 50, ALTER COLUMN a SET STATISTICS 60;
ALTER TABLE own_order INHERIT par;
INSERT INTO own_order VALUES ('2026-01-01', 'b', 1, 'x'), (NULL, 'c', 2, 'y');
CREATE TABLE below (b text, a integer, c date, d text DEFAULT 'd', "Größe 100%" varchar);
ALTER TABLE below ALTER COLUMN b SET NOT NULL, ADD CONSTRAINT own_order_a_check CHECK (a > 0);
ALTER TABLE below ADD CONSTRAINT "own_order_Größe 100%_check" CHECK ("Größe 100%" IN ('x', 'y'));
ALTER TABLE below INHERIT own_order;
INSERT INTO below VALUES ('b', 1, NULL, 'd', 'x');
COMMENT ON COLUMN own_order.a IS 'a'; COMMENT ON COLUMN own_order.b IS 'b';
GRANT SELECT (c, a), UPDATE (b) ON own_order TO pg_monitor;
CREATE STATISTICS of_child ON c, b, a FROM own_order;
CREATE PUBLICATION rewritten_columns FOR TABLE ONLY own_order (b, a) WHERE (a > 1), ONLY below (d, c, a);
CREATE VIEW of_child_view AS SELECT o.*, below.d FROM own_order o JOIN below USING (b, a);
CREATE VIEW selected AS SELECT id FROM orders WHERE status IN (SELECT 'new') AND (id, note) IN (SELECT 1, 'x');
