//! The control plane from outside, with simulated servers and in tokio's paused time.

mod api;
mod attachments;
mod cluster_recovery;
mod clusters;
mod custom_endpoints;
mod engines;
mod multi_az_clusters;
mod parameters;
mod point_in_time;
mod proxies;
mod recovery;
mod replicas;
mod support;
mod topology;
