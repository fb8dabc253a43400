//! Every kind of thing that can be wrong with a definition, one variant each.

/// What is wrong with the place that a [`Finding`](super::Finding) names.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not JSON.
    #[error("not JSON: {reason}")]
    NotJson {
        /// Where and why, in the JSON parser's words.
        reason: String,
    },
    /// An object has two members of one name; one would be lost.
    #[error("the field stands here twice")]
    DuplicateField,
    /// A value of another type is expected.
    #[error("{expected} is expected")]
    WrongType {
        /// What is expected, with its article.
        expected: &'static str,
    },
    /// A field is needed.
    #[error("the field {name} is missing")]
    MissingField {
        /// The field that is needed.
        name: &'static str,
    },
    /// The language has no such field here.
    #[error("the field is unknown here")]
    UnknownField,
    /// The language has such a field, this interpreter doesn't.
    #[error("the field is not supported: {reason}")]
    UnsupportedField {
        /// Why not, or what to use.
        reason: &'static str,
    },
    /// A value that the language has but this interpreter doesn't, or that nobody has.
    #[error("{found} is not supported; supported: {supported}")]
    UnsupportedValue {
        /// What stands there.
        found: String,
        /// What may stand there.
        supported: &'static str,
    },
    /// Exactly one of several fields must be there.
    #[error("exactly one of {names} is needed, not {count}")]
    NotExactlyOne {
        /// The fields in question.
        names: &'static str,
        /// How many of them are there.
        count: usize,
    },
    /// A list or object that must have something in it has nothing.
    #[error("it must not be empty")]
    Empty,
    /// A number beyond its limits.
    #[error("{found} is not between {minimum} and {maximum}")]
    OutOfRange {
        /// What stands there.
        found: String,
        /// The least that may stand there.
        minimum: u64,
        /// The most that may stand there.
        maximum: u64,
    },
    /// A number that is too small; there is no upper limit.
    #[error("{found} is less than {minimum}")]
    TooSmall {
        /// What stands there.
        found: String,
        /// The least that may stand there.
        minimum: u64,
    },
    /// A path that cannot be read, or that is not a reference path.
    #[error("'{path}' is not a reference path: {reason}")]
    BadPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A path into the context object that leads to nothing there.
    #[error("the context object has no '{path}'")]
    UnknownContextField {
        /// The path.
        path: String,
    },
    /// A call of an intrinsic function that cannot be read, or isn't supported.
    #[error("'{call}' cannot be called: {reason}")]
    BadIntrinsic {
        /// The call.
        call: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a time as the language writes it.
    #[error("'{found}' is not a timestamp such as 2016-03-14T01:59:00Z")]
    BadTimestamp {
        /// What stands there.
        found: String,
    },
    /// A transition to a state that isn't there.
    #[error("there is no state '{name}' here")]
    NoSuchState {
        /// The state that is meant.
        name: String,
    },
    /// No transition leads to a state.
    #[error("no transition leads to this state")]
    UnreachableState,
    /// From a state no end can be reached.
    #[error("from this state no end can be reached")]
    EndlessState,
    /// Two states of one machine have one name.
    #[error("another state of the machine has the same name")]
    DuplicateState,
    /// A name that is longer than a state's may be.
    #[error("the name is longer than {maximum} characters")]
    NameTooLong {
        /// How long it may be, in characters.
        maximum: usize,
    },
    /// `States.ALL` with other names.
    #[error("States.ALL must stand alone")]
    StatesAllNotAlone,
    /// `States.ALL` before other Retriers or Catchers.
    #[error("States.ALL must stand in the last element")]
    StatesAllNotLast,
    /// A name that begins with `States.` but is none of the language's.
    #[error("'{name}' begins with States. but is not one of the language's errors")]
    UnknownErrorName {
        /// The name.
        name: String,
    },
    /// An error that no Retrier or Catcher ever matches.
    #[error("'{name}' always ends the execution; it can be neither retried nor caught")]
    UncatchableError {
        /// The name.
        name: String,
    },
}
