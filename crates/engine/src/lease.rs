//! When a lease still binds others. The rule decides how long a resume waits, never whether two
//! owners can write: the fencing number does that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::OwnerId;
use crate::journal::Lease;
use crate::owner::Liveness;

/// Whether `candidate` has to leave the execution to the lease's owner.
///
/// - Its own lease binds nobody: the candidate knows what it runs.
/// - A dead owner's lease binds nobody.
/// - A live owner's lease binds until it expires: an owner that doesn't renew hangs.
/// - Of an owner whose life cannot be seen, the lease binds until it expires; but one that expires
///   later than any lease could was dated by a clock that was set back since, and its date means
///   nothing.
pub(crate) fn binds(
    lease: &Lease,
    candidate: &OwnerId,
    now: Timestamp,
    lease_duration: Duration,
) -> bool {
    if lease.owner == *candidate {
        return false;
    }
    let remaining = lease.expires_at.duration_since(now);
    match lease.owner.liveness() {
        Liveness::Dead => false,
        Liveness::Alive => remaining.is_positive(),
        Liveness::Unknown => {
            let longest = SignedDuration::try_from(lease_duration).unwrap_or(SignedDuration::MAX);
            remaining.is_positive() && remaining <= longest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lease(owner: OwnerId) -> Lease {
        Lease {
            owner,
            expires_at: at(1000),
        }
    }

    #[test]
    fn a_lease_binds_others_until_it_expires() {
        for owner in [OwnerId::this_process(), OwnerId::named("one")] {
            let other = OwnerId::named("other");
            let lease = lease(owner);
            assert!(binds(&lease, &other, at(970), LEASE));
            assert!(binds(&lease, &other, at(999), LEASE));
            assert!(!binds(&lease, &other, at(1000), LEASE));
        }
    }

    #[test]
    fn its_owner_is_not_bound() {
        let owner = OwnerId::named("one");
        assert!(!binds(&lease(owner.clone()), &owner, at(999), LEASE));
    }

    #[test]
    fn a_date_beyond_every_lease_is_a_clock_set_back() {
        let other = OwnerId::named("other");
        assert!(!binds(
            &lease(OwnerId::named("one")),
            &other,
            at(900),
            LEASE
        ));
        // Of a process that is seen to live, no date is needed.
        assert!(binds(
            &lease(OwnerId::this_process()),
            &other,
            at(900),
            LEASE
        ));
    }
}
