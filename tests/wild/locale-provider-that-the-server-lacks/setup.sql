SET ROLE @owner@;
CREATE TABLE words (word text PRIMARY KEY);
INSERT INTO words VALUES ('Zebra'), ('Ähre'), ('apfel');
