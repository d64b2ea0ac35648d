//! The file as it is written. Nothing is checked here but names and types, which the parser tells with their line.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::{Spanned, Table};

/// A text and where it stands.
pub(crate) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) name: Option<Text>,
    pub(crate) version: Option<Text>,
    /// Before each request, unless its step says otherwise.
    pub(crate) pause: Option<Text>,
    /// A row of each for every session.
    #[serde(default)]
    pub(crate) feeds: Vec<Text>,
    /// Headers of every request.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Text>,
    #[serde(default)]
    pub(crate) vars: Table,
    #[serde(default)]
    pub(crate) step: Vec<Spanned<Step>>,
}

/// A request, some steps, a choice of them, or only a pause.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) get: Option<Text>,
    pub(crate) head: Option<Text>,
    pub(crate) post: Option<Text>,
    pub(crate) put: Option<Text>,
    pub(crate) patch: Option<Text>,
    pub(crate) delete: Option<Text>,
    pub(crate) options: Option<Text>,
    pub(crate) category: Option<Text>,
    pub(crate) target: Option<Text>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Text>,
    pub(crate) json: Option<Spanned<toml::Value>>,
    pub(crate) form: Option<BTreeMap<String, Text>>,
    pub(crate) body: Option<Text>,
    pub(crate) expect: Option<Expect>,
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, Text>,
    #[serde(default)]
    pub(crate) check: BTreeMap<String, Text>,
    /// What the request creates, for the cleanup: `user:${user.username}`.
    pub(crate) mark: Option<Text>,
    /// What is gone once the request is answered as expected.
    pub(crate) unmark: Option<Text>,
    pub(crate) when: Option<Text>,
    pub(crate) repeat: Option<u32>,
    /// Its name: the step, with all in it, is one.
    pub(crate) transaction: Option<Text>,
    pub(crate) pause: Option<Text>,
    #[serde(default)]
    pub(crate) step: Vec<Spanned<Step>>,
    #[serde(default)]
    pub(crate) choose: Vec<Spanned<Choice>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    #[serde(default = "one")]
    pub(crate) weight: f64,
    pub(crate) when: Option<Text>,
    pub(crate) step: Vec<Spanned<Step>>,
}

fn one() -> f64 {
    1.0
}

/// Which statuses a journey goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    /// `any`
    Any,
    These(Vec<u16>),
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expect, D::Error> {
        struct Statuses;

        impl<'de> Visitor<'de> for Statuses {
            type Value = Expect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status as in expect = 200, a list of them, or \"any\"")
            }

            fn visit_i64<E: de::Error>(self, status: i64) -> Result<Expect, E> {
                let fits = u16::try_from(status).ok();
                let fits = fits.filter(|status| (100..600).contains(status));
                let status =
                    fits.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(status), &self))?;
                Ok(Expect::These(vec![status]))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Expect, E> {
                match text {
                    "any" => Ok(Expect::Any),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Expect, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element::<Expect>()? {
                    match one {
                        Expect::These(statuses) => all.extend(statuses),
                        Expect::Any => return Ok(Expect::Any),
                    }
                }
                Ok(Expect::These(all))
            }
        }

        deserializer.deserialize_any(Statuses)
    }
}

/// Reads the file.
pub(crate) fn read(text: &str) -> Result<Document, String> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        let what = error.message().replace('\n', " ");
        told(text, place, &what)
    })
}

/// A mistake with the number of its line, and the line.
pub(crate) fn told(text: &str, place: usize, what: &str) -> String {
    let before = text.get(..place).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    format!("line {number}: {what}: {line}")
}
