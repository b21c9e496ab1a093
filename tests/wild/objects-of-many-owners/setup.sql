CREATE TABLE public.theirs AS SELECT 1 AS id;
ALTER TABLE public.theirs OWNER TO @app@;
GRANT SELECT ON public.theirs TO @owner@, @admin@;
SET ROLE @owner@;
CREATE TABLE ours AS SELECT generate_series(1, 5) AS id;
GRANT SELECT ON ours TO @app@;
GRANT SELECT ON ours TO @reader@ WITH GRANT OPTION;
