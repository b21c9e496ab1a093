SET ROLE @owner@;
CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, note text);
CREATE INDEX child_note ON child (note);
COMMENT ON CONSTRAINT child_parent_fkey ON child IS 'points to a parent';
RESET ROLE;
SET session_replication_role = replica;
INSERT INTO child VALUES (1, 1, 'a'), (2, 99, 'b');
