//! What the run's requests are made of: shares of categories, and of successes and errors. Read by `plan.rs`, held by
//! the engine's governor.
//!
//! What must stay true: shares are percentages, and they add up to 100.

use vespeiro_model::{FaultKind, OutcomeClass, Word as _};

use crate::errors::ValueError;
use crate::value_types::ValueType;

/// How far from 100 a sum may be, because shares are rounded.
const TOLERANCE: f64 = 0.01;
/// Longest name of a category that makes sense in a table.
const LONGEST: usize = 64;

/// Shares of all requests by category, in percent; the plan's order.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestMix(pub Vec<(String, f64)>);

impl RequestMix {
    /// The share of a category, in percent; `None` for one that the mix does not name.
    pub fn share(&self, category: &str) -> Option<f64> {
        let found = self.0.iter().find(|(name, _)| name == category);
        found.map(|(_, share)| *share)
    }
}

/// Shares of all requests by what comes of them, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorMix {
    /// Status below 400.
    pub success: f64,
    /// Status 400 to 499.
    pub client: f64,
    /// Status 500 and above, and no response at all.
    pub server: f64,
}

impl ErrorMix {
    /// All three, in the order of [`OutcomeClass::ALL`].
    pub fn shares(&self) -> [f64; OutcomeClass::ALL.len()] {
        [self.success, self.client, self.server]
    }
}

/// How the failures on purpose are split by kind: weights within what behaviors commit, and within what the host makes. The
/// error mix says how many there are of either.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultMix([f64; FaultKind::ALL.len()]);

impl Default for FaultMix {
    /// In the order of [`FaultKind::ALL`]. A burst into a rate limit is many requests, most of which succeed, and a time-out
    /// costs the target a connection: there are few of either.
    fn default() -> FaultMix {
        FaultMix([28.0, 18.0, 25.0, 28.0, 1.0, 1.0, 5.0])
    }
}

impl FaultMix {
    /// What a kind weighs among those of its class; 0: there is none.
    pub fn weight(&self, kind: FaultKind) -> f64 {
        self.0[kind as usize]
    }
}

/// `bad-credentials=3,forbidden=2,…`.
pub(crate) fn fault_mix() -> ValueType<FaultMix> {
    let parse = |text: &str| {
        let mut weights = FaultMix([0.0; FaultKind::ALL.len()]);
        for (name, weight) in named_numbers(text, "weight", f64::INFINITY)? {
            let Some(kind) = FaultKind::from_word(&name) else {
                let problem = format!("{name:?} is no kind of fault");
                return Err(ValueError::new(
                    problem,
                    format!("use {}", FaultKind::list()),
                ));
            };
            weights.0[kind as usize] = weight;
        }
        if weights.0.iter().all(|weight| *weight == 0.0) {
            let fix = "give one a weight, or set error_mix to off";
            return Err(ValueError::new("no kind of fault has a weight", fix));
        }
        Ok(weights)
    };
    let show = |mix: &FaultMix| {
        let used = FaultKind::ALL
            .iter()
            .filter(|kind| mix.weight(**kind) > 0.0);
        let named = used.map(|kind| (kind.as_str().to_owned(), mix.weight(*kind)));
        shown(&named.collect::<Vec<_>>())
    };
    ValueType::new("WEIGHTS", parse, show)
}

/// `auth=20,user-query=35,…`, or `off`.
pub(crate) fn request_mix() -> ValueType<Option<RequestMix>> {
    let parse = |text: &str| shares(text).map(RequestMix);
    ValueType::new("SHARES", parse, |mix: &RequestMix| shown(&mix.0)).or_word("off")
}

/// `success=85,client=12,server=3`, or `off`.
pub(crate) fn error_mix() -> ValueType<Option<ErrorMix>> {
    let parse = |text: &str| {
        let given = shares(text)?;
        let is_odd = |(name, _): &&(String, f64)| OutcomeClass::from_word(name).is_none();
        if let Some((odd, _)) = given.iter().find(is_odd) {
            let problem = format!("{odd:?} is no share of the error mix");
            return Err(ValueError::new(
                problem,
                format!("use {}", OutcomeClass::list()),
            ));
        }
        let mix = RequestMix(given);
        let [success, client, server] =
            OutcomeClass::ALL.map(|class| mix.share(class.as_str()).unwrap_or(0.0));
        Ok(ErrorMix {
            success,
            client,
            server,
        })
    };
    let show = |mix: &ErrorMix| {
        let named = OutcomeClass::ALL.map(|class| class.as_str().to_owned());
        shown(&named.into_iter().zip(mix.shares()).collect::<Vec<_>>())
    };
    ValueType::new("SHARES", parse, show).or_word("off")
}

