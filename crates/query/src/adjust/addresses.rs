//! Addresses that old clients send as numbers become text: `ip` and `peer.ipv4` on spans and resources.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an address is the low 32 bits of the number, as in Jaeger"
)]

use std::net::Ipv4Addr;

use model::batch::AttrValue;

use super::trace::{AdjustableAttribute, AdjustableTrace, AdjustableValue};

pub(super) fn normalise(trace: &mut AdjustableTrace<'_>) {
    for resource in &mut trace.resources {
        resource.attributes.iter_mut().for_each(normalise_one);
    }
    for span in &mut trace.spans {
        span.attributes.iter_mut().for_each(normalise_one);
    }
}

fn normalise_one(attribute: &mut AdjustableAttribute<'_>) {
    if !matches!(attribute.key, "ip" | "peer.ipv4") {
        return;
    }
    let address = match attribute.value.get() {
        AttrValue::Int(number) => number as u32,
        // By way of a whole number of 64 bits: negative doubles wrap around instead of becoming zero.
        AttrValue::Double(number) => number as i64 as u32,
        _ => return,
    };
    attribute.value = AdjustableValue::Made(Ipv4Addr::from_bits(address).to_string());
}
