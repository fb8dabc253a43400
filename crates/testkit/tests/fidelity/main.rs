//! Every attribute survives a restore, and RDS is asked for nothing else.
//!
//! Method: an original differs from a plain database in everything in which it may, by values that
//! follow from the service model. It is restored, from its own snapshot and from the plain one's,
//! and both answers are compared as they are on the wire, at the paths that the facts of the
//! service name. What can't differ has its reason in the golden, so that nothing is passed over.
//! The requests of such restores are golden, too.

mod cluster_originals;
mod clusters;
mod combinations;
mod facts;
mod fates;
mod instances;
mod kept;
mod originals;
mod requests;
mod values;