fn shares(text: &str) -> Result<Vec<(String, f64)>, ValueError> {
    let shares = named_numbers(text, "percentage", 100.0)?;
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    if (sum - 100.0).abs() > TOLERANCE {
        let sum = (sum * 100.0).round() / 100.0;
        return Err(ValueError::new(
            format!("the shares add up to {sum}, not to 100"),
            "give shares that add up to 100, or off",
        ));
    }
    Ok(shares)
}

/// `name=number,…`, each name once; `what` a number is called, which is at most `most`.
pub(crate) fn named_numbers(
    text: &str,
    what: &str,
    most: f64,
) -> Result<Vec<(String, f64)>, ValueError> {
    let mut numbers: Vec<(String, f64)> = Vec::new();
    for part in text.split(',') {
        let (name, number) = part
            .split_once('=')
            .map(|(name, number)| (name.trim(), number.trim()))
            .filter(|(name, _)| !name.is_empty() && name.len() <= LONGEST)
            .filter(|(name, _)| !name.contains(char::is_control))
            .ok_or_else(|| {
                let example = format!("write name={what}, joined by commas, or off");
                ValueError::new(format!("{part:?} is no {what} of a name"), example)
            })?;
        let number = number
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && (0.0..=most).contains(number))
            .ok_or_else(|| {
                let range = match most {
                    most if most.is_finite() => format!("from 0 to {most}"),
                    _ => "from 0 on".to_owned(),
                };
                ValueError::new(
                    format!("{number:?} is no {what}"),
                    format!("give {name} a number {range}"),
                )
            })?;
        if numbers.iter().any(|(known, _)| known == name) {
            return Err(ValueError::new(
                format!("{name} is given twice"),
                "remove one",
            ));
        }
        numbers.push((name.to_owned(), number));
    }
    Ok(numbers)
}

fn shown(shares: &[(String, f64)]) -> String {
    let parts = shares.iter().map(|(name, share)| format!("{name}={share}"));
    parts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_that_do_not_make_a_whole_are_refused() {
        for (text, problem) in [
            ("auth=20,user-query=79", "add up to 99"),
            ("auth=60,user-query=60", "add up to 120"),
            ("auth=50,auth=50", "auth is given twice"),
            ("auth=-1,x=101", "\"-1\" is no percentage"),
            ("auth=NaN,x=100", "\"NaN\" is no percentage"),
            ("auth", "\"auth\" is no percentage of a name"),
            ("=100", "\"=100\" is no percentage of a name"),
            ("", "\"\" is no percentage of a name"),
        ] {
            let bad = (request_mix().parse)(text).unwrap_err();
            assert!(bad.problem.contains(problem), "{text}: {bad}");
        }
        let bad = (error_mix().parse)("success=90,customer=10").unwrap_err();
        assert!(bad.problem.contains("\"customer\""), "{bad}");
    }

    #[test]
    fn off_is_no_mix_and_a_share_left_out_is_zero() {
        assert_eq!((request_mix().parse)("off"), Ok(None));
        assert_eq!((error_mix().show)(&None), "off");
        let mix = (error_mix().parse)("client=40, success=60")
            .unwrap()
            .unwrap();
        assert_eq!(mix.shares(), [60.0, 40.0, 0.0]);
        let mix = (request_mix().parse)("a=33.34,b=33.33,c=33.33")
            .unwrap()
            .unwrap();
        assert_eq!((mix.share("a"), mix.share("d")), (Some(33.34), None));
    }

    #[test]
    fn kinds_of_faults_have_weights_and_those_left_out_have_none() {
        let mix = (fault_mix().parse)("not-found=3, timeout=0.5").unwrap();
        assert_eq!(mix.weight(FaultKind::NotFound), 3.0);
        assert_eq!(mix.weight(FaultKind::Timeout), 0.5);
        assert_eq!(mix.weight(FaultKind::ServerError), 0.0);
        assert_eq!((fault_mix().parse)(&(fault_mix().show)(&mix)), Ok(mix));
        for (text, problem) in [
            (
                "teapot=1",
                "\"teapot\" is no kind of fault; use bad-credentials, forbidden",
            ),
            (
                "timeout=-1",
                "\"-1\" is no weight; give timeout a number from 0 on",
            ),
            ("timeout=0", "no kind of fault has a weight"),
            ("timeout=inf", "\"inf\" is no weight"),
        ] {
            let bad = (fault_mix().parse)(text).unwrap_err().to_string();
            assert!(bad.contains(problem), "{text}: {bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(text in "\\PC*", cuts in prop::collection::vec(0u32..=100, 0..6)) {
            let _ = (error_mix().parse)(&text);
            let mut cuts: Vec<u32> = cuts.into_iter().chain([0, 100]).collect();
            cuts.sort_unstable();
            let parts: Vec<String> =
                cuts.windows(2).enumerate().map(|(i, w)| format!("c{i}={}", w[1] - w[0])).collect();
            let form = request_mix();
            let mix = (form.parse)(&parts.join(",")).unwrap();
            prop_assert_eq!((form.parse)(&(form.show)(&mix)).unwrap(), mix);
        }
    }
}
