SET ROLE @owner@;
CREATE TABLE newer_trigger (id int);
CREATE TRIGGER touch BEFORE UPDATE ON newer_trigger FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE newer_default (id int DEFAULT nextval('numbers'));
CREATE TABLE newer_check (id int CHECK (twice(id) > 0));
CREATE INDEX newer_index ON newer_default (twice(id));
CREATE POLICY newer_policy ON newer_trigger USING (twice(id) > 1);
