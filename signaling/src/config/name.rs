//! Names that people read: of meetings and sites. Two that look alike are one name, and everything in a name is
//! visible.

use std::ops::RangeInclusive;
use unicode_normalization::UnicodeNormalization;

/// Names of meetings, as on an invitation, have up to some 180 characters. Pages shorten what does not fit; more than
/// this is no name.
const MAX_CHARS: usize = 200;

/// Characters without a glyph of their own: Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, annotations,
/// and blanks that are letters or symbols by their class. They change the direction of the writing, or make two names
/// of what looks like one. A name reads the same without them, also where they mark the places at which a line may
/// break, as in Khmer.
const UNSEEN: [RangeInclusive<char>; 19] = [
    '\u{ad}'..='\u{ad}',       // soft hyphen
    '\u{34f}'..='\u{34f}',     // grapheme joiner
    '\u{61c}'..='\u{61c}',     // Arabic letter mark
    '\u{115f}'..='\u{1160}',   // Hangul fillers
    '\u{17b4}'..='\u{17b5}',   // inherent vowels of Khmer
    '\u{180b}'..='\u{180f}',   // selectors and the vowel separator of Mongolian
    '\u{200b}'..='\u{200f}',   // zero width space to right-to-left mark
    '\u{202a}'..='\u{202e}',   // embeddings and overrides of direction
    '\u{2060}'..='\u{206f}',   // word joiner to the isolates of direction
    '\u{2800}'..='\u{2800}',   // Braille without dots
    '\u{3164}'..='\u{3164}',   // Hangul filler
    '\u{fe00}'..='\u{fe0f}',   // variation selectors
    '\u{feff}'..='\u{feff}',   // byte order mark
    '\u{ffa0}'..='\u{ffa0}',   // Hangul filler, halfwidth
    '\u{fff0}'..='\u{fffc}',   // annotations, and what stands for an object
    '\u{1bca0}'..='\u{1bca3}', // format of shorthand
    '\u{1d159}'..='\u{1d159}', // note without a head
    '\u{1d173}'..='\u{1d17a}', // format of music
    '\u{e0000}'..='\u{e0fff}', // tags
];

/// The one spelling of a name. Macs and some keyboards write "Bình Sơn" decomposed (NFD), and what is pasted
/// from a document has blanks of all widths: the same name must be the same site.
pub fn spelling(name: &str) -> String {
    let is_blank = |c: char| c.is_whitespace() && !c.is_control();
    let words = name.trim().split(is_blank).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").nfc().collect()
}

/// What is wrong with a name, as a sentence that names it by `what` it is of.
pub fn fault(what: &str, name: &str) -> Option<String> {
    let shown = shown(name);
    if name.chars().count() > MAX_CHARS {
        return Some(format!("tên {what} \"{shown}\" phải có 1 đến {MAX_CHARS} ký tự"));
    }
    if let Some(unseen) = name.chars().find(|c| is_unseen(*c)) {
        let code = u32::from(unseen);
        return Some(format!(
            "tên {what} \"{shown}\" có ký tự không nhìn thấy được (U+{code:04X}); hãy xóa tên và gõ lại"
        ));
    }
    if !name.chars().any(char::is_alphanumeric) {
        return Some(format!("tên {what} \"{shown}\" phải có ít nhất một chữ cái hoặc chữ số"));
    }
    None
}

/// For a sentence about it.
fn shown(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match is_unseen(c) {
            true => text.extend(c.escape_unicode()),
            false => text.push(c),
        }
    }
    text
}

fn is_unseen(c: char) -> bool {
    c.is_control() || UNSEEN.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_one_name() {
        for (written, name) in [
            ("\u{a0}Huye\u{323}\u{302}n ", "Huyện"),
            ("Bi\u{300}nh  So\u{31b}n", "Bình Sơn"),
            ("An\u{2003}Phước\u{3000}", "An Phước"),
            ("An\u{2028}Phước", "An Phước"),
            (" \u{a0} ", ""),
        ] {
            assert_eq!(spelling(written), name, "{written:?}");
        }
    }

    #[test]
    fn invisible_characters_are_named_by_their_number_and_not_printed() {
        let bidi =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        let widthless =
            "\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{180e}\u{fe0f}\u{e0041}\u{3164}\u{2800}";
        let controls = "\0\u{7}\t\n\r\u{1b}\u{7f}\u{80}\u{85}\u{9f}";
        for c in [bidi, widthless, controls].concat().chars() {
            let name = format!("An{c}Phước");
            assert_eq!(spelling(&name), name, "{c:?} is not taken out silently");
            let sentence = fault("điểm cầu", &name).unwrap_or_else(|| panic!("{c:?} is taken"));
            assert!(sentence.contains(&format!("U+{:04X}", u32::from(c))), "{sentence}");
            assert!(!sentence.contains(c), "{sentence:?}");
        }
    }

    #[test]
    fn a_name_has_a_letter_or_a_number() {
        for name in ["", "-", "…", "—·—", "\u{301}"] {
            let sentence = fault("cuộc họp", name).unwrap_or_else(|| panic!("{name:?} is taken"));
            assert!(sentence.contains("chữ cái"), "{sentence}");
        }
    }

    #[test]
    fn names_of_people_and_places_are_names() {
        for name in [
            "Huyện Long Thành",
            "Ấp 3, xã Phước Thái (nhà văn hóa)",
            "Đồn Biên phòng \"Cửa khẩu\" – số 2/4",
            "Krông Pắc; Ia H'Drai; Đắk R’lấp",
            "Thị trấn № 5 & 6",
            "ភ្នំពេញ",
            "ວຽງຈັນ",
            "北京",
            "7",
        ] {
            assert_eq!(fault("điểm cầu", name), None);
        }
        assert!(fault("điểm cầu", &"x".repeat(MAX_CHARS)).is_none());
        assert!(fault("điểm cầu", &"x".repeat(MAX_CHARS + 1)).is_some_and(|s| s.contains("200 ký tự")));
    }
}
