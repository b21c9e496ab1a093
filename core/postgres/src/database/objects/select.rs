//! The questions themselves. Each is one pass over the catalogs, whatever their size: tables are joined by hash, and only what may
//! be an obstacle is put into words.

/// Everything that a dump has entries for, named as the entries name it, with what the role may do to it. `made_by_us`: the role
/// could make it again. An operator without a function isn't dumped: it
/// comes with the one that names it as its commutator or negator.
pub(super) const OBJECTS: &str = r"WITH me AS MATERIALIZED (SELECT rolsuper AS super FROM pg_roles WHERE rolname = current_user),
    role AS MATERIALIZED (SELECT oid, rolname, pg_has_role(oid, 'USAGE') AS is_ours FROM pg_roles),
    element AS MATERIALIZED (SELECT typarray AS oid FROM pg_type WHERE typarray <> 0),
    member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass),
    internal AS MATERIALIZED (SELECT DISTINCT classid, objid FROM pg_depend
        WHERE deptype = 'i' AND classid IN ('pg_proc'::regclass, 'pg_cast'::regclass) AND refclassid = 'pg_type'::regclass),
    owned AS MATERIALIZED (SELECT DISTINCT ON (objid) objid, refobjid FROM pg_depend WHERE classid = 'pg_class'::regclass AND objsubid = 0
        AND refclassid = 'pg_class'::regclass AND refobjsubid <> 0 AND deptype IN ('a', 'i')),
    object (class, oid, kind, space, name, owner, made_by_us, owned_by) AS (
        SELECT 'pg_class'::regclass::oid, c.oid,
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
            c.relnamespace, c.relname::text, c.relowner, true, CASE WHEN c.relkind = 'S' THEN s.refobjid END
            FROM pg_class c LEFT JOIN owned s ON s.objid = c.oid
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
        UNION ALL SELECT 'pg_type'::regclass, t.oid, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
            t.typnamespace, t.typname, t.typowner, me.super OR t.typtype IN ('c', 'd', 'e', 'r'), NULL
            FROM me, pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN element e ON e.oid = t.oid
            WHERE t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c') AND e.oid IS NULL
        UNION ALL SELECT 'pg_proc'::regclass, p.oid,
            CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.pronamespace,
            p.proname || '(' || coalesce((SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.nr)
                FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (type, nr)), CASE p.prokind WHEN 'a' THEN '*' ELSE '' END) || ')',
            p.proowner, me.super OR p.prokind = 'a' OR l.lanpltrusted AND has_language_privilege(l.oid, 'USAGE'), NULL
            FROM me, pg_proc p JOIN pg_language l ON l.oid = p.prolang
            WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM internal i WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid)
        UNION ALL SELECT 'pg_operator'::regclass, oid, 'OPERATOR', oprnamespace, oprname, oprowner, true, NULL FROM pg_operator
            WHERE oprcode <> 0
        UNION ALL SELECT 'pg_opclass'::regclass, oid, 'OPERATOR CLASS', opcnamespace, opcname, opcowner, me.super, NULL FROM me, pg_opclass
        UNION ALL SELECT 'pg_opfamily'::regclass, oid, 'OPERATOR FAMILY', opfnamespace, opfname, opfowner, me.super, NULL FROM me, pg_opfamily
        UNION ALL SELECT 'pg_collation'::regclass, oid, 'COLLATION', collnamespace, collname, collowner, true, NULL FROM pg_collation
        UNION ALL SELECT 'pg_conversion'::regclass, oid, 'CONVERSION', connamespace, conname, conowner, true, NULL FROM pg_conversion
        UNION ALL SELECT 'pg_ts_config'::regclass, oid, 'TEXT SEARCH CONFIGURATION', cfgnamespace, cfgname, cfgowner, true, NULL FROM pg_ts_config
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid, 'TEXT SEARCH DICTIONARY', dictnamespace, dictname, dictowner, true, NULL FROM pg_ts_dict
        UNION ALL SELECT 'pg_ts_parser'::regclass, oid, 'TEXT SEARCH PARSER', prsnamespace, prsname, 10, me.super, NULL FROM me, pg_ts_parser
        UNION ALL SELECT 'pg_ts_template'::regclass, oid, 'TEXT SEARCH TEMPLATE', tmplnamespace, tmplname, 10, me.super, NULL FROM me, pg_ts_template
        UNION ALL SELECT 'pg_namespace'::regclass, oid, 'SCHEMA', NULL, nspname, nspowner,
            me.super OR has_database_privilege(current_database(), 'CREATE'), NULL FROM me, pg_namespace
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        UNION ALL SELECT 'pg_extension'::regclass, oid, 'EXTENSION', NULL, extname, extowner, false, NULL FROM pg_extension
        UNION ALL SELECT 'pg_am'::regclass, oid, 'ACCESS METHOD', NULL, amname, 10, me.super, NULL FROM me, pg_am
        UNION ALL SELECT 'pg_cast'::regclass, c.oid, 'CAST', NULL,
            'CAST (' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) || ')',
            CASE WHEN pg_has_role(t.typowner, 'USAGE') THEN t.typowner ELSE s.typowner END, me.super OR c.castmethod <> 'b', NULL
            FROM me, pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget WHERE c.oid >= 16384
                AND NOT EXISTS (SELECT FROM internal i WHERE i.classid = 'pg_cast'::regclass AND i.objid = c.oid)
        UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 'EVENT TRIGGER', NULL, evtname, evtowner, me.super, NULL FROM me, pg_event_trigger
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'FOREIGN DATA WRAPPER', NULL, fdwname, fdwowner, me.super, NULL
            FROM me, pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 'SERVER', NULL, srvname, srvowner,
            has_foreign_data_wrapper_privilege(srvfdw, 'USAGE'), NULL FROM pg_foreign_server
        UNION ALL SELECT 'pg_user_mapping'::regclass, umid, 'USER MAPPING', NULL, 'USER MAPPING ' || usename || ' SERVER ' || m.srvname,
            s.srvowner, true, NULL FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid
        UNION ALL SELECT 'pg_language'::regclass, oid, 'PROCEDURAL LANGUAGE', NULL, lanname, lanowner, me.super, NULL FROM me, pg_language
        UNION ALL SELECT 'pg_transform'::regclass, r.oid, 'TRANSFORM', NULL,
            'TRANSFORM FOR ' || format_type(r.trftype, NULL) || ' LANGUAGE ' || l.lanname, t.typowner, true, NULL
            FROM pg_transform r JOIN pg_type t ON t.oid = r.trftype JOIN pg_language l ON l.oid = r.trflang
        UNION ALL SELECT 'pg_publication'::regclass, oid, 'PUBLICATION', NULL, pubname, pubowner,
            me.super OR NOT puballtables AND has_database_privilege(current_database(), 'CREATE') AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = to_regclass('pg_publication_namespace')
                    AND d.refclassid = 'pg_publication'::regclass AND d.refobjid = p.oid), NULL
            FROM me, pg_publication p
    )
    SELECT o.class::int8, o.oid::int8, o.kind, coalesce(n.nspname, '') AS schema, o.name, coalesce(r.rolname, '') AS owner,
        coalesce(r.is_ours, false) AS is_ours, coalesce(r.is_ours, false) OR coalesce(h.is_ours, false) AS droppable,
        o.made_by_us, o.owned_by::int8
    FROM object o LEFT JOIN pg_namespace n ON n.oid = o.space LEFT JOIN role r ON r.oid = o.owner
        LEFT JOIN role h ON h.oid = n.nspowner
    WHERE (o.oid >= 16384 OR o.kind IN ('SCHEMA', 'EXTENSION'))
        AND (n.oid IS NULL OR n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.class AND m.objid = o.oid)";

