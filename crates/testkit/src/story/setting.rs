//! What there is when a story begins: a target of some kind, and perhaps another database that
//! its data comes from.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use trapheus_local::Durations;

use super::random::Random;
use crate::simulation::Simulation;

/// The target's name in every story.
pub(crate) const TARGET: &str = "orders";
/// The name of the database whose data it gets where that is another one.
const SOURCE: &str = "production";
/// Nothing that is set up takes longer on AWS.
const SETTLES_WITHIN: Duration = Duration::from_secs(30 * 60);
/// How many times slower something can be where things are uneven.
const SLOWEST: u32 = 64;

/// What the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    /// An instance.
    Instance,
    /// An instance with read replicas.
    Replicated,
    /// An Aurora cluster with readers and custom endpoints.
    Aurora,
    /// A Multi-AZ DB cluster.
    MultiAz,
}

impl TargetKind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Instance,
        Self::Replicated,
        Self::Aurora,
        Self::MultiAz,
    ];

    /// Whether it is a cluster.
    pub fn is_cluster(self) -> bool {
        matches!(self, Self::Aurora | Self::MultiAz)
    }

    fn engines(self) -> &'static [&'static str] {
        match self {
            Self::Instance => &["postgres", "mysql", "mariadb", "oracle-se2", "sqlserver-ex"],
            Self::Replicated => &["postgres", "mysql", "mariadb"],
            Self::Aurora => &["aurora-postgresql", "aurora-mysql"],
            Self::MultiAz => &["postgres", "mysql"],
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Instance => "instance",
            Self::Replicated => "instance with read replicas",
            Self::Aurora => "Aurora cluster",
            Self::MultiAz => "Multi-AZ DB cluster",
        })
    }
}

/// What there is when a story begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// What the target is.
    pub kind: TargetKind,
    /// Its engine.
    pub engine: &'static str,
    /// Its readers or read replicas.
    pub parts: u64,
    /// Its custom endpoints.
    pub custom_endpoints: u64,
    /// Whether its data comes from another database.
    pub has_source: bool,
    /// Whether only a snapshot and the blueprint are left of it.
    pub is_gone: bool,
    /// Whether RDS protects it from deletion.
    pub is_protected: bool,
    /// How many times faster than on AWS things go.
    pub times_faster: u64,
    /// Whether some go much faster still, and others much slower.
    pub is_uneven: bool,
}

impl Setting {
    pub(super) fn random(random: &mut Random) -> Self {
        let kind = random.pick(&TargetKind::ALL);
        let is_uneven = random.chance(50);
        let is_gone = kind == TargetKind::Instance && random.chance(5);
        Self {
            kind,
            engine: random.pick(kind.engines()),
            parts: match kind {
                TargetKind::Instance | TargetKind::MultiAz => 0,
                TargetKind::Replicated => 1 + random.below(2),
                TargetKind::Aurora => random.below(3),
            },
            custom_endpoints: match kind {
                TargetKind::Aurora => random.below(3),
                _ => 0,
            },
            has_source: !is_gone && random.chance(20),
            is_gone,
            is_protected: random.chance(50),
            times_faster: match random.below(50) {
                0 => 1,
                _ if is_uneven => 1000 + random.size(20_000),
                _ => 100 + random.size(4000),
            },
            is_uneven,
        }
    }

