//! How long operations take.
//!
//! With [`Durations::Instant`] nothing waits: an operation takes what the servers need. With [`Durations::Aws`] the
//! times below are waited out, divided by the time scale. They are of the order that RDS users report, not promises.
//!
//! | operation | takes |
//! |---|---|
//! | create | 5 min |
//! | restore, read replica | 6 min and 1 s per GiB |
//! | promotion of a read replica | 3 min |
//! | snapshot | 1 min and 1 s per GiB |
//! | copy of a snapshot | 1 min and 0.5 s per GiB |
//! | modify | 3 min; change of class, engine version or zones 8 min; storage 5 min |
//! | rename | 90 s, of which neither name is known for 10 s |
//! | parameter group | 30 s |
//! | reboot | 60 s |
//! | start | 4 min |
//! | stop | 3 min |
//! | delete | 3 min |
//! | cluster: create | 2 min |
//! | cluster: restore | 6 min and 0.1 s per GiB |
//! | cluster: snapshot | 1 min and 0.1 s per GiB |
//! | cluster: modify | 1 min; class or engine version 8 min; storage 5 min |
//! | cluster: rename | 90 s, of which neither name is known for 10 s |
//! | cluster: fail-over | 30 s |
//! | cluster: reboot | 60 s |
//! | cluster: start | 5 min |
//! | cluster: stop | 3 min |
//! | cluster: delete | 2 min |
//! | activity stream, secret, proxy and its targets, integration… | 60 s |
//!
//! After a modification was accepted, the instance is still shown as `available` for 5 s.
//!
//! With [`Durations::Random`] each of these times is another one for each operation: anything from nothing to 64 times
//! as long, short ones as often as long ones.

use std::time::Duration;

use jiff::Timestamp;

use crate::options::Durations;
use crate::random::Draws;
use crate::state::Settings;
use crate::state::cluster::ClusterWork;
use crate::state::instance::Work;

/// An Aurora fail-over is said to take less than 30 seconds, often.
const HAND_OVER: Duration = Duration::from_secs(30);

/// The profile in force and its scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) durations: Durations,
    pub(crate) time_scale: f64,
    /// What this operation is; it has its own times where they are random.
    pub(crate) operation: u64,
}

/// A number for an operation: what it is done to, and when it was begun.
pub(crate) fn operation(key: &str, begun_at: Timestamp) -> u64 {
    let begun_at = begun_at.as_nanosecond() as u64;
    key.bytes().fold(begun_at, |number, byte| {
        Draws(number ^ u64::from(byte)).number()
    })
}

impl Pace {
    /// How long an operation on an instance takes, from when its effect becomes visible.
    pub(crate) fn work(self, work: &Work, storage_gib: u64) -> Duration {
        self.scaled(match work {
            Work::Create => Duration::from_secs(5 * 60),
            Work::Restore { .. } | Work::RestoreToPointInTime { .. } | Work::Replicate => {
                Duration::from_secs(6 * 60 + storage_gib)
            }
            Work::Modify { changes } => modification(changes),
            Work::Promote { .. } => Duration::from_secs(3 * 60),
            Work::Reconfigure => Duration::from_secs(30),
            Work::Reboot => Duration::from_secs(60),
            Work::Start => Duration::from_secs(4 * 60),
            Work::Stop => Duration::from_secs(3 * 60),
            Work::Backup { .. } => Duration::from_secs(60 + storage_gib),
            Work::Delete => Duration::from_secs(3 * 60),
        })
    }

    /// How long an operation on a cluster takes, from when its effect becomes visible. The size hardly matters: the
    /// volume isn't copied at once.
    pub(crate) fn cluster_work(self, work: &ClusterWork, storage_gib: u64) -> Duration {
        self.scaled(match work {
            ClusterWork::Create => Duration::from_secs(2 * 60),
            ClusterWork::Restore { .. } | ClusterWork::RestoreToPointInTime { .. } => {
                Duration::from_secs(6 * 60 + storage_gib / 10)
            }
            ClusterWork::Modify { changes } => cluster_modification(changes),
            ClusterWork::FailOver => HAND_OVER,
            ClusterWork::Reboot => Duration::from_secs(60),
            ClusterWork::Start => Duration::from_secs(5 * 60),
            ClusterWork::Stop => Duration::from_secs(3 * 60),
            ClusterWork::Backup { .. } => Duration::from_secs(60 + storage_gib / 10),
            ClusterWork::Delete => Duration::from_secs(2 * 60),
        })
    }

    /// How long a cluster takes no writes while another member becomes the writer.
    pub(crate) fn hand_over(self) -> Duration {
        self.scaled(HAND_OVER)
    }

    /// How long a copy of a snapshot takes.
    pub(crate) fn copy(self, storage_gib: u64) -> Duration {
        self.scaled(
            Duration::from_secs(60)
                + Duration::from_millis(500) * storage_gib.try_into().unwrap_or(u32::MAX),
        )
    }

    /// How long what is attached to a database takes to be there.
    pub(crate) fn attachment(self) -> Duration {
        self.scaled(Duration::from_secs(60))
    }

    /// How long an instance still looks untouched after a modification was accepted.
    pub(crate) fn unnoticed(self) -> Duration {
        self.scaled(Duration::from_secs(5))
    }

    /// How long neither the old nor the new name is known.
    pub(crate) fn nameless(self) -> Duration {
        self.scaled(Duration::from_secs(10))
    }

    /// Whether operations have phases that one can watch.
    pub(crate) fn is_gradual(self) -> bool {
        match self.durations {
            Durations::Instant => false,
            Durations::Aws | Durations::Random { .. } => true,
        }
    }

    fn scaled(self, duration: Duration) -> Duration {
        match self.durations {
            Durations::Instant => Duration::ZERO,
            Durations::Aws => duration.div_f64(self.time_scale),
            Durations::Random { seed } => {
                let kind = Draws(duration.as_secs()).number();
                let mut draws = Draws(seed ^ self.operation ^ kind);
                duration.mul_f64(times(&mut draws) / self.time_scale)
            }
        }
    }
}

/// How many times as long as usual something takes: nothing, one time of eight, or 2 to the power of -10 to 6.
fn times(draws: &mut Draws) -> f64 {
    if draws.below(8) == 0 {
        return 0.0;
    }
    let exponent = draws.below(1600) as f64 / 100.0 - 10.0;
    exponent.exp2()
}

/// The slowest of the changes decides.
fn cluster_modification(changes: &Settings) -> Duration {
    let seconds = changes.keys().map(|name| match name.as_str() {
        "DBClusterInstanceClass" | "EngineVersion" => 8 * 60,
        "AllocatedStorage" | "StorageType" | "Iops" => 5 * 60,
        "DBClusterIdentifier" => 90,
        "Port" => 60,
        "MasterUserPassword" => 30,
        _ => 60,
    });
    Duration::from_secs(seconds.max().unwrap_or(0))
}

/// The slowest of the changes decides.
fn modification(changes: &Settings) -> Duration {
    let seconds = changes.keys().map(|name| match name.as_str() {
        "DBInstanceClass" | "EngineVersion" | "MultiAZ" | "DBSubnetGroupName" => 8 * 60,
        "AllocatedStorage" | "StorageType" | "Iops" | "StorageThroughput" => 5 * 60,
        "DBInstanceIdentifier" => 90,
        "MasterUserPassword" => 30,
        _ => 3 * 60,
    });
    Duration::from_secs(seconds.max().unwrap_or(0))
}
