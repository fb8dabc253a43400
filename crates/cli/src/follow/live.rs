//! The story on a terminal: each step with its elapsed time, a bar where RDS gives a percentage,
//! the outage while it lasts.

use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::lines;
use crate::home::now;
use crate::story::{Change, Step, Story, shown};

/// How often the elapsed times are drawn anew.
const TICK: Duration = Duration::from_millis(100);
const FRAMES_PER_SECOND: u8 = 20;

/// What is drawn now.
pub(crate) struct Live {
    drawn: MultiProgress,
    current: Option<ProgressBar>,
    outage: Option<ProgressBar>,
}

impl Live {
    pub(crate) fn new(id: &str) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND);
        let live = Self {
            drawn: MultiProgress::with_draw_target(target),
            current: None,
            outage: None,
        };
        live.keep(
            &style(format!("execution {id}"))
                .dim()
                .for_stderr()
                .to_string(),
        );
        live
    }

    /// Shows what changed.
    pub(crate) fn draw(&mut self, story: &Story, change: Change, at: Timestamp) {
        match change {
            Change::Began(number) => self.begin(&story.steps[number]),
            Change::Went(number) | Change::Waits(number) => self.show(&story.steps[number]),
            Change::Ended(number) => self.end(&story.steps[number], at),
            Change::Over => self.clear(),
        }
    }

    /// Leaves nothing behind but the lines of the steps that ended.
    pub(crate) fn clear(&mut self) {
        for bar in [self.current.take(), self.outage.take()]
            .into_iter()
            .flatten()
        {
            bar.finish_and_clear();
        }
    }

    fn begin(&mut self, step: &Step) {
        let already = now()
            .duration_since(step.entered)
            .try_into()
            .unwrap_or(Duration::ZERO);
        let bar = ProgressBar::no_length()
            .with_elapsed(already)
            .with_style(spinner());
        let bar = self.drawn.add(bar);
        bar.set_prefix(format!("{:<14}", step.state));
        bar.enable_steady_tick(TICK);
        self.current = Some(bar);
    }

    fn show(&self, step: &Step) {
        let Some(bar) = &self.current else { return };
        if let Some(percent) = step.percent {
            bar.set_style(percentage());
            bar.set_length(100);
            bar.set_position(percent.into());
        }
        let says = step.says.as_deref().unwrap_or_default();
        bar.set_message(match &step.error {
            None => says.to_owned(),
            Some(error) => format!("{error}, trying again: {says}"),
        });
    }

    fn end(&mut self, step: &Step, at: Timestamp) {
        if let Some(bar) = self.current.take() {
            bar.finish_and_clear();
        }
        let line = lines::ended(step);
        let line = match step.error {
            None => style(line).green().for_stderr(),
            Some(_) => style(line).red().for_stderr(),
        };
        self.keep(&line.to_string());
        match (step.state.as_str(), &step.error) {
            ("MoveAside" | "MoveAsideFirst", None) => self.outage_begins(at),
            ("Promote" | "RollBack" | "SwapBack", None) => self.outage_ends(),
            (_other_steps, _) => {}
        }
    }

    fn outage_begins(&mut self, at: Timestamp) {
        if self.outage.is_some() {
            return;
        }
        let already = now()
            .duration_since(at)
            .try_into()
            .unwrap_or(Duration::ZERO);
        let bar = ProgressBar::no_length().with_elapsed(already).with_style(
            ProgressStyle::with_template("! {msg} {elapsed}").expect("the template is fixed"),
        );
        let bar = self.drawn.insert(0, bar);
        bar.set_message("the name does not answer since");
        bar.enable_steady_tick(TICK);
        self.outage = Some(bar);
    }

    fn outage_ends(&mut self) {
        if let Some(bar) = self.outage.take() {
            let lasted = shown(bar.elapsed().try_into().unwrap_or_default());
            bar.finish_and_clear();
            self.keep(&format!("! the name answers again after {lasted}"));
        }
    }

    /// Writes a line that stays, above what is being drawn.
    fn keep(&self, line: &str) {
        // A terminal that went away is no reason to stop a restore.
        let _gone = self.drawn.println(line);
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {elapsed:>12}  {wide_msg}")
        .expect("the template is fixed")
}

fn percentage() -> ProgressStyle {
    ProgressStyle::with_template(
        "{spinner} {prefix} {elapsed:>12}  {bar:20} {percent:>3} %  {wide_msg}",
    )
    .expect("the template is fixed")
}
