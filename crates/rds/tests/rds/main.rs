//! The door from outside: what reaches the server, and what comes of its answers.

mod attributes;
mod calls;
mod clusters;
mod connect;
mod identity;
mod names;
mod poll;
mod requests;
mod rows;
mod server;
mod surroundings;
