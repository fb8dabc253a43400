//! What an alert says, in order, before any channel writes it in its own language.

use trapheus_restore::{Alert, AlertKind, Task, Whereabouts};

/// An alert in words.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The alert itself, for programs.
    pub(crate) alert: Alert,
    /// Who and what, in a few words.
    pub(crate) title: String,
    /// How urgent it is.
    pub(crate) tone: Tone,
    /// What happened, in one sentence.
    pub(crate) headline: String,
    /// Everything else.
    pub(crate) sections: Vec<Section>,
    /// Which execution, and when.
    pub(crate) footer: String,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Attention,
    Bad,
    Urgent,
}

/// Something that is said under a heading of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) items: Vec<Item>,
}

/// One thing that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A sentence.
    Text(String),
    /// What can be typed as it stands.
    Command(String),
}

impl Item {
    fn of(text: &str) -> Self {
        let is_command = ["aws ", "trapheus ", "# "]
            .iter()
            .any(|beginning| text.starts_with(beginning));
        match is_command {
            true => Self::Command(text.to_owned()),
            false => Self::Text(text.to_owned()),
        }
    }

    pub(crate) fn text(&self) -> &str {
        let (Self::Text(text) | Self::Command(text)) = self;
        text
    }
}

impl Message {
    pub(crate) fn of(alert: &Alert) -> Self {
        let report = &alert.report;
        let target = alert.identifier.as_ref().map(|id| id.as_str());
        let happened = happened(alert);
        let title = match target {
            Some(target) => format!("{target}: {happened}"),
            None => happened.to_owned(),
        };
        let undo = alert.undo.iter();
        // What undoes it has a heading of its own.
        let is_said_there = |text: &&String| {
            let undo = alert.undo.as_deref();
            undo.is_some_and(|undo| text.ends_with(undo))
        };
        let to_do = report.what_to_do.iter().filter(|text| !is_said_there(text));
        let sections = [
            (
                "Where the database is now",
                list(alert.databases.iter().map(place)),
            ),
            ("The name was unreachable", list(unreachable(alert))),
            ("What to do", to_do.map(|text| Item::of(text)).collect()),
            ("To undo it", undo.map(|text| Item::of(text)).collect()),
            ("What has changed", list(report.changed.iter().cloned())),
            ("Left over", list(report.left_over.iter().cloned())),
            ("Warnings", list(report.warnings.iter().cloned())),
        ];
        let sections = sections
            .into_iter()
            .map(|(title, items)| Section { title, items });
        Self {
            title,
            tone: tone(alert.kind),
            headline: report.headline.clone(),
            sections: sections
                .filter(|section| !section.items.is_empty())
                .collect(),
            footer: match alert.task {
                Some(task) => format!(
                    "{} ({}), {:.0}",
                    alert.execution_id,
                    task.as_str(),
                    alert.at
                ),
                None => format!("{}, {:.0}", alert.execution_id, alert.at),
            },
            alert: alert.clone(),
        }
    }

    /// What tells this alert from every other one, and a repetition of it from a new one.
    pub(crate) fn id(&self) -> String {
        format!("{}.{}", self.alert.execution_id, self.alert.kind)
    }
}

fn happened(alert: &Alert) -> &'static str {
    match (alert.kind, alert.task) {
        (AlertKind::Succeeded, Some(Task::Rollback)) => "swapped back",
        (AlertKind::Succeeded, Some(Task::CreateSnapshotOnly)) => "the snapshot is made",
        (AlertKind::Succeeded, _) => "restored",
        (AlertKind::LeftOver, Some(Task::Rollback)) => "swapped back, something is left over",
        (AlertKind::LeftOver, Some(Task::CreateSnapshotOnly)) => {
            "the snapshot is made, something is left over"
        }
        (AlertKind::LeftOver, _) => "restored, something is left over",
        (AlertKind::Failed, _) => "failed and rolled back",
        (AlertKind::Refused, _) => "refused, nothing has changed",
        (AlertKind::RollbackFailed, _) => "NEEDS A PERSON: the roll-back failed",
        (AlertKind::LongRunning, _) => "takes longer than expected",
        (AlertKind::Test, _) => "this is a test",
    }
}

fn tone(kind: AlertKind) -> Tone {
    match kind {
        AlertKind::Succeeded | AlertKind::Test => Tone::Good,
        AlertKind::LeftOver | AlertKind::LongRunning | AlertKind::Refused => Tone::Attention,
        AlertKind::Failed => Tone::Bad,
        AlertKind::RollbackFailed => Tone::Urgent,
    }
}

fn list(texts: impl Iterator<Item = String>) -> Vec<Item> {
    texts.map(Item::Text).collect()
}

fn place(database: &Whereabouts) -> String {
    let Whereabouts {
        identifier,
        resource_id,
        endpoint,
        what,
    } = database;
    let id = resource_id.as_ref().map(|id| format!(" ({id})"));
    let at = endpoint
        .as_ref()
        .map(|endpoint| format!(" at {}:{}", endpoint.address, endpoint.port));
    let [id, at] = [id, at].map(Option::unwrap_or_default);
    format!("{identifier}{id}{at}: {what}")
}

fn unreachable(alert: &Alert) -> impl Iterator<Item = String> {
    let said = match (alert.kind, alert.report.outage_seconds) {
        (AlertKind::LongRunning | AlertKind::Test | AlertKind::Refused, _) => None,
        (_, Some(seconds)) if seconds > 0.0 => Some(format!("for {seconds:.1} s")),
        (_, Some(_)) => Some("never".to_owned()),
        (_, None) => Some("still, or it is not known".to_owned()),
    };
    said.into_iter()
}
