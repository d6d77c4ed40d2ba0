//! Stores of others, played by servers that say what the test tells them.

mod answers;
mod scripted;
mod search;
mod secure;
