SET ROLE @owner@;
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE t (word text COLLATE any_case UNIQUE);
INSERT INTO t VALUES ('Zebra'), ('Ähre'), ('apfel');
