CREATE TABLE lg_job (id int, who text);
ALTER TABLE lg_job ENABLE ROW LEVEL SECURITY;
CREATE POLICY lg_own ON lg_job USING (who = current_user);
