//! What the plan says to an archetype of the user service: its config, read once when a session begins.

use serde::Deserialize;
use vespeiro_guest::{Error, Me, Result, Tokens};

use crate::routes::AUTH;

/// The config of an archetype. Keys that are not here are somebody else's.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The administrator's account, for the archetypes that need one.
    admin: Option<Credentials>,
    /// How many times as long as another pause the one before a form is, 1 to 100.
    pub(crate) form_delay: f64,
    /// How much people differ from each other.
    pub(crate) behavior_config: Spread,
}

/// How much people differ: standard deviations of normal distributions, 0 to 1, each cut off at two of them. At 0 all are
/// alike.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub(crate) struct Spread {
    /// How slow they are in the middle, in deviations of their pauses: -1 to 1. `None`: as the archetype is.
    pub(crate) slower: Option<f64>,
    /// Of how slow somebody is, in deviations of their pauses.
    pub(crate) pace: f64,
    /// Of the logarithm of how much rather somebody looks things up than changes them.
    pub(crate) taste: f64,
    /// Of the logarithm of how long somebody stays, and how often they try again.
    pub(crate) patience: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            admin: None,
            form_delay: 2.0,
            behavior_config: Spread::default(),
        }
    }
}

impl Default for Spread {
    fn default() -> Spread {
        Spread {
            slower: None,
            pace: 0.5,
            taste: 0.3,
            patience: 0.3,
        }
    }
}

impl Settings {
    /// Reads them. `slower` is how slow the archetype's people are where the config does not say, in deviations of a pause.
    ///
    /// # Errors
    /// [`Error::Config`] when the config does not fit.
    pub fn of(me: &Me, slower: f64) -> Result<Settings> {
        let mut settings: Settings = me.config()?;
        let factor = settings.form_delay;
        if !(1.0..=100.0).contains(&factor) {
            return Err(Error::config(format!(
                "`form_delay` is {factor}: give a number from 1 to 100"
            )));
        }
        let Spread {
            slower: own,
            pace,
            taste,
            patience,
        } = settings.behavior_config;
        if let Some(own) = own.filter(|own| !(-1.0..=1.0).contains(own)) {
            return Err(Error::config(format!(
                "`behavior_config.slower` is {own}: give a number from -1 to 1"
            )));
        }
        settings.behavior_config.slower = own.or(Some(slower));
        for (name, spread) in [("pace", pace), ("taste", taste), ("patience", patience)] {
            if !(0.0..=1.0).contains(&spread) {
                return Err(Error::config(format!(
                    "`behavior_config.{name}` is {spread}: give a number from 0 to 1"
                )));
            }
        }
        Ok(settings)
    }

    /// The tokens of the administrator, not yet logged in.
    ///
    /// # Errors
    /// [`Error::Config`] when the config names none.
    pub fn operator(&self) -> Result<Tokens> {
        let Some(Credentials { email, password }) = &self.admin else {
            return Err(Error::config(
                "`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`",
            ));
        };
        Ok(Tokens::new(&AUTH, email.as_str(), password.as_str()).lasting())
    }
}
