//! What a store may be unable to do, by name: engines that others run can't answer every question.
//!
//! Promises: what a reader does not list, it answers exactly, or says what it could not read; a question of a listed
//! kind is refused with an error that has the capability's words, never answered otherwise. Of [`Capability::Keys`]
//! the answer is that not all are known.

use std::fmt;

/// Something that a store may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Lists of spans by their own order.
    SpanSearch,
    /// The operations and attribute keys that there are.
    Keys,
    /// The values of an attribute key.
    Values,
    /// Spans counted over time.
    Rates,
    /// The number of spans that match.
    Counts,
    /// All that matches from afar.
    Overview,
    /// Searches by how spans of a trace stand to one another.
    Structure,
    /// Calls between services, over time.
    Dependencies,
    /// Telling tenants apart.
    Tenants,
}

impl Capability {
    /// The words with which a question for it is refused.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SpanSearch => "list spans by their own order",
            Self::Keys => "list attribute keys",
            Self::Values => "list the values of an attribute",
            Self::Rates => "count spans over time",
            Self::Counts => "count spans",
            Self::Overview => "show all that matches",
            Self::Structure => "search by structure",
            Self::Dependencies => "count calls between services",
            Self::Tenants => "tell tenants apart",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
