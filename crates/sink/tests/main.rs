//! The sink from outside.
