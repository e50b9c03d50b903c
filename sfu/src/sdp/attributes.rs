//! Attributes (RFC 8866 section 5.13) by their names.

use rtc_sdp::description::common::Attribute;

pub(super) fn has(attributes: &[Attribute], key: &str) -> bool {
    attributes.iter().any(|attribute| attribute.key == key)
}

pub(super) fn values<'a>(attributes: &'a [Attribute], key: &str) -> impl Iterator<Item = &'a str> {
    let named = attributes.iter().filter(move |attribute| attribute.key == key);
    named.filter_map(|attribute| attribute.value.as_deref())
}
