//! Sets of engines: rows of the attribute tables say by them whom they are about.

/// A family of engines with the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `mysql` (and Aurora's).
    MySql,
    /// `mariadb`.
    MariaDb,
    /// `postgres` (and Aurora's).
    PostgreSql,
    /// `oracle-…`.
    Oracle,
    /// `sqlserver-…`.
    SqlServer,
    /// `db2-…`.
    Db2,
    /// `custom-…`: RDS Custom.
    Custom,
    /// An engine that this program does not know.
    Other,
}

/// A set of engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engines {
    /// Every engine.
    All,
    /// These families.
    Only(&'static [Family]),
    /// Every engine but these families.
    Except(&'static [Family]),
    /// Aurora's engines of these families.
    Aurora(&'static [Family]),
    /// Every engine but Aurora's; among the engines of clusters: those of Multi-AZ clusters.
    NotAurora,
}

impl Family {
    /// Returns the family that `engine` belongs to.
    pub fn of(engine: &str) -> Self {
        match engine {
            "mysql" | "aurora" | "aurora-mysql" => Self::MySql,
            "mariadb" => Self::MariaDb,
            "postgres" | "aurora-postgresql" => Self::PostgreSql,
            _ if engine.starts_with("custom-") => Self::Custom,
            _ if engine.starts_with("oracle-") => Self::Oracle,
            _ if engine.starts_with("sqlserver-") => Self::SqlServer,
            _ if engine.starts_with("db2-") => Self::Db2,
            _ => Self::Other,
        }
    }
}

impl Engines {
    /// Tells whether `engine` is in the set.
    pub(super) fn contains(self, engine: &str) -> bool {
        let family = Family::of(engine);
        match self {
            Self::All => true,
            Self::Only(families) => families.contains(&family),
            Self::Except(families) => !families.contains(&family),
            Self::Aurora(families) => is_aurora(engine) && families.contains(&family),
            Self::NotAurora => !is_aurora(engine),
        }
    }
}

/// Tells Aurora's engines from those whose clusters are Multi-AZ DB clusters.
pub(crate) fn is_aurora(engine: &str) -> bool {
    engine.starts_with("aurora")
}
