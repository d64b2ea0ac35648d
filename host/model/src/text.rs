//! Text that somebody else has written, made safe to show: behaviors, plans, targets and files name things. Used by whatever
//! prints or writes such names for people.

use std::borrow::Cow;
use std::fmt::Write as _;

/// It would steer a terminal or an editor, turn the text around it, or break a document.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The text with what is hidden made visible: controls as `?`, all else as `\u{202e}`.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if c.is_control() => shown.push('?'),
            c if is_hidden(c) => {
                // Writing to a text cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_shown() {
        assert_eq!(harmless("/a\x1b[2J\n"), "/a?[2J?");
        assert_eq!(harmless("a\u{202e}b\u{2066}"), "a\\u{202e}b\\u{2066}");
        assert_eq!(
            harmless("\u{fffe}\u{ffff}\u{1ffff}"),
            "\\u{fffe}\\u{ffff}\\u{1ffff}"
        );
        // What stands for half a character is no harm, and neither are letters that go from right to left.
        for plain in ["\u{fffd}", "שלום", "São", "👩‍💻"] {
            assert_eq!(harmless(plain), plain);
        }
    }
}
