//! Which program keeps what under which name.

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole address.
    Url,
    /// What this variable of libpq says.
    Variable(&'static str),
    /// The kind of the database, such as `pgsql` or `mysql`.
    Kind,
}

use Part::{Kind, Url, Variable};

const HOST: Part = Variable("PGHOST");
pub(super) const PORT: Part = Variable("PGPORT");
const NAME: Part = Variable("PGDATABASE");
const USER: Part = Variable("PGUSER");
pub(super) const PASSWORD: Part = Variable("PGPASSWORD");
const SSL: Part = Variable("PGSSLMODE");

/// A program's names, each weaker than the one before it that says the same.
pub(super) type Group = &'static [(&'static str, Part)];

/// The groups, each weaker than the one before it.
pub(super) const GROUPS: [Group; 14] = [
    // Laravel, Mastodon, Knex, Sequelize and many more; DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD are ours.
    &[
        ("DB_URL", Url),
        ("DB_URI", Url),
        ("DB_DSN", Url),
        ("DB_HOSTNAME", HOST),
        ("DB_SERVER", HOST),
        ("DB_DATABASE", NAME),
        ("DB_DBNAME", NAME),
        ("DB_USERNAME", USER),
        ("DB_PASS", PASSWORD),
        ("DB_PASSWD", PASSWORD),
        ("DB_PWD", PASSWORD),
        ("DB_SSLMODE", SSL),
        ("DB_SSL_MODE", SSL),
        ("DB_CONNECTION", Kind),
        ("DB_ENGINE", Kind),
        ("DB_ADAPTER", Kind),
        ("DB_DIALECT", Kind),
        ("DB_TYPE", Kind),
        ("DB_DRIVER", Kind),
        ("DB_CLIENT", Kind),
    ],
    // Strapi, Rails, Directus.
    &[
        ("DATABASE_URI", Url),
        ("DATABASE_DSN", Url),
        ("DATABASE_CONNECTION_STRING", Url),
        ("DATABASE_HOST", HOST),
        ("DATABASE_HOSTNAME", HOST),
        ("DATABASE_PORT", PORT),
        ("DATABASE_NAME", NAME),
        ("DATABASE_DB", NAME),
        ("DATABASE_USERNAME", USER),
        ("DATABASE_USER", USER),
        ("DATABASE_PASSWORD", PASSWORD),
        ("DATABASE_PASS", PASSWORD),
        ("DATABASE_SSLMODE", SSL),
        ("DATABASE_SSL", SSL),
        ("DATABASE_CLIENT", Kind),
        ("DATABASE_ENGINE", Kind),
        ("DATABASE_ADAPTER", Kind),
        ("DATABASE_TYPE", Kind),
        ("DATABASE_DIALECT", Kind),
        ("DATABASE_DRIVER", Kind),
    ],
    &[("SQLALCHEMY_DATABASE_URI", Url), ("SQLALCHEMY_DATABASE_URL", Url)],
    &[
        ("SPRING_DATASOURCE_URL", Url),
        ("SPRING_R2DBC_URL", Url),
        ("SPRING_DATASOURCE_USERNAME", USER),
        ("SPRING_R2DBC_USERNAME", USER),
        ("SPRING_DATASOURCE_PASSWORD", PASSWORD),
        ("SPRING_R2DBC_PASSWORD", PASSWORD),
    ],
    &[
        ("QUARKUS_DATASOURCE_JDBC_URL", Url),
        ("QUARKUS_DATASOURCE_REACTIVE_URL", Url),
        ("QUARKUS_DATASOURCE_USERNAME", USER),
        ("QUARKUS_DATASOURCE_PASSWORD", PASSWORD),
        ("QUARKUS_DATASOURCE_DB_KIND", Kind),
    ],
    // Micronaut and Grails.
    &[
        ("DATASOURCES_DEFAULT_URL", Url),
        ("DATASOURCES_DEFAULT_USERNAME", USER),
        ("DATASOURCES_DEFAULT_PASSWORD", PASSWORD),
    ],
    // Heroku, for Java.
    &[("JDBC_DATABASE_URL", Url), ("JDBC_DATABASE_USERNAME", USER), ("JDBC_DATABASE_PASSWORD", PASSWORD)],
    &[
        ("TYPEORM_URL", Url),
        ("TYPEORM_HOST", HOST),
        ("TYPEORM_PORT", PORT),
        ("TYPEORM_DATABASE", NAME),
        ("TYPEORM_USERNAME", USER),
        ("TYPEORM_PASSWORD", PASSWORD),
        ("TYPEORM_CONNECTION", Kind),
    ],
    // Django in compose, as its tutorials have it.
    &[
        ("SQL_HOST", HOST),
        ("SQL_PORT", PORT),
        ("SQL_DATABASE", NAME),
        ("SQL_USER", USER),
        ("SQL_PASSWORD", PASSWORD),
        ("SQL_ENGINE", Kind),
    ],
    // The image `postgres`, Vercel, FastAPI's template. Backups don't go through a pool.
    &[
        ("POSTGRES_URL_NON_POOLING", Url),
        ("POSTGRES_URL", Url),
        ("POSTGRES_URI", Url),
        ("POSTGRES_DSN", Url),
        ("POSTGRES_PRISMA_URL", Url),
        ("POSTGRES_HOST", HOST),
        ("POSTGRES_HOSTNAME", HOST),
        ("POSTGRES_SERVER", HOST),
        ("POSTGRES_PORT", PORT),
        ("POSTGRES_DB", NAME),
        ("POSTGRES_DATABASE", NAME),
        ("POSTGRES_DBNAME", NAME),
        ("POSTGRES_NAME", NAME),
        ("POSTGRES_USER", USER),
        ("POSTGRES_USERNAME", USER),
        ("POSTGRES_PASSWORD", PASSWORD),
        ("POSTGRES_PASS", PASSWORD),
        ("POSTGRES_SSLMODE", SSL),
    ],
    // Bitnami's image.
    &[
        ("POSTGRESQL_URL", Url),
        ("POSTGRESQL_URI", Url),
        ("POSTGRESQL_HOST", HOST),
        ("POSTGRESQL_PORT_NUMBER", PORT),
        ("POSTGRESQL_PORT", PORT),
        ("POSTGRESQL_DATABASE", NAME),
        ("POSTGRESQL_DB", NAME),
        ("POSTGRESQL_USERNAME", USER),
        ("POSTGRESQL_USER", USER),
        ("POSTGRESQL_PASSWORD", PASSWORD),
    ],
    &[
        ("PG_URL", Url),
        ("PG_URI", Url),
        ("PG_DSN", Url),
        ("PG_CONNECTION_STRING", Url),
        ("PG_HOST", HOST),
        ("PG_PORT", PORT),
        ("PG_DATABASE", NAME),
        ("PG_DB", NAME),
        ("PG_DBNAME", NAME),
        ("PG_USER", USER),
        ("PG_USERNAME", USER),
        ("PG_PASSWORD", PASSWORD),
        ("PG_PASS", PASSWORD),
        ("PG_SSLMODE", SSL),
    ],
    // Amazon's Elastic Beanstalk.
    &[
        ("RDS_HOSTNAME", HOST),
        ("RDS_PORT", PORT),
        ("RDS_DB_NAME", NAME),
        ("RDS_USERNAME", USER),
        ("RDS_PASSWORD", PASSWORD),
    ],
    // Prisma, where DATABASE_URL leads to a pool.
    &[("DIRECT_URL", Url), ("DIRECT_DATABASE_URL", Url)],
];

/// Whether one of the groups has this name, or the file that holds its value.
pub(in crate::settings) fn is_read(name: &str) -> bool {
    let has = |name: &str| GROUPS.iter().copied().flatten().any(|(known, _)| *known == name);
    has(name) || name.strip_suffix("_FILE").is_some_and(has)
}
