//! What SDKs say about themselves on a span belongs to its resource and is moved there; where the resource says
//! something else, the span keeps it, with a warning.

use super::trace::AdjustableTrace;

const LIBRARY_KEYS: [&str; 5] = [
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "telemetry.distro.name",
    "telemetry.distro.version",
];

pub(super) fn move_to_resource(trace: &mut AdjustableTrace<'_>) {
    for span in &mut trace.spans {
        let Some(resource) = trace.resources.get_mut(span.resource) else {
            continue;
        };
        let warnings = &mut span.warnings;
        span.attributes.retain(|attribute| {
            if !LIBRARY_KEYS.contains(&attribute.key) {
                return true;
            }
            let known = resource
                .attributes
                .iter()
                .find(|known| known.key == attribute.key);
            let is_other = known.is_some_and(|known| !known.value.is_same(&attribute.value));
            if is_other {
                warnings.push(format!(
                    "conflicting values between Span and Resource for attribute {}",
                    attribute.key
                ));
            } else if known.is_none() {
                resource.attributes.push(attribute.clone());
            }
            is_other
        });
    }
}
