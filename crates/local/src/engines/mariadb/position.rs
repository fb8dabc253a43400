//! Places in the binary log, as global transaction ids say them: `0-4711-57` is the transaction with number 57 of the
//! domain 0, made by the server 4711. Every server here has the domain 0 only, and one server at a time makes
//! transactions, so their numbers rise without a gap.

use std::collections::BTreeMap;

/// Everything that a server has in its log: the last number of each server that made transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    last: BTreeMap<(u32, u32), u64>,
}

impl History {
    /// Reads `@@gtid_binlog_state`, such as `0-4711-57,0-815-60`.
    pub(super) fn parse(state: &str) -> Option<Self> {
        let ids = state.split(',').map(str::trim).filter(|id| !id.is_empty());
        let last = ids
            .map(|id| {
                let mut parts = id.split('-');
                let domain = parts.next()?.parse().ok()?;
                let server = parts.next()?.parse().ok()?;
                Some(((domain, server), parts.next()?.parse().ok()?))
            })
            .collect::<Option<_>>()?;
        Some(Self { last })
    }

    /// Whether everything of the other history is in this one too.
    pub(super) fn contains(&self, other: &Self) -> bool {
        other
            .last
            .iter()
            .all(|(server, number)| self.last.get(server).is_some_and(|own| own >= number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(state: &str) -> History {
        History::parse(state).unwrap()
    }

    #[test]
    fn a_replica_that_is_behind_is_part_of_its_upstream() {
        let upstream = history("0-1-40,0-2-57");
        assert!(upstream.contains(&history("")));
        assert!(upstream.contains(&history("0-1-40")));
        assert!(upstream.contains(&history("0-1-40,0-2-50")));
    }

    #[test]
    fn what_nobody_else_has_is_a_history_of_its_own() {
        let upstream = history("0-1-40,0-2-57");
        assert!(!upstream.contains(&history("0-1-41")));
        assert!(!upstream.contains(&history("0-1-40,0-3-1")));
    }

    #[test]
    fn what_is_no_position_is_none() {
        assert_eq!(History::parse("0-1"), None);
        assert_eq!(History::parse("a-b-c"), None);
    }
}
