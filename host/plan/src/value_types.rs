//! The forms a setting's value can take: how its text is read, and how the value is shown again. Used by the
//! declarations in `settings/`. What a form shows, it reads back as the same value, so a printed plan can be replayed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::errors::Bad;
use super::layers::Kind;
use super::units::{Bare, parse_duration, parse_size, show_duration, show_size};

type Parse<T> = dyn Fn(&str) -> Result<T, Bad>;

/// How the text of one setting becomes a value, and back.
pub(super) struct ValueType<T> {
    /// Stands for the value in help texts.
    pub(super) value_name: &'static str,
    pub(super) kind: Kind,
    pub(super) parse: Box<Parse<T>>,
    pub(super) show: Box<dyn Fn(&T) -> String>,
}

impl<T: 'static> ValueType<T> {
    pub(super) fn new(
        value_name: &'static str,
        parse: impl Fn(&str) -> Result<T, Bad> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> ValueType<T> {
        ValueType {
            value_name,
            kind: Kind::Value,
            parse: Box::new(parse),
            show: Box::new(show),
        }
    }

    /// The same, but `none` stands for no value.
    pub(super) fn or_none(self) -> ValueType<Option<T>> {
        self.or_word("none")
    }

    /// The same, but this word stands for no value.
    pub(super) fn or_word(self, word: &'static str) -> ValueType<Option<T>> {
        let ValueType {
            value_name,
            kind,
            parse,
            show,
        } = self;
        let form = ValueType::new(
            value_name,
            move |text| {
                if text == word {
                    Ok(None)
                } else {
                    parse(text).map(Some)
                }
            },
            move |value| value.as_ref().map_or_else(|| word.to_owned(), &show),
        );
        ValueType { kind, ..form }
    }
}

/// A whole number within bounds.
pub(super) fn count<T>(range: RangeInclusive<T>) -> ValueType<T>
where
    T: TryFrom<u128> + PartialOrd + Display + Copy + 'static,
{
    ValueType::new(
        "N",
        move |text| {
            let bounds = format!("give {} to {}", range.start(), range.end());
            if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
                return Err(Bad::new(format!("{text:?} is no whole number"), bounds));
            }
            let number = text
                .parse::<u128>()
                .ok()
                .and_then(|number| T::try_from(number).ok());
            number
                .filter(|number| range.contains(number))
                .ok_or_else(|| Bad::new(format!("{text} is out of range"), bounds))
        },
        T::to_string,
    )
}

/// A duration within bounds.
pub(super) fn duration(bare: Bare, range: RangeInclusive<Duration>) -> ValueType<Duration> {
    ValueType::new(
        "TIME",
        move |text| {
            let duration = parse_duration(text, bare)?;
            if range.contains(&duration) {
                return Ok(duration);
            }
            let (start, end) = (show_duration(*range.start()), show_duration(*range.end()));
            Err(Bad::new(
                format!("{} is out of range", show_duration(duration)),
                format!("give {start} to {end}"),
            ))
        },
        |duration| show_duration(*duration),
    )
}

/// A number of bytes within bounds.
pub(super) fn size(range: RangeInclusive<usize>) -> ValueType<usize> {
    ValueType::new(
        "SIZE",
        move |text| {
            let bytes = parse_size(text)?;
            usize::try_from(bytes)
                .ok()
                .filter(|bytes| range.contains(bytes))
                .ok_or_else(|| {
                    let (start, end) = (
                        show_size(*range.start() as u64),
                        show_size(*range.end() as u64),
                    );
                    Bad::new(
                        format!("{} is out of range", show_size(bytes)),
                        format!("give {start} to {end}"),
                    )
                })
        },
        |bytes| show_size(*bytes as u64),
    )
}

/// On or off: a flag that needs no value.
pub(super) fn switch() -> ValueType<bool> {
    let form = ValueType::new(
        "BOOL",
        |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(Bad::new(
                format!("{text:?} is neither true nor false"),
                "use true or false",
            )),
        },
        bool::to_string,
    );
    ValueType {
        kind: Kind::Switch,
        ..form
    }
}

