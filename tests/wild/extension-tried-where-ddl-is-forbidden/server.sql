CREATE SCHEMA lastgood_attempt;
CREATE FUNCTION forbidden() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no % here', tg_tag USING ERRCODE = 'insufficient_privilege'; END$$;
CREATE EVENT TRIGGER nothing_here ON ddl_command_start EXECUTE FUNCTION forbidden();
