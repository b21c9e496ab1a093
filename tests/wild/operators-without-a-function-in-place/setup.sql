SET ROLE @owner@;
CREATE TYPE span AS (low integer, high integer);
CREATE FUNCTION lies_before(span, span) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).high < ($2).low';
CREATE OPERATOR <<< (LEFTARG = span, RIGHTARG = span, FUNCTION = lies_before, COMMUTATOR = >>>, NEGATOR = >>=);
CREATE TABLE spans (id integer PRIMARY KEY, span span);
INSERT INTO spans SELECT g, (g, g + 1)::span FROM generate_series(1, 20) g;
