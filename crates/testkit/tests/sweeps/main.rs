//! What can happen to a restore, tried at every place at which it can happen: for every kind of
//! database, both strategies and every path, the good one, those that fail, and the swap back.
//!
//! Method: a path is run once, and a picture of the world and the journal is taken at every moment
//! at which either is another than before; each sweep goes on from each picture in its own way.
//! What it has visited is counted, and the counts are goldens: a sweep that silently visits less
//! fails.
//!
//! `SWEEPS=full` tries what a usual run leaves out; where one leaves something out, its file says
//! which.

mod combinations;
mod errors;
mod kills;
mod meddling;
mod repeats;
mod stage;
mod stops;
