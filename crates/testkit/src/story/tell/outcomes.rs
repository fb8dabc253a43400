//! How the executions of a story have ended, and what of that must never be.

use std::collections::BTreeMap;

use trapheus_restore::{Standing, summary};

use super::{PRODUCT, Stage, TARGET};

const ROLL_BACK_FAILED: &str = "roll-back failed";

impl Stage {
    /// Counts how each has ended, and looks whether the name still answers.
    pub(super) fn count_outcomes(&self, violations: &mut Vec<String>) {
        let reader = self.reader();
        let mut outcomes = BTreeMap::new();
        for record in reader.executions().unwrap_or_default() {
            let id = &record.id;
            let history = reader.history(id).unwrap_or_default();
            let ended = summary(id.as_str(), Standing::Stopped, &history);
            let error = ended
                .error
                .as_ref()
                .map(|error| format!("{}: {}", error.name, error.message));
            let error = error.unwrap_or_default();
            let outcome = match ended.exit_code() {
                _ if error.starts_with("Trapheus.RolledBack") => "stopped and rolled back",
                0 => "succeeded",
                1 => "failed and rolled back",
                2 => "refused",
                3 => ROLL_BACK_FAILED,
                5 => "succeeded with something left over",
                _ => {
                    violations.push(format!("{id} has not ended"));
                    "not ended"
                }
            };
            self.tell(PRODUCT, format!("{id}: {outcome}. {error}"));
            for left_over in &ended.left_over {
                self.tell(PRODUCT, format!("{id}: left over: {left_over}"));
            }
            let run = crate::Run {
                id: id.clone(),
                summary: ended,
                history,
            };
            violations.extend(self.machine.simulation.judge_alerts(&run).err());
            outcomes.insert(id.clone(), outcome);
            self.machine.tally.outcome(outcome);
        }
        let is_answered = self.machine.simulation.get(TARGET, "state").is_some();
        let is_stuck = outcomes
            .values()
            .any(|outcome| *outcome == ROLL_BACK_FAILED);
        let is_undisturbed = !self.story.has_person();
        if is_stuck && is_undisturbed && self.story.chaos.is_none() {
            violations.push("a roll-back failed that nobody hindered".to_owned());
        }
        if !is_answered && !is_stuck && is_undisturbed && !self.story.setting.is_gone {
            violations.push("nothing answers at the name".to_owned());
        }
    }
}
