SET ROLE @owner@;
SET client_encoding = 'SQL_ASCII';
CREATE TABLE t (id int PRIMARY KEY, word text);
INSERT INTO t VALUES (1, E'\351t\351'), (2, E'\377\376');
