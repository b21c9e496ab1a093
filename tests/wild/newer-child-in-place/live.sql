SET ROLE @owner@;
CREATE TABLE newer_child (x int) INHERITS (a);
