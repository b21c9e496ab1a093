SET ROLE @owner@;
CREATE TABLE t (word text PRIMARY KEY);
INSERT INTO t VALUES ('Zebra'), ('Ähre'), ('apfel');
