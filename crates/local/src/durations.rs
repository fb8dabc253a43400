//! How long operations take.