/// What hangs on what. Indexes, defaults, constraints, triggers and the like are taken for the table, and array and row types for
/// what they come with, on either side; so what is left are dependencies between things that a dump has entries for. A part that goes by itself
/// (`deptype` a) with a table is always a part of that table.
pub(super) const DEPENDENTS: &str = r"WITH inner_type AS MATERIALIZED (SELECT objid, refclassid, refobjid FROM pg_depend
            WHERE classid = 'pg_type'::regclass AND deptype = 'i' AND refclassid IN ('pg_type'::regclass, 'pg_class'::regclass)),
    part (class, oid, of_class, of) AS MATERIALIZED (
        SELECT 'pg_class'::regclass::oid, i.indexrelid, 'pg_class'::regclass::oid, i.indrelid FROM pg_index i
        UNION ALL SELECT 'pg_class'::regclass, c.oid, 'pg_type'::regclass, c.reltype FROM pg_class c WHERE c.relkind = 'c'
        UNION ALL SELECT 'pg_class'::regclass, objid, 'pg_class'::regclass, refobjid FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objsubid = 0 AND refclassid = 'pg_class'::regclass AND refobjsubid <> 0
                AND deptype IN ('a', 'i') AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')
        UNION ALL SELECT 'pg_attrdef'::regclass, oid, 'pg_class'::regclass, adrelid FROM pg_attrdef
        UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_class'::regclass, conrelid FROM pg_constraint WHERE conrelid <> 0
        UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_type'::regclass, contypid FROM pg_constraint WHERE contypid <> 0
        UNION ALL SELECT 'pg_trigger'::regclass, oid, 'pg_class'::regclass, tgrelid FROM pg_trigger
        UNION ALL SELECT 'pg_rewrite'::regclass, oid, 'pg_class'::regclass, ev_class FROM pg_rewrite
        UNION ALL SELECT 'pg_policy'::regclass, oid, 'pg_class'::regclass, polrelid FROM pg_policy
        UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 'pg_class'::regclass, stxrelid FROM pg_statistic_ext
        UNION ALL SELECT 'pg_type'::regclass, a.objid, coalesce(c.refclassid, b.refclassid, a.refclassid),
                coalesce(c.refobjid, b.refobjid, a.refobjid)
            FROM inner_type a LEFT JOIN inner_type b ON a.refclassid = 'pg_type'::regclass AND b.objid = a.refobjid
            LEFT JOIN inner_type c ON b.refclassid = 'pg_type'::regclass AND c.objid = b.refobjid
            LEFT JOIN pg_class k ON k.oid = a.refobjid AND a.refclassid = 'pg_class'::regclass
            WHERE k.relkind IS DISTINCT FROM 'c'
        UNION ALL SELECT 'pg_amop'::regclass, oid, 'pg_opfamily'::regclass, amopfamily FROM pg_amop WHERE oid >= 16384
        UNION ALL SELECT 'pg_amproc'::regclass, oid, 'pg_opfamily'::regclass, amprocfamily FROM pg_amproc WHERE oid >= 16384
        UNION ALL SELECT d.classid, d.objid, d.refclassid, coalesce(a.refobjid, d.refobjid) FROM pg_depend d
            LEFT JOIN inner_type a ON a.objid = d.refobjid
            WHERE d.classid IN ('pg_proc'::regclass, 'pg_cast'::regclass) AND d.refclassid = 'pg_type'::regclass AND d.deptype = 'i'
        UNION ALL SELECT DISTINCT classid, objid, refclassid, refobjid FROM pg_depend
            WHERE classid = to_regclass('pg_publication_namespace') AND refclassid = 'pg_publication'::regclass AND deptype = 'a'
    )
    SELECT e.class::int8, e.oid::int8, e.on_class::int8, e.on_oid::int8, CASE WHEN e.part_class = 'pg_rewrite'::regclass AND w.rulename = '_RETURN'
            THEN pg_describe_object(e.class, e.oid, 0) ELSE pg_describe_object(e.part_class, e.part_oid, 0) END AS words
    FROM (
        SELECT DISTINCT ON (1, 2, 3, 4) coalesce(p.of_class, d.classid) AS class, coalesce(p.of, d.objid) AS oid,
            coalesce(q.of_class, d.refclassid) AS on_class, coalesce(q.of, d.refobjid) AS on_oid,
            d.classid AS part_class, d.objid AS part_oid
        FROM pg_depend d LEFT JOIN part p ON p.class = d.classid AND p.oid = d.objid
            LEFT JOIN part q ON q.class = d.refclassid AND q.oid = d.refobjid
        WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype NOT IN ('e', 'i', 'x')
            AND d.classid NOT IN ('pg_default_acl'::regclass, 'pg_publication_rel'::regclass)
            AND NOT (d.classid = 'pg_operator'::regclass AND d.objid IN (SELECT oid FROM pg_operator WHERE oprcode = 0))
            AND NOT (d.deptype = 'a' AND d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass,
                'pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_statistic_ext'::regclass))
            AND (coalesce(p.of_class, d.classid), coalesce(p.of, d.objid))
                <> (coalesce(q.of_class, d.refclassid), coalesce(q.of, d.refobjid))
        ORDER BY 1, 2, 3, 4, p.of IS NOT NULL, d.classid, d.objid
    ) e
    LEFT JOIN pg_rewrite w ON e.part_class = 'pg_rewrite'::regclass AND w.oid = e.part_oid";

