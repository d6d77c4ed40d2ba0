//! The sink from outside, against collectors that do what a real one can't be made to do on demand.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod double;
#[cfg(test)]
mod names;
#[cfg(test)]
mod secure;
