//! Colours by the escape sequences that every terminal knows.
//!
//! Promises: without colours not one byte more than the text.

/// A colour or weight of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Heavy.
    Bold,
    /// Pale.
    Faint,
    /// For what failed.
    Red,
    /// For what may be wrong.
    Yellow,
    /// One of the colours that tell services apart.
    Service(u8),
}

/// Colours that tell services apart: neither red (errors) nor yellow (warnings), readable on dark and light.
const SERVICE_CODES: [u8; 6] = [36, 35, 34, 32, 96, 95];

/// Puts text into colour, or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    is_coloured: bool,
}

impl Paint {
    /// With colours or without.
    pub(crate) fn new(is_coloured: bool) -> Self {
        Self { is_coloured }
    }

    /// The text in colour.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            _ if !self.is_coloured || text.is_empty() => return text.to_owned(),
            Ink::Bold => 1,
            Ink::Faint => 2,
            Ink::Red => 31,
            Ink::Yellow => 33,
            Ink::Service(number) => {
                let index = usize::from(number) % SERVICE_CODES.len();
                SERVICE_CODES.get(index).copied().unwrap_or(36)
            }
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// The colour of a service: the same name has the same colour in every answer.
    pub(crate) fn service(name: &str) -> Ink {
        // FNV-1a: tiny, and the colours stay the same from one release to the next.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let [first, second, third, fourth] = hash.to_be_bytes();
        Ink::Service(first ^ second ^ third ^ fourth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paints_only_when_asked_to() {
        assert_eq!(Paint::new(false).ink(Ink::Red, "x"), "x");
        assert_eq!(Paint::new(true).ink(Ink::Red, "x"), "\x1b[31mx\x1b[0m");
    }

    #[test]
    fn a_service_keeps_its_colour() {
        assert_eq!(Paint::service("checkout"), Paint::service("checkout"));
    }
}
