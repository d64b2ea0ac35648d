//! How people go about things, as far as the plan says: how much longer a form takes, and how much users differ. Read by
//! `settings/load.rs`; `archetypes.rs` hands it to the behaviors in their configs.

use serde_json::{Map, Value, json};
use vespeiro_model::{Word as _, words};

use crate::errors::ValueError;
use crate::mix::named_numbers;
use crate::value_types::ValueType;

words! {
    /// In what users differ from each other.
    pub enum Way {
        /// How slow they are.
        Pace => "pace",
        /// How much rather they look things up than change them.
        Taste => "taste",
        /// How long they stay, and how often they try again.
        Patience => "patience",
    }
}

/// How much users differ: of each [`Way`], the standard deviation of the normal distribution that each user's is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BehaviorConfig([f64; Way::ALL.len()]);

impl Default for BehaviorConfig {
    fn default() -> BehaviorConfig {
        BehaviorConfig([0.5, 0.3, 0.3])
    }
}

impl BehaviorConfig {
    fn named(&self) -> impl Iterator<Item = (String, f64)> {
        let ways = Way::ALL.iter().zip(self.0);
        ways.map(|(way, spread)| (way.as_str().to_owned(), spread))
    }

    /// Hands them to a behavior, where its own config says nothing else.
    pub(crate) fn give_to(&self, config: &mut Map<String, Value>) {
        let own = config.entry("behavior_config").or_insert_with(|| json!({}));
        if let Value::Object(own) = own {
            for (name, spread) in self.named() {
                own.entry(name).or_insert_with(|| json!(spread));
            }
        }
    }
}

/// `pace=0.5,taste=0.3,patience=0.3`, or some of them, or `off`.
pub(crate) fn behavior_config() -> ValueType<BehaviorConfig> {
    let parse = |text: &str| {
        if text == "off" {
            return Ok(BehaviorConfig([0.0; Way::ALL.len()]));
        }
        let mut config = BehaviorConfig::default();
        for (name, spread) in named_numbers(text, "deviation", 1.0)? {
            let Some(way) = Way::from_word(&name) else {
                let problem = format!("{name:?} is nothing that users differ in");
                return Err(ValueError::new(problem, format!("use {}", Way::list())));
            };
            config.0[way as usize] = spread;
        }
        Ok(config)
    };
    let show = |config: &BehaviorConfig| {
        let parts = config
            .named()
            .map(|(name, spread)| format!("{name}={spread}"));
        parts.collect::<Vec<_>>().join(",")
    };
    ValueType::new("DEVIATIONS", parse, show)
}

/// A factor from 1 to 100.
pub(crate) fn form_delay() -> ValueType<f64> {
    let parse = |text: &str| {
        let factor = text.trim().parse().ok();
        let factor = factor.filter(|factor| (1.0..=100.0).contains(factor));
        factor.ok_or_else(|| {
            let problem = format!("{text:?} is no factor of a pause");
            ValueError::new(problem, "give a number from 1 to 100, for instance 2")
        })
    };
    ValueType::new("FACTOR", parse, f64::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_as_it_is_and_off_makes_all_alike() {
        let form = behavior_config();
        let shown = |text: &str| (form.parse)(text).map(|config| (form.show)(&config));
        assert_eq!(shown("taste=1"), Ok("pace=0.5,taste=1,patience=0.3".into()));
        assert_eq!(shown("off"), Ok("pace=0,taste=0,patience=0".into()));
        for (text, problem) in [
            (
                "haste=1",
                "\"haste\" is nothing that users differ in; use pace, taste",
            ),
            (
                "pace=2",
                "\"2\" is no deviation; give pace a number from 0 to 1",
            ),
            (
                "pace",
                "\"pace\" is no deviation of a name; write name=deviation",
            ),
        ] {
            let bad = (form.parse)(text).unwrap_err().to_string();
            assert!(bad.contains(problem), "{text}: {bad}");
        }
    }

    #[test]
    fn a_form_takes_once_to_a_hundred_times_as_long() {
        let form = form_delay();
        assert_eq!((form.parse)(" 2.5 "), Ok(2.5));
        for text in ["", "0.9", "101", "NaN", "twice"] {
            assert!((form.parse)(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_archetypes_own_config_has_the_last_word() {
        let mut config = Map::new();
        config.insert(
            "behavior_config".into(),
            json!({ "taste": 0, "slower": 0.2 }),
        );
        BehaviorConfig::default().give_to(&mut config);
        let expected = json!({ "pace": 0.5, "taste": 0, "patience": 0.3, "slower": 0.2 });
        assert_eq!(config["behavior_config"], expected);
    }
}
