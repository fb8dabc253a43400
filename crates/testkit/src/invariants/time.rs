//! Time: every execution ends within its limits, however often it is disturbed.

use std::time::Duration;

use super::memory::Execution;

/// For everything that has no limit of its own: calls that are made again, and deaths.
const ALLOWANCE: Duration = Duration::from_secs(24 * 3600);

pub(super) fn check_end(execution: &Execution) -> Option<String> {
    let plan = execution.plan.as_deref()?;
    let limits = &plan.limits;
    let limited = [
        limits.snapshot_seconds,
        limits.restore_seconds,
        limits.configure_seconds,
        limits.verify_seconds,
        // MoveAside and Promote; each waits for what is busy before it renames.
        limits.rename_seconds.saturating_mul(2),
        limits.retire_seconds,
        limits.roll_back_seconds,
    ];
    let seconds = limited.iter().copied().fold(0, u64::saturating_add);
    let limit = Duration::from_secs(seconds);
    let took = execution.at_work;
    (took > limit.saturating_add(ALLOWANCE)).then(|| {
        format!(
            "{} took {took:?}, and its limits are {limit:?}",
            execution.id
        )
    })
}
