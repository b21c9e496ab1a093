SET ROLE @owner@;
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);
CREATE POLICY p ON t TO @app@ USING (true);