/// The words `on` and `off`, and what a switch takes.
pub(super) fn on_off() -> ValueType<bool> {
    let ValueType { parse, .. } = switch();
    let mended = |bad: Bad| Bad {
        problem: bad.problem.replace("true nor false", "on nor off"),
        mend: "use on or off".into(),
    };
    ValueType::new(
        "on|off",
        move |text| parse(text).map_err(mended),
        |on| if *on { "on" } else { "off" }.to_owned(),
    )
}

/// One of a few words.
pub(super) fn choice<T: Copy + PartialEq + 'static>(
    value_name: &'static str,
    choices: &'static [(&'static str, T)],
) -> ValueType<T> {
    let words = || {
        choices
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(", ")
    };
    ValueType::new(
        value_name,
        move |text| {
            choices
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text))
                .map(|(_, value)| *value)
                .ok_or_else(|| {
                    Bad::new(
                        format!("{text:?} is not among the choices"),
                        format!("use one of {}", words()),
                    )
                })
        },
        // Every value of a choice is in its table.
        move |value| {
            choices
                .iter()
                .find(|(_, v)| v == value)
                .map_or_else(String::new, |(word, _)| (*word).to_owned())
        },
    )
}

/// Any text on one line, but not an empty one.
pub(super) fn text(value_name: &'static str) -> ValueType<String> {
    let parse = |text: &str| {
        if text.trim().is_empty() || text.contains(char::is_control) {
            return Err(Bad::new(
                "the text is empty or holds control characters",
                "give a text of one line",
            ));
        }
        Ok(text.to_owned())
    };
    ValueType::new(value_name, parse, String::clone)
}

/// A text that nobody may see again.
pub(super) fn secret() -> ValueType<String> {
    ValueType {
        kind: Kind::Secret,
        ..text("SECRET")
    }
}

/// 8 lower-case letters and digits.
pub(super) fn run_id() -> ValueType<String> {
    let parse = |text: &str| {
        if text.len() == 8
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        {
            Ok(text.to_owned())
        } else {
            Err(Bad::new(
                format!("{text:?} is no run id"),
                "give 8 lower-case letters and digits, or leave it out",
            ))
        }
    };
    ValueType::new("ID", parse, String::clone)
}

/// A file's path, as the process sees it.
pub(super) fn path() -> ValueType<PathBuf> {
    let ValueType { parse, .. } = text("FILE");
    ValueType::new(
        "FILE",
        move |text| parse(text).map(PathBuf::from),
        |path| path.display().to_string(),
    )
}

/// The path of a file whose ending tells its form; `none` for none.
pub(super) fn timeseries() -> ValueType<Option<PathBuf>> {
    let ValueType { parse, show, .. } = path();
    let parse = move |text: &str| {
        let path = parse(text)?;
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv" | "jsonl") => Ok(path),
            _ => Err(Bad::new(
                format!("the ending of {text:?} tells no form"),
                "name a file that ends in .csv or .jsonl",
            )),
        }
    };
    ValueType::new("FILE", parse, show).or_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_name_their_bounds() {
        let form = count::<u32>(1..=u32::MAX);
        assert_eq!((form.parse)("7"), Ok(7));
        for text in [
            "0",
            "-1",
            "1.5",
            "",
            "abc",
            "4294967296",
            "340282366920938463463374607431768211456",
        ] {
            assert_eq!(
                (form.parse)(text).unwrap_err().mend,
                "give 1 to 4294967295",
                "{text}"
            );
        }
    }

    #[test]
    fn none_is_a_value_where_a_setting_may_be_absent() {
        let form = duration(
            Bare::Seconds,
            Duration::from_secs(1)..=Duration::from_secs(9),
        )
        .or_none();
        assert_eq!((form.parse)("none"), Ok(None));
        assert_eq!((form.show)(&None), "none");
        assert_eq!((form.parse)("2"), Ok(Some(Duration::from_secs(2))));
        assert!((form.parse)("10").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (count::<u32>(1..=9).parse)(&text);
            let _ = (run_id().parse)(&text);
        }
    }
}
