//! The secrets of a plan: `[secrets.NAME]` tables, each of which names an environment variable or a file that has the value.
//! Used by `resolve.rs`; whoever prints, records or keeps something asks [`Secrets::veil`] first.
//!
//! What must stay true: no value is ever shown, in no form that a request may have it in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::bounded;
use crate::errors::{PlanError, ValueError};
use crate::layers::{NamedLayer, NamedLayers, stacked};

pub(crate) const KEYS: [&str; 2] = ["env", "file"];

/// Most secrets of a plan.
const MAX_SECRETS: usize = 64;
/// Shorter ones could not be hidden without hiding what only looks like them.
const SHORTEST: usize = 6;
/// Longest one, in bytes.
const LONGEST: usize = 8 << 10;

/// How deep in texts of JSON a secret is known.
const NESTED: usize = 4;

/// RFC 3986, section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The values that the plan hands to behaviors, and to nobody else.
#[derive(Clone, Default)]
pub struct Secrets {
    by_name: Arc<BTreeMap<String, String>>,
    /// As they may stand in a text, the longest first, with what is shown instead.
    forms: Arc<[(String, String)]>,
    /// There is one of each name.
    made_up: bool,
}

// They are what it must not show.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

impl Secrets {
    pub(crate) fn new(by_name: BTreeMap<String, String>) -> Self {
        let mut forms = Vec::new();
        for (name, value) in &by_name {
            let shown = format!("(secret {name})");
            let escaped = utf8_percent_encode(value, ESCAPED).to_string();
            let inner = |text: &str| text[1..text.len() - 1].to_owned();
            let quoted = inner(&format!("{value:?}"));
            let mut all = vec![value.clone(), escaped.replace("%20", "+"), escaped, quoted];
            // A text of JSON may have a text of JSON in it, and so on.
            let mut json = value.clone();
            for _ in 0..NESTED {
                json = inner(&serde_json::Value::from(json).to_string());
                all.push(json.clone());
            }
            for form in all {
                if forms.iter().all(|(known, _)| *known != form) {
                    forms.push((form, shown.clone()));
                }
            }
        }
        // One may be a part of another.
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        Self {
            by_name: Arc::new(by_name),
            forms: forms.into(),
            made_up: false,
        }
    }

    /// For what is played without a plan: one of each name, and of no worth.
    pub fn made_up() -> Self {
        Self {
            made_up: true,
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty() && !self.made_up
    }

    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let known = self.by_name.get(name).map(|value| value.as_str().into());
        known.or_else(|| self.made_up.then(|| format!("made-up-{name}").into()))
    }

    /// A text as it may be shown.
    pub fn veil<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (form, shown) in self.forms.iter() {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), shown).into();
            }
        }
        text
    }

    /// The same in its place.
    pub fn veil_in(&self, text: &mut String) {
        if let Cow::Owned(veiled) = self.veil(text) {
            *text = veiled;
        }
    }
}

/// Where a secret's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// An environment variable.
    Variable(String),
    /// A file, resolved against the folder of the plan file that names it.
    File(PathBuf),
}

/// Reads the secrets of these tables, lowest first; `env` is the environment. Where there is none, the run is elsewhere, and only
/// the places are told.
pub(crate) fn resolve(
    sources: Vec<NamedLayers>,
    env: Option<&[(String, String)]>,
    errors: &mut Vec<PlanError>,
) -> (Secrets, Vec<SecretPlace>) {
    let named = stacked(sources);
    if let Some((name, over)) = named.iter().nth(MAX_SECRETS) {
        let bad = ValueError::new(
            format!("a plan has at most {MAX_SECRETS} secrets"),
            "leave the others out",
        );
        errors.push(bad.at(format!("secrets.{name}"), &over.origin));
    }
    let (mut values, mut places) = (BTreeMap::new(), Vec::new());
    for (name, layer) in named {
        let read = place(&layer).and_then(|place| {
            if let Some(env) = env {
                values.insert(name.clone(), value(&place, env)?);
            }
            places.push(place);
            Ok(())
        });
        if let Err((key, bad)) = read {
            let at = layer.layer.get(key).map_or(&layer.origin, |(_, at)| at);
            errors.push(bad.at(format!("secrets.{name}.{key}"), at));
        }
    }
    let secrets = match env {
        Some(_) => Secrets::new(values),
        None => Secrets::made_up(),
    };
    (secrets, places)
}

