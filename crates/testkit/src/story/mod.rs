//! Stories: one seed says what there is, what is asked of the product, what goes wrong and who
//! interferes; the story is told in virtual time, and the same seed tells it again, word for word.

mod disk;
mod life;
mod line;
mod many;
mod order;
mod person;
mod process;
mod random;
mod setting;
mod tally;
mod tell;
mod trace;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use trapheus_local::{Chaos, ChaosKind};

pub use life::Death;
pub use many::{Report, read_out, replay, tell_all};
pub use order::{Data, Order, Stop, Then};
pub use person::Act;
pub use random::Random;
pub use setting::{Setting, TargetKind};
pub use tally::Counts;
pub use tell::{Ending, tell};
pub use trace::Trace;

/// Long enough on AWS for everything that a story is about, but for what is kept for hours.
const LASTS: Duration = Duration::from_secs(90 * 60);

/// What the `User-Agent` of the product begins with.
const PRODUCT: &str = "trapheus";

/// Everything that a seed decides; what is drawn while the story is told comes from the seed too.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The seed.
    pub seed: u64,
    /// What there is.
    pub setting: Setting,
    /// What is asked of the product.
    pub orders: Vec<Order>,
    /// How processes die, in the order of their beginnings; those after the last one don't.
    pub deaths: Vec<Option<Death>>,
    /// What goes wrong in RDS.
    pub chaos: Option<Chaos>,
    /// What else happens.
    pub incidents: Vec<Incident>,
    /// How often the client writes.
    pub writes_every: Duration,
}

/// Something that happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub when: When,
    /// What.
    pub what: What,
}

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Once an execution is in this state; at the beginning of the story when there is none.
    pub state: Option<&'static str>,
    /// And so much later.
    pub after: Duration,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A person does something; the number says to what.
    Person(Act, u64),
    /// The wall clock is set.
    Clock(SignedDuration),
    /// The disk of the home is full for a while.
    DiskFull(Duration),
    /// Another process wants to resume whatever has not ended.
    Intruder,
}

/// The states that something can be timed by.
const STATES: [&str; 12] = [
    "Plan",
    "Snapshot",
    "MoveAsideFirst",
    "Restore",
    "Configure",
    "Prepare",
    "Verify",
    "MoveAside",
    "Promote",
    "KeepOriginal",
    "Retire",
    "RollBack",
];

impl Story {
    /// The story of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let setting = Setting::random(&mut random.fork());
        let lasts = setting.paced(LASTS);
        let mut orders = random.fork();
        let count = 1 + orders.below(6).saturating_sub(3);
        let mut deaths = random.fork();
        let mut incidents = random.fork();
        let mut chaos = random.fork();
        Self {
            seed,
            orders: (0..count)
                .map(|_| Order::random(&mut orders, &setting, lasts))
                .collect(),
            deaths: (0..deaths.below(5))
                .map(|_| deaths.chance(80).then(|| Death::random(&mut deaths, lasts)))
                .collect(),
            incidents: (0..incidents.below(4))
                .map(|_| Incident::random(&mut incidents, lasts))
                .collect(),
            chaos: chaos.chance(75).then(|| trouble(&mut chaos)),
            writes_every: setting.paced(Duration::from_secs(60)),
            setting,
        }
    }

    /// Whether a person interferes.
    pub fn has_person(&self) -> bool {
        let is_person = |incident: &Incident| matches!(incident.what, What::Person(..));
        self.incidents.iter().any(is_person)
    }
}

/// Some kinds of faults, some of them often, and not for ever: afterwards everything must end well,
/// or with an honest failure.
fn trouble(random: &mut Random) -> Chaos {
    let mut rates = BTreeMap::new();
    for kind in ChaosKind::ALL {
        if random.chance(60) {
            rates.insert(kind, random.size(150) as u32);
        }
    }
    Chaos {
        seed: random.number(),
        rates,
        budget: random.size(60),
        until: None,
        agent: Some(PRODUCT.to_owned()),
    }
}

impl When {
    fn random(random: &mut Random, within: Duration) -> Self {
        let state = random.chance(60).then(|| random.pick(&STATES));
        let after = match state {
            Some(_) => random.within(within / 10),
            None => random.within(within),
        };
        Self { state, after }
    }
}

impl Incident {
    fn random(random: &mut Random, within: Duration) -> Self {
        let what = match random.below(8) {
            0 => {
                let seconds = random.size(48 * 3600) as i64;
                let by = SignedDuration::from_secs(seconds);
                What::Clock(if random.chance(50) { by } else { -by })
            }
            1 => What::DiskFull(random.within(Duration::from_secs(3600))),
            2 | 3 => What::Intruder,
            _ => What::Person(random.pick(&Act::ALL), random.number()),
        };
        Self {
            when: When::random(random, within),
            what,
        }
    }
}

/// What the seed decided, one thing a line.
impl fmt::Display for Story {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting {
            kind,
            engine,
            parts,
            custom_endpoints,
            ..
        } = &self.setting;
        writeln!(
            formatter,
            "story {}: {kind}, {engine}, with {parts} readers and {custom_endpoints} custom endpoints",
            self.seed
        )?;
        writeln!(formatter, "  {:?}", self.setting)?;
        for order in &self.orders {
            writeln!(formatter, "  {order:?}")?;
        }
        for (number, death) in (1..).zip(&self.deaths) {
            if let Some(death) = death {
                writeln!(formatter, "  process {number} dies {death:?}")?;
            }
        }
        if let Some(Chaos { rates, budget, .. }) = &self.chaos {
            writeln!(
                formatter,
                "  at most {budget} faults of RDS, per mille: {rates:?}"
            )?;
        }
        for Incident { when, what } in &self.incidents {
            writeln!(formatter, "  {when:?} {what:?}")?;
        }
        Ok(())
    }
}
