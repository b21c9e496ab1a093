SET ROLE @owner@;
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text, twice int GENERATED ALWAYS AS (length(word) * 2) STORED);
INSERT INTO t (word) SELECT E'it''s \\ ' || g FROM generate_series(1, 60) g;