    /// The database that the data comes from.
    pub fn source(&self) -> &'static str {
        if self.has_source { SOURCE } else { TARGET }
    }

    /// The snapshot that is there from the beginning.
    pub fn snapshot(&self) -> String {
        format!("{}-snapshot", self.source())
    }

    /// Makes what there is.
    pub(super) async fn furnish(&self, simulation: &Simulation) {
        self.make(simulation, TARGET).await;
        if self.has_source {
            self.make(simulation, SOURCE).await;
        }
        simulation.put(self.source(), "state", "good");
        let (action, prefix) = self.snapshot_calls();
        let id = format!("{prefix}SnapshotIdentifier");
        let of = format!("{prefix}{}", self.identifier());
        let members = json!({id: self.snapshot(), of: self.source()});
        self.ask(simulation, action, members).await;
        simulation.put(TARGET, "state", "damaged");
        if self.is_gone {
            let only = json!({"identifier": TARGET, "task": "create_snapshot_only"});
            simulation.run(only).await;
            let unprotect = json!({"DBInstanceIdentifier": TARGET, "DeletionProtection": false});
            self.ask(simulation, "ModifyDBInstance", unprotect).await;
            let delete = json!({"DBInstanceIdentifier": TARGET, "SkipFinalSnapshot": true});
            self.ask(simulation, "DeleteDBInstance", delete).await;
        }
    }

    fn snapshot_calls(&self) -> (&'static str, &'static str) {
        if self.kind.is_cluster() {
            ("CreateDBClusterSnapshot", "DBCluster")
        } else {
            ("CreateDBSnapshot", "DB")
        }
    }

    fn identifier(&self) -> &'static str {
        if self.kind.is_cluster() {
            "Identifier"
        } else {
            "InstanceIdentifier"
        }
    }

    async fn make(&self, simulation: &Simulation, name: &str) {
        match self.kind {
            TargetKind::Instance | TargetKind::Replicated => {
                self.ask(simulation, "CreateDBInstance", self.instance(name))
                    .await;
                for number in 1..=self.parts {
                    let replicate = json!({
                        "SourceDBInstanceIdentifier": name,
                        "DBInstanceIdentifier": format!("{name}-replica-{number}"),
                    });
                    self.ask(simulation, "CreateDBInstanceReadReplica", replicate)
                        .await;
                }
            }
            TargetKind::Aurora => self.make_aurora(simulation, name).await,
            TargetKind::MultiAz => {
                let mut cluster = self.cluster(name);
                cluster["DBClusterInstanceClass"] = json!("db.r6gd.large");
                cluster["AllocatedStorage"] = json!(100);
                cluster["StorageType"] = json!("io1");
                cluster["Iops"] = json!(1000);
                self.ask(simulation, "CreateDBCluster", cluster).await;
            }
        }
    }

    async fn make_aurora(&self, simulation: &Simulation, name: &str) {
        self.ask(simulation, "CreateDBCluster", self.cluster(name))
            .await;
        // The writer is not the first by name.
        for number in (1..=1 + self.parts).rev() {
            let member = json!({
                "DBClusterIdentifier": name, "DBInstanceIdentifier": format!("{name}-{number}"),
                "Engine": self.engine, "DBInstanceClass": "db.r6g.large",
            });
            self.ask(simulation, "CreateDBInstance", member).await;
        }
        for number in 1..=self.custom_endpoints {
            let endpoint = json!({
                "DBClusterIdentifier": name, "EndpointType": "ANY",
                "DBClusterEndpointIdentifier": format!("{name}-custom-{number}"),
                "StaticMembers": [format!("{name}-1")],
            });
            self.ask(simulation, "CreateDBClusterEndpoint", endpoint)
                .await;
        }
    }

    fn instance(&self, name: &str) -> Value {
        json!({
            "DBInstanceIdentifier": name, "Engine": self.engine, "DBInstanceClass": "db.m5.large",
            "AllocatedStorage": 20, "MasterUsername": "app", "MasterUserPassword": "secret-1234",
            "BackupRetentionPeriod": 7, "DeletionProtection": self.is_protected,
        })
    }

    fn cluster(&self, name: &str) -> Value {
        json!({
            "DBClusterIdentifier": name, "Engine": self.engine,
            "MasterUsername": "app", "MasterUserPassword": "secret-1234",
            "BackupRetentionPeriod": 7, "DeletionProtection": self.is_protected,
        })
    }

    /// Asks, and waits until it must be so: nobody measures how long setting up takes, and a
    /// sleep costs less than a look.
    async fn ask(&self, simulation: &Simulation, action: &str, members: Value) {
        let answer = simulation.ask(action, members).await;
        answer.unwrap_or_else(|refusal| panic!("{action}: {refusal:?}"));
        self.settle().await;
    }

    async fn settle(&self) {
        let times = if self.is_uneven { SLOWEST } else { 1 };
        tokio::time::sleep(self.paced(SETTLES_WITHIN) * times).await;
    }

    /// How long things take.
    pub(super) fn durations(&self, seed: u64) -> Durations {
        match self.is_uneven {
            true => Durations::Random { seed },
            false => Durations::Aws,
        }
    }

    /// A time on AWS as it is here.
    pub(super) fn paced(&self, on_aws: Duration) -> Duration {
        on_aws / u32::try_from(self.times_faster).unwrap_or(u32::MAX) + Duration::from_millis(10)
    }
}
