//! Header values as text, and text as header values. Used for answers and for requests of both protocols.
//!
//! What must stay true: the bytes of a value that is not UTF-8 survive the way to a behavior and back.

/// A header's value as text: UTF-8 as it is; otherwise each byte is the character of its number, U+0000 to U+00FF, which
/// is what Latin-1 means.
pub fn text_of(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

/// The way back: text without a character beyond U+00FF is written as Latin-1, other text as UTF-8.
pub fn write_value(text: &str, into: &mut Vec<u8>) {
    if text.is_ascii() {
        into.extend_from_slice(text.as_bytes());
        return;
    }
    let start = into.len();
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(byte) => into.push(byte),
            Err(_) => {
                into.truncate(start);
                into.extend_from_slice(text.as_bytes());
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_value(text, &mut bytes);
        bytes
    }

    #[test]
    fn latin_1_is_read_and_written() {
        assert_eq!(text_of(b"J\xfcrgen"), "J\u{fc}rgen");
        assert_eq!(back("J\u{fc}rgen"), b"J\xfcrgen");
        assert_eq!(text_of("5 \u{20ac}".as_bytes()), "5 \u{20ac}");
        assert_eq!(back("5 \u{20ac}"), "5 \u{20ac}".as_bytes());
    }

    proptest! {
        #[test]
        fn bytes_that_are_not_utf_8_survive(value: Vec<u8>) {
            prop_assume!(std::str::from_utf8(&value).is_err());
            prop_assert_eq!(back(&text_of(&value)), value);
        }

        #[test]
        fn ascii_and_text_beyond_latin_1_survive(text in "[ -~]{0,20}[ -~\u{100}-\u{ffff}]?") {
            prop_assert_eq!(text_of(&back(&text)), text);
        }
    }
}
