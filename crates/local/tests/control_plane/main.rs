//! The control plane from outside, with simulated servers and in tokio's paused time.

mod api;
mod attachments;
mod clusters;
mod engines;
mod parameters;
mod proxies;
mod recovery;
mod replicas;
mod support;
mod topology;
