SET ROLE @owner@;
CREATE AGGREGATE newer_total(int) (SFUNC = plus, STYPE = int, INITCOND = '0');