/// Which table a publication names.
pub(super) const MEMBERS: &str = r"SELECT p.oid::int8 AS publication_oid, p.pubname AS publication, r.prrelid::int8 AS oid, n.nspname AS schema, c.relname AS name,
        pg_has_role(p.pubowner, 'USAGE') AS is_ours
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 3";

/// Tables of extensions whose rows a dump has.
pub(super) const CONFIGURED: &str = r"SELECT c.oid::int8, e.extname AS extension, n.nspname AS schema, c.relname AS name,
        has_table_privilege(c.oid, 'DELETE') AND has_table_privilege(c.oid, 'INSERT') AS is_writable
    FROM pg_extension e, unnest(e.extconfig) t (oid) JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')";

/// Large objects that the role may not remove.
pub(super) const LARGE_OBJECTS: &str = r"SELECT l.oid::int8, pg_get_userbyid(l.lomowner) AS owner FROM pg_largeobject_metadata l
    WHERE NOT pg_has_role(l.lomowner, 'USAGE')";

/// How many locks each relation takes: a lock for each object that goes with it, and for each relation that comes with another like it.
pub(super) const LOCKS: &str = r"SELECT p.oid::int8, sum(p.dropped)::int8 AS dropped, sum(p.made)::int8 AS made FROM (
        SELECT oid, 1 + toast + CASE WHEN reltype <> 0 THEN 2 ELSE 0 END AS dropped, 1 + toast AS made
            FROM (SELECT c.*, CASE WHEN c.reltoastrelid <> 0 THEN 2 ELSE 0 END AS toast FROM pg_class c) c
            WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
        UNION ALL SELECT indrelid, 1, 1 FROM pg_index
        UNION ALL SELECT conrelid, 1, 0 FROM pg_constraint
        UNION ALL SELECT adrelid, 1, 0 FROM pg_attrdef
        UNION ALL SELECT tgrelid, 1, 0 FROM pg_trigger
        UNION ALL SELECT ev_class, 1, 0 FROM pg_rewrite
        UNION ALL SELECT polrelid, 1, 0 FROM pg_policy) p
    WHERE p.oid >= 16384 GROUP BY p.oid";
