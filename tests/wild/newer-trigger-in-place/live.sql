SET ROLE @owner@;
CREATE TABLE newer_table (id int);
CREATE TRIGGER newer_trigger BEFORE UPDATE ON newer_table FOR EACH ROW EXECUTE FUNCTION touch();