/// What is wrong, and with which key.
type Bad = (&'static str, ValueError);

fn place(NamedLayer { layer, .. }: &NamedLayer) -> Result<SecretPlace, Bad> {
    match (layer.get("env"), layer.get("file")) {
        (Some((variable, _)), None) => Ok(SecretPlace::Variable(variable.clone())),
        (None, Some((file, origin))) => Ok(SecretPlace::File(origin.folder().join(file))),
        _ => {
            let problem = "a secret is in one place";
            let fix = "give env = \"VARIABLE\" or file = \"PATH\"";
            Err(("env", ValueError::new(problem, fix)))
        }
    }
}

fn value(place: &SecretPlace, env: &[(String, String)]) -> Result<String, Bad> {
    let (key, value) = match place {
        SecretPlace::Variable(variable) => {
            let mut known = env.iter();
            let found = known.find(|(name, _)| name == variable);
            let missing = || {
                let problem = format!("the environment has no {variable}");
                ValueError::new(problem, "set it, or name another variable")
            };
            let (_, value) = found.ok_or_else(|| ("env", missing()))?;
            ("env", value.clone())
        }
        SecretPlace::File(path) => {
            let unread = |error| {
                let problem = format!("{} cannot be read: {error}", path.display());
                (
                    "file",
                    ValueError::new(problem, "give a file with it alone"),
                )
            };
            let text = bounded::read_text(path, LONGEST as u64 + 2).map_err(unread)?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            ("file", text.strip_suffix('\r').unwrap_or(text).to_owned())
        }
    };
    if !(SHORTEST..=LONGEST).contains(&value.len()) {
        let problem = format!(
            "a secret has {SHORTEST} to {LONGEST} bytes, and this one has {}",
            value.len()
        );
        let fix = "give another one: a shorter one cannot be hidden wherever it turns up";
        return Err((key, ValueError::new(problem, fix)));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets(pairs: &[(&str, &str)]) -> Secrets {
        let pairs = pairs.iter();
        Secrets::new(
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_secret_is_hidden_in_each_form_that_a_request_has_it_in() {
        let known = secrets(&[("key", "a b&\"c\"/d"), ("longer", "a b&\"c\"/d and more")]);
        assert_eq!(known.get("key").as_deref(), Some("a b&\"c\"/d"));
        assert_eq!(Secrets::made_up().get("x").as_deref(), Some("made-up-x"));
        for (text, shown) in [
            ("Bearer a b&\"c\"/d.", "Bearer (secret key)."),
            ("/x?k=a%20b%26%22c%22%2Fd", "/x?k=(secret key)"),
            ("k=a+b%26%22c%22%2Fd&x", "k=(secret key)&x"),
            ("{\"k\":\"a b&\\\"c\\\"/d\"}", "{\"k\":\"(secret key)\"}"),
            (
                "{\"k\":\"{\\\"k\\\":\\\"a b&\\\\\\\"c\\\\\\\"/d\\\"}\"}",
                "{\"k\":\"{\\\"k\\\":\\\"(secret key)\\\"}\"}",
            ),
            ("it is a b&\"c\"/d and more", "it is (secret longer)"),
            ("nothing of it", "nothing of it"),
        ] {
            assert_eq!(known.veil(text), shown);
        }
        assert_eq!(format!("{known:?}"), "{\"key\", \"longer\"}");
    }

    proptest! {
        #[test]
        fn what_is_veiled_has_no_secret_in_it(value in "\\PC{6,20}", before in "\\PC{0,9}", after in "\\PC{0,9}") {
            let known = secrets(&[("k", &value)]);
            prop_assume!(!"(secret k)".contains(&value));
            let text = format!("{before}{value}{after}");
            let veiled = known.veil(&text);
            prop_assert!(veiled.contains("(secret k)"));
            let rest = veiled.replace("(secret k)", "\u{0}");
            prop_assert!(!rest.contains(&value));
        }
    }
}
