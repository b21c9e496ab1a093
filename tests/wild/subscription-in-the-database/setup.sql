CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
CREATE SUBSCRIPTION @db@_news CONNECTION 'host=127.0.0.1 dbname=nowhere' PUBLICATION news WITH (connect = false, slot_name = NONE);
