//! The sink from outside, against collectors and stores that do what real ones can't be made to do on demand.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod double;
#[cfg(test)]
mod names;
#[cfg(test)]
mod secure;
#[cfg(test)]
mod store;
