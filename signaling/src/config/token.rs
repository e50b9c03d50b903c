//! Whether the secret of a link can be guessed.

/// A key of AES-128, or `openssl rand -hex 16`: too many to try.
const MIN_BITS: f64 = 128.0;
/// Different characters at least. Of 32 random hexadecimal digits fewer are different once in thirty
/// million times; of a row of ones, always.
const MIN_DIFFERENT: usize = 8;
/// The secrets of the documented sample, which are public.
const SAMPLE: &str = "thay-bang-token";
/// It goes into a link, and into a first message, of which a server reads 4 KB.
const MAX_CHARS: usize = 256;
const MAKE_ONE: &str = "tạo token bằng: openssl rand -hex 16";

/// What is wrong with a token, as the end of a sentence.
pub(super) fn fault(token: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if !token.chars().all(plain) {
        return Some(format!("token chỉ gồm chữ không dấu, chữ số và - _ . ~; {MAKE_ONE}"));
    }
    // Programs that make links of text leave such an end out, and so does the page.
    if token.ends_with(['.', '~']) {
        return Some(format!("token không kết thúc bằng . hoặc ~; {MAKE_ONE}"));
    }
    if token.contains(SAMPLE) {
        return Some(format!("token vẫn là token mẫu, ai cũng biết; {MAKE_ONE}"));
    }
    if token.len() > MAX_CHARS {
        return Some(format!("token dài quá {MAX_CHARS} ký tự; {MAKE_ONE}"));
    }
    let bits = token.len() as f64 * alphabet(token).log2();
    if bits < MIN_BITS || different(token) < MIN_DIFFERENT || repeats(token) {
        return Some(format!("token quá ngắn hoặc dễ đoán, cần {MIN_BITS} bit; {MAKE_ONE}"));
    }
    None
}

/// How many characters each place of a random token of this kind could have.
fn alphabet(token: &str) -> f64 {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let upper = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
    if token.bytes().all(|b| b.is_ascii_digit()) {
        return 10.0;
    }
    if token.bytes().all(lower) || token.bytes().all(upper) {
        return 16.0;
    }
    let of = |kind: fn(&u8) -> bool, size: f64| match token.bytes().any(|b| kind(&b)) {
        true => size,
        false => 0.0,
    };
    of(u8::is_ascii_digit, 10.0)
        + of(u8::is_ascii_lowercase, 26.0)
        + of(u8::is_ascii_uppercase, 26.0)
        + of(u8::is_ascii_punctuation, 4.0)
}

fn different(token: &str) -> usize {
    token.bytes().collect::<std::collections::HashSet<_>>().len()
}

/// Whether it is a shorter text written twice or more.
fn repeats(token: &str) -> bool {
    let bytes = token.as_bytes();
    (1..=bytes.len() / 2).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Secret;

    #[test]
    fn what_can_be_guessed_is_refused() {
        let table = [
            ("", "quá ngắn"),
            ("0123456789abcdef", "quá ngắn"),
            ("8f3a1c97d2e05b64a7c8e1f0392b5d6", "quá ngắn"),
            ("3141592653589793238462643383279502884", "quá ngắn"),
            ("Long-Thanh-2026", "quá ngắn"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "dễ đoán"),
            ("0123456789abcdef0123456789abcdef", "dễ đoán"),
            ("thay-bang-token-rieng-0", "token mẫu"),
            ("xin-thay-bang-token-rieng-cua-don-vi-0", "token mẫu"),
            ("8f3a1c97d2e05b64a7c8e1f0392b5d6/#", "chỉ gồm chữ"),
            ("8f3a1c97d2e05b64a7c8e1f0392b5d61.", "không kết thúc bằng"),
            ("điểm-cầu-an-phước-huyện-long-thành", "chỉ gồm chữ"),
            (&format!("{}x", "8f3a1c97d2e05b64".repeat(16)), "dài quá 256 ký tự"),
        ];
        for (token, expected) in table {
            let fault = fault(token).unwrap_or_else(|| panic!("{token} is taken"));
            assert!(fault.contains(expected) && fault.ends_with("openssl rand -hex 16"), "{token}: {fault}");
        }
    }

    #[test]
    fn what_is_random_is_taken_in_every_usual_spelling() {
        for token in [
            "8f3a1c97d2e05b64a7c8e1f0392b5d61",
            "8F3A1C97D2E05B64A7C8E1F0392B5D61",
            "jzocl9LgW2SnyOHwOStdYQ",
            "314159265358979323846264338327950288419",
        ] {
            assert_eq!(fault(token), None, "{token}");
        }
        for _ in 0..1_000 {
            let token = Secret::fresh();
            assert_eq!(fault(token.reveal()), None, "{}", token.reveal());
        }
    }
}
