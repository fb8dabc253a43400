//! The engines that RDS offers, their versions, and the groups and defaults that follow from them.

use std::collections::BTreeMap;

/// What is fixed about an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    /// `Engine`.
    pub(crate) engine: &'static str,
    /// `DBEngineDescription`.
    pub(crate) description: &'static str,
    /// Whose database system it is.
    pub(crate) system: System,
    pub(crate) offer: Offer,
    /// The default `Port`.
    pub(crate) port: u16,
    /// The values that `LicenseModel` may have, the default one first.
    pub(crate) licenses: &'static [&'static str],
    /// How many numbers of a version make its major version.
    major_parts: usize,
    /// Whether support can be extended beyond the community's end of life.
    pub(crate) has_lifecycle_support: bool,
    /// The logs that can be exported.
    pub(crate) log_types: &'static [&'static str],
    /// The versions known where no local server says otherwise.
    versions: &'static [&'static str],
}

/// A database system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Postgres,
    MySql,
    MariaDb,
    Oracle,
    SqlServer,
    Db2,
}

/// How RDS offers a database system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Rds,
    Aurora,
    /// RDS Custom.
    Custom,
}

const POSTGRES_LOGS: &[&str] = &["postgresql", "upgrade", "iam-db-auth-error"];
const MYSQL_LOGS: &[&str] = &[
    "audit",
    "error",
    "general",
    "iam-db-auth-error",
    "slowquery",
];
const BYOL: &str = "bring-your-own-license";
const INCLUDED: &str = "license-included";
const ORACLE_19: &str = "19.0.0.0.ru-2025-01.rur-2025-01.r1";
const ORACLE_21: &str = "21.0.0.0.ru-2025-01.rur-2025-01.r1";

const PRODUCTS: &[Product] = &[
    Product {
        engine: "postgres",
        description: "PostgreSQL",
        system: System::Postgres,
        offer: Offer::Rds,
        port: 5432,
        licenses: &["postgresql-license"],
        major_parts: 1,
        has_lifecycle_support: true,
        log_types: POSTGRES_LOGS,
        versions: &["13.20", "14.17", "15.12", "16.8", "17.4"],
    },
    Product {
        engine: "aurora-postgresql",
        description: "Aurora PostgreSQL",
        system: System::Postgres,
        offer: Offer::Aurora,
        port: 5432,
        licenses: &["postgresql-license"],
        major_parts: 1,
        has_lifecycle_support: true,
        log_types: &["postgresql", "iam-db-auth-error", "instance"],
        versions: &["14.17", "15.12", "16.8"],
    },
    Product {
        engine: "mysql",
        description: "MySQL Community Edition",
        system: System::MySql,
        offer: Offer::Rds,
        port: 3306,
        licenses: &["general-public-license"],
        major_parts: 2,
        has_lifecycle_support: true,
        log_types: MYSQL_LOGS,
        versions: &["8.0.40", "8.0.41", "8.4.4"],
    },
    Product {
        engine: "aurora-mysql",
        description: "Aurora MySQL",
        system: System::MySql,
        offer: Offer::Aurora,
        port: 3306,
        licenses: &["general-public-license"],
        major_parts: 2,
        has_lifecycle_support: true,
        log_types: &[
            "audit",
            "error",
            "general",
            "iam-db-auth-error",
            "instance",
            "slowquery",
        ],
        versions: &["8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.09.0"],
    },
    Product {
        engine: "mariadb",
        description: "MariaDB Community Edition",
        system: System::MariaDb,
        offer: Offer::Rds,
        port: 3306,
        licenses: &["general-public-license"],
        major_parts: 2,
        has_lifecycle_support: false,
        log_types: MYSQL_LOGS,
        versions: &["10.6.21", "10.11.11", "11.4.5"],
    },
    oracle(
        "oracle-ee",
        "Oracle Database Enterprise Edition",
        &[BYOL],
        &[ORACLE_19],
    ),
    oracle(
        "oracle-ee-cdb",
        "Oracle Database Enterprise Edition (CDB)",
        &[BYOL],
        &[ORACLE_19, ORACLE_21],
    ),
    oracle(
        "oracle-se2",
        "Oracle Database Standard Edition Two",
        &[INCLUDED, BYOL],
        &[ORACLE_19],
    ),
    oracle(
        "oracle-se2-cdb",
        "Oracle Database Standard Edition Two (CDB)",
        &[INCLUDED, BYOL],
        &[ORACLE_19, ORACLE_21],
    ),
    sql_server("sqlserver-ee", "Microsoft SQL Server Enterprise Edition"),
    sql_server("sqlserver-se", "Microsoft SQL Server Standard Edition"),
    sql_server("sqlserver-ex", "Microsoft SQL Server Express Edition"),
    sql_server("sqlserver-web", "Microsoft SQL Server Web Edition"),
    db2("db2-ae", "IBM Db2 Advanced Edition"),
    db2("db2-ce", "IBM Db2 Community Edition"),
    db2("db2-se", "IBM Db2 Standard Edition"),
    custom(oracle(
        "custom-oracle-ee",
        "Oracle Database Enterprise Edition (RDS Custom)",
        &[BYOL],
        &["19.cev1"],
    )),
    custom(oracle(
        "custom-oracle-ee-cdb",
        "Oracle Database Enterprise Edition CDB (RDS Custom)",
        &[BYOL],
        &["19.cev1"],
    )),
    custom(oracle(
        "custom-oracle-se2",
        "Oracle Database Standard Edition Two (RDS Custom)",
        &[BYOL],
        &["19.cev1"],
    )),
    custom(oracle(
        "custom-oracle-se2-cdb",
        "Oracle Database Standard Edition Two CDB (RDS Custom)",
        &[BYOL],
        &["19.cev1"],
    )),
    custom(sql_server(
        "custom-sqlserver-ee",
        "Microsoft SQL Server Enterprise Edition (RDS Custom)",
    )),
    custom(sql_server(
        "custom-sqlserver-se",
        "Microsoft SQL Server Standard Edition (RDS Custom)",
    )),
    custom(sql_server(
        "custom-sqlserver-web",
        "Microsoft SQL Server Web Edition (RDS Custom)",
    )),
];

