//! Who runs an execution, and whether that one is still alive.
//!
//! Liveness is a shortcut, never the safeguard: it lets a `resume` straight after a `kill -9` go
//! ahead without waiting for the lease to expire. Should it be wrong, the fencing number refuses
//! the loser's appends.

use std::fmt;
use std::fs;
use std::hash::{BuildHasher, RandomState};

use serde::{Deserialize, Serialize};

/// Identifies one engine as the owner of executions. Two engines that live at the same time never
/// share one.
///
/// An engine that is given the id of a dead one takes that one's executions over at once: a
/// simulation says so that the dead one is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerId {
    name: String,
    /// Tells apart two engines of one process, and seeds the ids of the executions that it starts.
    nonce: u64,
    process: Option<Process>,
}

impl OwnerId {
    /// A new owner in this process. Other processes of this machine see at once when it has died.
    pub fn this_process() -> OwnerId {
        let pid = std::process::id();
        OwnerId {
            name: format!("process {pid}"),
            nonce: RandomState::new().hash_one(pid),
            process: Process::own(),
        }
    }

    /// An owner that is not bound to a process: the same name gives the same owner and the same
    /// ids. Only its leases' time tells that it has died.
    pub fn named(name: &str) -> OwnerId {
        // FNV-1a: the standard library's hash may change between its versions, which would change
        // the ids.
        let nonce = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        OwnerId {
            name: name.to_owned(),
            nonce,
            process: None,
        }
    }

    /// The `count`th of a sequence of numbers of this owner's own.
    pub(crate) fn distinction(&self, count: u64) -> u32 {
        // SplitMix64's finalizer: neighbours get unlike numbers.
        let mut mixed = self
            .nonce
            .wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }

    pub(crate) fn liveness(&self) -> Liveness {
        self.process
            .as_ref()
            .map_or(Liveness::Unknown, Process::liveness)
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some(process) => write!(formatter, "{} on {}", self.name, process.hostname),
            None => formatter.write_str(&self.name),
        }
    }
}

/// What this machine can tell about an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    Alive,
    Dead,
    /// It is on another machine, in another container, or not a process at all.
    Unknown,
}

/// One life of one process. A pid alone is not proof: pids are used again, start again with the
/// machine, and mean something else in every container. The start time, the boot and the pid
/// namespace tell these apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    hostname: String,
    boot_id: String,
    pid_namespace: String,
    pid: u32,
    /// Ticks since the boot, as `/proc/PID/stat` has it.
    started_ticks: u64,
}

impl Process {
    /// This process; none where the system has no `/proc` to tell.
    fn own() -> Option<Process> {
        let pid = std::process::id();
        let read = |path: &str| {
            fs::read_to_string(path)
                .ok()
                .map(|text| text.trim().to_owned())
        };
        Some(Process {
            hostname: read("/proc/sys/kernel/hostname")?,
            boot_id: read("/proc/sys/kernel/random/boot_id")?,
            pid_namespace: fs::read_link("/proc/self/ns/pid")
                .ok()?
                .to_string_lossy()
                .into_owned(),
            pid,
            started_ticks: started_ticks(pid)?,
        })
    }

    fn liveness(&self) -> Liveness {
        Process::own().map_or(Liveness::Unknown, |own| self.liveness_seen_by(&own))
    }

    fn liveness_seen_by(&self, own: &Process) -> Liveness {
        if self.hostname != own.hostname {
            Liveness::Unknown
        } else if self.boot_id != own.boot_id {
            // The machine has started again since: nothing of that time is alive.
            Liveness::Dead
        } else if self.pid_namespace != own.pid_namespace {
            Liveness::Unknown
        } else if started_ticks(self.pid) == Some(self.started_ticks) {
            Liveness::Alive
        } else {
            Liveness::Dead
        }
    }
}

/// When the process started; none if there is no such process, or only what its parent has not
/// collected yet.
fn started_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may itself contain spaces and
    // parentheses: the fields are counted from the last one. The state is the third field, the
    // start time the 22nd.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let is_gone = matches!(*fields.first()?, "Z" | "X" | "x");
    if is_gone {
        None
    } else {
        fields.get(19)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn this_process_is_alive_and_its_owners_differ() {
        let (one, other) = (OwnerId::this_process(), OwnerId::this_process());
        assert_eq!(one.liveness(), Liveness::Alive);
        assert_ne!(one, other);
    }

    #[test]
    fn a_killed_process_is_dead_even_before_it_is_collected() {
        let mut child = Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let own = Process::own().unwrap();
        let owner = Process {
            pid: child.id(),
            started_ticks: started_ticks(child.id()).unwrap(),
            ..own.clone()
        };
        assert_eq!(owner.liveness(), Liveness::Alive);
        child.kill().unwrap();
        // A killed process is a zombie until its parent waits for it. It takes a moment to become
        // one.
        while owner.liveness() == Liveness::Alive {
            std::thread::yield_now();
        }
        assert_eq!(owner.liveness(), Liveness::Dead);
        child.wait().unwrap();
        assert_eq!(owner.liveness(), Liveness::Dead);
    }

    #[test]
    fn a_pid_that_is_used_again_is_another_process() {
        let own = Process::own().unwrap();
        let earlier = Process {
            started_ticks: own.started_ticks - 1,
            ..own.clone()
        };
        assert_eq!(earlier.liveness_seen_by(&own), Liveness::Dead);
    }

    #[test]
    fn what_ran_before_the_boot_is_dead_and_what_runs_elsewhere_is_unknown() {
        let own = Process::own().unwrap();
        let before_boot = Process {
            boot_id: "another".into(),
            ..own.clone()
        };
        let elsewhere = Process {
            hostname: "another".into(),
            ..before_boot.clone()
        };
        let in_container = Process {
            pid_namespace: "pid:[1]".into(),
            ..own.clone()
        };
        assert_eq!(before_boot.liveness_seen_by(&own), Liveness::Dead);
        assert_eq!(elsewhere.liveness_seen_by(&own), Liveness::Unknown);
        assert_eq!(in_container.liveness_seen_by(&own), Liveness::Unknown);
    }

    #[test]
    fn an_owner_survives_being_stored() {
        let owner = OwnerId::this_process();
        let stored = serde_json::to_string(&owner).unwrap();
        assert_eq!(serde_json::from_str::<OwnerId>(&stored).unwrap(), owner);
    }

    #[test]
    fn a_name_gives_the_same_numbers_every_time() {
        let numbers: Vec<u32> = (0..3)
            .map(|count| OwnerId::named("simulation").distinction(count))
            .collect();
        let again: Vec<u32> = (0..3)
            .map(|count| OwnerId::named("simulation").distinction(count))
            .collect();
        assert_eq!(numbers, again);
        assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2]);
    }
}
