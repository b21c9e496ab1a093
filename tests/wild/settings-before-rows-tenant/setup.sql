SET ROLE @owner@;
SET "app.tenant" = '7';
CREATE TABLE rows_of_tenants (id int, tenant int CHECK (tenant = current_setting('app.tenant')::int));
INSERT INTO rows_of_tenants SELECT g, 7 FROM generate_series(1, 20) g;
CREATE MATERIALIZED VIEW mine AS SELECT * FROM rows_of_tenants WHERE tenant = current_setting('app.tenant', true)::int;