const fn oracle(
    engine: &'static str,
    description: &'static str,
    licenses: &'static [&'static str],
    versions: &'static [&'static str],
) -> Product {
    Product {
        engine,
        description,
        system: System::Oracle,
        offer: Offer::Rds,
        port: 1521,
        licenses,
        major_parts: 1,
        has_lifecycle_support: false,
        log_types: &["alert", "audit", "listener", "trace", "oemagent"],
        versions,
    }
}

const fn sql_server(engine: &'static str, description: &'static str) -> Product {
    Product {
        engine,
        description,
        system: System::SqlServer,
        offer: Offer::Rds,
        port: 1433,
        licenses: &[INCLUDED, "bring-your-own-media"],
        major_parts: 2,
        has_lifecycle_support: false,
        log_types: &["agent", "error"],
        versions: &["15.00.4420.2.v1", "16.00.4175.1.v1"],
    }
}

const fn db2(engine: &'static str, description: &'static str) -> Product {
    Product {
        engine,
        description,
        system: System::Db2,
        offer: Offer::Rds,
        port: 50000,
        licenses: &[BYOL, "marketplace-license"],
        major_parts: 2,
        has_lifecycle_support: false,
        log_types: &["diag.log", "notify.log", "iam-db-auth-error"],
        versions: &["11.5.9.0.sb00047653.r1"],
    }
}

const fn custom(product: Product) -> Product {
    Product {
        offer: Offer::Custom,
        ..product
    }
}

/// What is fixed about the engine of that name.
pub(crate) fn product(engine: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.engine == engine)
}

impl Product {
    /// The engine whose local server serves this one: Aurora's are served by the plain ones.
    pub(crate) fn server(&self) -> &'static str {
        match (self.offer, self.system) {
            (Offer::Aurora, System::Postgres) => "postgres",
            _ => self.engine,
        }
    }

    /// The packages of Debian that serve it.
    pub(crate) fn packages(&self) -> &'static str {
        match self.system {
            System::MySql | System::MariaDb => "mariadb-server-core mariadb-client mariadb-backup",
            System::Postgres | System::Oracle | System::SqlServer | System::Db2 => "postgresql",
        }
    }

    /// `MajorEngineVersion`.
    pub(crate) fn major_version(&self, version: &str) -> String {
        version
            .split('.')
            .take(self.major_parts)
            .collect::<Vec<_>>()
            .join(".")
    }

    /// `DBParameterGroupFamily`.
    pub(crate) fn family(&self, version: &str) -> String {
        let (engine, major) = (self.engine, self.major_version(version));
        match self.system {
            System::Postgres | System::MySql | System::MariaDb => format!("{engine}{major}"),
            System::Oracle | System::Db2 => format!("{engine}-{major}"),
            // 16.00 is the family 16.0.
            System::SqlServer => format!("{engine}-{}", major.replace(".00", ".0")),
        }
    }

    /// From this size on, gp3 takes `Iops` and `StorageThroughput`.
    pub(crate) fn gp3_provisionable_gib(&self) -> i64 {
        match self.system {
            System::SqlServer => 0,
            System::Oracle => 200,
            System::Postgres | System::MySql | System::MariaDb | System::Db2 => 400,
        }
    }

    /// What gp3 of a size has where nothing is provisioned: IOPS, and throughput in MiB/s.
    pub(crate) fn gp3_baseline(&self, size_gib: i64) -> (i64, i64) {
        match self.system != System::SqlServer && size_gib >= self.gp3_provisionable_gib() {
            true => (12_000, 500),
            false => (3000, 125),
        }
    }

    /// The parameter group that an instance has when none is asked for.
    pub(crate) fn default_parameter_group(&self, version: &str) -> String {
        format!("default.{}", self.family(version))
    }

    /// The option group that an instance has when none is asked for.
    pub(crate) fn default_option_group(&self, version: &str) -> String {
        format!(
            "default:{}-{}",
            self.engine,
            self.major_version(version).replace('.', "-")
        )
    }
}

