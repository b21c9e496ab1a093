SET ROLE @owner@;
CREATE TABLE app.newer (id int);
UPDATE app.a SET id = 2;
