//! Alerts on their way to people: what each channel is sent, and what comes of receivers that are
//! busy, broken, slow or dead.

mod channels;
mod messages;
mod patience;
mod receiver;
mod settings;
mod support;
