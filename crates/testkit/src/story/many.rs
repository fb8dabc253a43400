//! Many stories, one after the other on every core.

use std::any::Any;
use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use super::Story;
use super::tally::Counts;
use super::tell::{Ending, tell};
use super::trace::Trace;

/// Of the trace of a story that fails, so many of the last lines are told.
const TAIL: usize = 60;

/// What became of many stories.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What was seen, in numbers.
    pub counts: Counts,
    /// The seeds of the stories in which something happened that must not, and what.
    pub failed: Vec<(u64, Vec<String>)>,
}

thread_local! {
    /// What has panicked on this thread, wherever it was caught.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Tells a story in a runtime of its own; the trace is kept when somebody wants to read it.
///
/// A panic is a violation wherever it happens: the engine would take it for a task that failed.
pub fn replay(story: &Story, is_traced: bool) -> Ending {
    note_panics();
    PANICS.take();
    let told = panic::catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without input and output needs nothing");
        runtime.block_on(async {
            let trace = if is_traced {
                Trace::kept()
            } else {
                Trace::forgotten()
            };
            tell(story, trace).await
        })
    }));
    let mut ending = told.unwrap_or_else(|panic| Ending::broken(&panic));
    ending.violations.extend(PANICS.take());
    ending
}

/// Tells the stories of these seeds on so many threads; every story is on one thread alone.
pub fn tell_all(seeds: Range<u64>, threads: usize) -> Report {
    let next = AtomicU64::new(seeds.start);
    let report = Mutex::new(Report::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let ending = replay(&Story::from_seed(seed), false);
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    report.counts.add(ending.counts);
                    if !ending.violations.is_empty() {
                        report.failed.push((seed, ending.violations));
                    }
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.failed.sort();
    report
}

/// A story from beginning to end, for reading.
pub fn read_out(seed: u64) -> (String, Ending) {
    let story = Story::from_seed(seed);
    let ending = replay(&story, true);
    let mut text = story.to_string();
    for line in &ending.trace {
        text += line;
        text.push('\n');
    }
    (text, ending)
}

/// The table, and every story that failed: what happened, how it came to it, how to see it again.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seed, violations) in &self.failed {
            writeln!(formatter, "seed {seed}:")?;
            for violation in violations {
                let what = violation.lines().next().unwrap_or_default();
                writeln!(formatter, "  VIOLATION: {what}")?;
            }
        }
        if let Some((seed, _)) = self.failed.first() {
            let (text, _) = read_out(*seed);
            let lines: Vec<&str> = text.lines().collect();
            let mut tail = String::new();
            for line in &lines[lines.len().saturating_sub(TAIL)..] {
                writeln!(tail, "{line}")?;
            }
            writeln!(formatter, "\nthe end of story {seed}:\n{tail}")?;
            writeln!(
                formatter,
                "the whole of it: cargo xtask simulate --seed {seed} --trace\n"
            )?;
        }
        self.counts.fmt(formatter)
    }
}

impl Ending {
    fn broken(_: &Box<dyn Any + Send>) -> Self {
        Self {
            counts: Counts::default(),
            violations: Vec::new(),
            trace: Vec::new(),
        }
    }
}

fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PANICS.with_borrow_mut(|panics| panics.push(panic.to_string()));
            before(panic);
        }));
    });
}
