//! The types that a setting's value can have: how its text is read, and how the value is shown again. Used by the
//! declarations in `settings/` and by the files that have types of their own (addresses, conditions, mixes, profiles).
//!
//! What must stay true: what a type shows, it reads back as the same value, so that a printed plan can be replayed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use vespeiro_model::Word;

use crate::errors::ValueError;
use crate::units::{DefaultUnit, parse_duration, parse_size, show_duration, show_size};

/// How a setting behaves on the command line and in print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    Value,
    /// True or false: `--key`, `--no-key`.
    Switch,
    /// Several values, separated by `;`: the flag may be repeated.
    List,
    /// Never printed.
    Secret,
    /// Several that are never printed, one a line: the flag may be repeated.
    SecretList,
}

impl SettingKind {
    /// Its values are never printed.
    pub fn is_secret(self) -> bool {
        matches!(self, SettingKind::Secret | SettingKind::SecretList)
    }

    /// What stands between several values in one text.
    pub fn separator(self) -> &'static str {
        match self {
            SettingKind::SecretList => "\n",
            _ => "; ",
        }
    }
}

type Parse<T> = dyn Fn(&str) -> Result<T, ValueError>;

/// How the text of one setting becomes a value, and back.
pub(crate) struct ValueType<T> {
    /// Stands for the value in help texts.
    pub(crate) value_name: &'static str,
    pub(crate) kind: SettingKind,
    /// The only texts that it reads; empty where there are others.
    pub(crate) words: Vec<&'static str>,
    pub(crate) parse: Box<Parse<T>>,
    pub(crate) show: Box<dyn Fn(&T) -> String>,
}

impl<T: 'static> ValueType<T> {
    pub(crate) fn new(
        value_name: &'static str,
        parse: impl Fn(&str) -> Result<T, ValueError> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> ValueType<T> {
        ValueType {
            value_name,
            kind: SettingKind::Value,
            words: Vec::new(),
            parse: Box::new(parse),
            show: Box::new(show),
        }
    }

    pub(crate) fn of_kind(self, kind: SettingKind) -> ValueType<T> {
        ValueType { kind, ..self }
    }

    /// The same, but `none` stands for no value.
    pub(crate) fn or_none(self) -> ValueType<Option<T>> {
        self.or_word("none")
    }

    /// The same, but this word stands for no value.
    pub(crate) fn or_word(self, word: &'static str) -> ValueType<Option<T>> {
        let (parse, show, mut words) = (self.parse, self.show, self.words);
        if !words.is_empty() {
            words.push(word);
        }
        let read = move |text: &str| match text == word {
            true => Ok(None),
            false => parse(text).map(Some),
        };
        let show = move |value: &Option<T>| value.as_ref().map_or_else(|| word.to_owned(), &show);
        ValueType {
            words,
            ..ValueType::new(self.value_name, read, show).of_kind(self.kind)
        }
    }

    /// Several of them, cut out of a text by `split` and shown with `joint` between them; `none` for none.
    pub(crate) fn list(
        self,
        split: fn(&str) -> Vec<&str>,
        joint: &'static str,
        most: usize,
    ) -> ValueType<Vec<T>> {
        let (parse, show) = (self.parse, self.show);
        let read = move |text: &str| {
            if text.trim() == "none" {
                return Ok(Vec::new());
            }
            let parts = split(text);
            if parts.len() > most {
                let problem = format!("{} entries are too many", parts.len());
                return Err(ValueError::new(problem, format!("give at most {most}")));
            }
            parts.into_iter().map(&parse).collect()
        };
        let show = move |list: &Vec<T>| match list.is_empty() {
            true => "none".to_owned(),
            false => list.iter().map(&show).collect::<Vec<_>>().join(joint),
        };
        ValueType::new(self.value_name, read, show)
    }
}

/// A value that has to lie in a range, whose ends `show` writes.
fn within<T: PartialOrd>(
    value: T,
    range: &RangeInclusive<T>,
    show: impl Fn(&T) -> String,
) -> Result<T, ValueError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (start, end) = (show(range.start()), show(range.end()));
    let problem = format!("{} is out of range", show(&value));
    Err(ValueError::new(problem, format!("give {start} to {end}")))
}

/// A whole number in a range.
pub(crate) fn count<T>(range: RangeInclusive<T>) -> ValueType<T>
where
    T: TryFrom<u128> + PartialOrd + Display + Copy + 'static,
{
    let read = move |text: &str| {
        let fix = format!("give {} to {}", range.start(), range.end());
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ValueError::new(format!("{text:?} is no whole number"), fix));
        }
        let number = text
            .parse::<u128>()
            .ok()
            .and_then(|number| T::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        number.ok_or_else(|| ValueError::new(format!("{text} is out of range"), fix))
    };
    ValueType::new("N", read, T::to_string)
}

