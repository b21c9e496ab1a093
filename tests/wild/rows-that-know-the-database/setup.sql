SET ROLE @owner@;
CREATE TABLE environment (name text CHECK (name = current_database()));
INSERT INTO environment VALUES (current_database());
