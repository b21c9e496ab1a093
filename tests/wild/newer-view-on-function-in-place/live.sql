SET ROLE @owner@;
CREATE VIEW newer_view AS SELECT twice(3);
