SET ROLE @owner@;
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0);
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE orders (id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, state state NOT NULL DEFAULT 'new',
    total amount NOT NULL, note text, created timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON orders (state) WHERE state <> 'sent';
CREATE VIEW open_orders AS SELECT o.id, c.name, o.total FROM orders o JOIN customers c ON c.id = o.customer WHERE state <> 'sent';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note := coalesce(NEW.note, '') || '!'; RETURN NEW; END$$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO customers (name) SELECT 'customer ' || g FROM generate_series(1, 50) g;
INSERT INTO orders (customer, total, state) SELECT g % 50 + 1, g, (enum_range(NULL::state))[g % 3 + 1] FROM generate_series(1, 500) g;
UPDATE orders SET note = 'x' WHERE id % 7 = 0;
GRANT SELECT ON open_orders TO @app@;
COMMENT ON TABLE orders IS 'what was ordered';
