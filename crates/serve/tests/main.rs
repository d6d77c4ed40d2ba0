//! The routes from outside: what a recorded Jaeger answered, and what holds for servers.

mod admin;
mod golden;
mod limits;
mod listen;
mod world;