/// The engines and versions of one control plane.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    versions: BTreeMap<&'static str, Vec<String>>,
}

impl Catalogue {
    /// What RDS offers; where local servers have versions of their own, those.
    pub(crate) fn new(installed: &BTreeMap<String, Vec<String>>) -> Self {
        let versions = PRODUCTS
            .iter()
            .map(|product| match installed.get(product.server()) {
                Some(versions) => (product.engine, versions.clone()),
                None => (
                    product.engine,
                    product
                        .versions
                        .iter()
                        .map(|version| (*version).to_owned())
                        .collect(),
                ),
            });
        Self {
            versions: versions.collect(),
        }
    }

    pub(crate) fn products(&self) -> impl Iterator<Item = &'static Product> {
        PRODUCTS.iter()
    }

    pub(crate) fn product(&self, engine: &str) -> Option<&'static Product> {
        product(engine)
    }

    /// The versions of an engine, oldest first.
    pub(crate) fn versions(&self, engine: &str) -> &[String] {
        self.versions.get(engine).map_or(&[], Vec::as_slice)
    }

    /// The engine whose parameter groups are of this family: of any version that RDS has, or a local server.
    pub(crate) fn of_family(&self, family: &str) -> Option<&'static Product> {
        PRODUCTS.iter().find(|product| {
            let installed = self.versions(product.engine).iter().map(String::as_str);
            let mut versions = product.versions.iter().copied().chain(installed);
            versions.any(|version| product.family(version) == family)
        })
    }

    /// The version that is meant: the newest one if none is asked for, the newest of a major version, or exactly that.
    pub(crate) fn resolve(&self, product: &Product, asked: Option<&str>) -> Option<&str> {
        let versions = self.versions(product.engine);
        let newest = match asked {
            None => versions.last(),
            Some(asked) => versions
                .iter()
                .find(|version| *version == asked)
                .or_else(|| {
                    versions
                        .iter()
                        .rev()
                        .find(|version| product.major_version(version) == asked)
                }),
        };
        newest.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_as_rds_names_them() {
        let catalogue = Catalogue::new(&BTreeMap::new());
        let names = |engine: &str| {
            let product = catalogue.product(engine).unwrap();
            let version = catalogue.resolve(product, None).unwrap();
            (
                product.default_parameter_group(version),
                product.default_option_group(version),
            )
        };
        assert_eq!(
            names("postgres"),
            ("default.postgres17".into(), "default:postgres-17".into())
        );
        assert_eq!(
            names("mysql"),
            ("default.mysql8.4".into(), "default:mysql-8-4".into())
        );
        assert_eq!(
            names("aurora-mysql"),
            (
                "default.aurora-mysql8.0".into(),
                "default:aurora-mysql-8-0".into()
            )
        );
        assert_eq!(
            names("oracle-ee"),
            ("default.oracle-ee-19".into(), "default:oracle-ee-19".into())
        );
        assert_eq!(
            names("sqlserver-se"),
            (
                "default.sqlserver-se-16.0".into(),
                "default:sqlserver-se-16-00".into()
            )
        );
    }

    #[test]
    fn a_major_version_means_its_newest_minor_one() {
        let installed = BTreeMap::from([(
            "postgres".to_owned(),
            vec!["15.9".to_owned(), "15.14".to_owned()],
        )]);
        let catalogue = Catalogue::new(&installed);
        let postgres = catalogue.product("postgres").unwrap();
        assert_eq!(catalogue.resolve(postgres, Some("15")), Some("15.14"));
        assert_eq!(catalogue.resolve(postgres, Some("15.9")), Some("15.9"));
        assert_eq!(catalogue.resolve(postgres, Some("16")), None);
    }
}