/// A duration in a range.
pub(crate) fn duration(bare: DefaultUnit, range: RangeInclusive<Duration>) -> ValueType<Duration> {
    let show = |duration: &Duration| show_duration(*duration);
    let read = move |text: &str| within(parse_duration(text, bare)?, &range, show);
    ValueType::new("TIME", read, show)
}

/// A number of bytes in a range.
pub(crate) fn size(range: RangeInclusive<u64>) -> ValueType<usize> {
    let read = move |text: &str| {
        let bytes = within(parse_size(text)?, &range, |bytes| show_size(*bytes))?;
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    ValueType::new("SIZE", read, |bytes| show_size(*bytes as u64))
}

/// On or off: a flag that needs no value.
pub(crate) fn switch() -> ValueType<bool> {
    let read = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(ValueError::new(
            format!("{text:?} is neither true nor false"),
            "use true or false",
        )),
    };
    ValueType::new("BOOL", read, bool::to_string).of_kind(SettingKind::Switch)
}

/// `on` or `off`: a flag that does need a value.
pub(crate) fn on_off() -> ValueType<bool> {
    choice_of("WHEN", &[("on", true), ("off", false)])
}

/// One of the words of an enum.
pub(crate) fn choice<T: Word>(value_name: &'static str) -> ValueType<T> {
    choice_of(value_name, T::TABLE)
}

fn choice_of<T: Copy + PartialEq>(
    value_name: &'static str,
    choices: &'static [(&'static str, T)],
) -> ValueType<T> {
    let read = move |text: &str| {
        let found = choices
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let fix = format!("use one of {}", words.join(", "));
            ValueError::new(format!("{text:?} is not among the choices"), fix)
        })
    };
    let show = move |value: &T| {
        let found = choices.iter().find(|(_, known)| known == value);
        found.map_or("", |(word, _)| *word).to_owned()
    };
    ValueType {
        words: choices.iter().map(|(word, _)| *word).collect(),
        ..ValueType::new(value_name, read, show)
    }
}

/// A text of one line that is not empty.
pub(crate) fn text(value_name: &'static str) -> ValueType<String> {
    ValueType::new(value_name, one_line_of_text, String::clone)
}

fn one_line_of_text(text: &str) -> Result<String, ValueError> {
    if text.trim().is_empty() || text.contains(char::is_control) {
        let problem = "the text is empty or contains control characters";
        return Err(ValueError::new(problem, "give a text of one line"));
    }
    Ok(text.to_owned())
}

/// A text that is never printed.
pub(crate) fn secret() -> ValueType<String> {
    text("SECRET").of_kind(SettingKind::Secret)
}

/// 8 lower-case letters and digits.
pub(crate) fn run_id() -> ValueType<String> {
    let read = |text: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if text.len() == 8 && text.bytes().all(plain) {
            return Ok(text.to_owned());
        }
        Err(ValueError::new(
            format!("{text:?} is no run id"),
            "give 8 lower-case letters and digits, or leave it out",
        ))
    };
    ValueType::new("ID", read, String::clone)
}

/// A file's path, as the process sees it.
pub(crate) fn path() -> ValueType<PathBuf> {
    let read = |text: &str| one_line_of_text(text).map(PathBuf::from);
    ValueType::new("FILE", read, |path| path.display().to_string())
}

/// The path of a file that ends in one of these extensions.
pub(crate) fn path_with(extensions: &'static [&'static str]) -> ValueType<PathBuf> {
    let read = move |text: &str| {
        let path = PathBuf::from(one_line_of_text(text)?);
        let extension = path.extension().unwrap_or_default();
        if extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
        {
            return Ok(path);
        }
        let problem = format!("the extension of {text:?} names no format");
        let fix = format!("name a file that ends in {}", endings(extensions));
        Err(ValueError::new(problem, fix))
    };
    ValueType::new("FILE", read, |path| path.display().to_string())
}

/// Extensions as messages have them: `.csv or .jsonl`.
pub(crate) fn endings(extensions: &[&str]) -> String {
    let all: Vec<String> = extensions.iter().map(|one| format!(".{one}")).collect();
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => all.concat(),
    }
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
                (form.parse)(text).unwrap_err().fix,
                "give 1 to 4294967295",
                "{text}"
            );
        }
    }

    #[test]
    fn none_is_a_value_where_a_setting_may_be_absent() {
        let form = duration(
            DefaultUnit::Seconds,
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
