//! Random stories, the same in every run: whatever goes wrong in them, nothing is lost.

use trapheus_testkit::story::{Story, read_out, tell_all};

/// As many as make the executions below.
const SEEDS: u64 = 1150;

#[test]
fn nothing_is_lost_in_any_story() {
    let report = tell_all(1..1 + SEEDS, 2);
    assert!(report.failed.is_empty(), "{report}");
    assert!(report.counts.executions() >= 2000, "{report}");
    assert_eq!(report.counts.unlisted(), [""; 0], "in the list of faults");
}

#[test]
fn a_seed_tells_the_same_story_again_word_for_word() {
    for seed in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
        let (told, ending) = read_out(seed);
        assert!(ending.trace.len() > 5, "story {seed}: {told}");
        assert_eq!((told, ending), read_out(seed), "story {seed}");
        assert_eq!(Story::from_seed(seed), Story::from_seed(seed));
    }
}
