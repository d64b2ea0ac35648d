//! The rules that fields must meet. A check collects every problem of a request before it is refused, so that one
//! 422 names them all.

use crate::error::{Error, FieldMap};

/// What is wrong with a request's fields so far.
#[derive(Debug, Default)]
pub struct Check(FieldMap);

impl Check {
    fn complain(&mut self, field: &str, problem: impl Into<String>) {
        self.0
            .entry(field.to_owned())
            .or_default()
            .push(problem.into());
    }

    /// The value of a field that must be given; the empty text, and a problem, if it is not.
    pub fn required<'a>(&mut self, field: &str, value: &'a Option<String>) -> &'a str {
        value.as_deref().unwrap_or_else(|| {
            self.complain(field, "is required");
            ""
        })
    }

    /// As [`Check::required`], then `rule`, so that a missing field has one problem only.
    pub fn need<'a>(
        &mut self,
        field: &str,
        value: &'a Option<String>,
        rule: fn(&str) -> Option<String>,
    ) -> &'a str {
        let given = self.required(field, value);
        if value.is_some() {
            self.rule(field, given, rule);
        }
        given
    }

    /// `rule` if the field is given at all.
    pub fn allow(&mut self, field: &str, value: &Option<String>, rule: fn(&str) -> Option<String>) {
        if let Some(given) = value {
            self.rule(field, given, rule);
        }
    }

    fn rule(&mut self, field: &str, given: &str, rule: fn(&str) -> Option<String>) {
        if let Some(problem) = rule(given) {
            self.complain(field, problem);
        }
    }

    /// An optional text of at most `max` characters.
    pub fn at_most(&mut self, field: &str, value: Option<&str>, max: usize) {
        if value.is_some_and(|text| text.chars().count() > max) {
            self.complain(field, format!("must have at most {max} characters"));
        }
    }

    /// Refuses the request if anything was wrong.
    pub fn done(self) -> Result<(), Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

/// 3 to 64 letters, digits, `_`, `.` or `-`.
pub fn username(text: &str) -> Option<String> {
    let fits = (3..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    (!fits).then(|| "must be 3 to 64 letters, digits, '_', '.' or '-'".into())
}

/// The everyday form of an address: `local@domain.tld`, at most 254 characters.
pub fn email(text: &str) -> Option<String> {
    let well_formed = text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && local
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&b))
                && domain.contains('.')
                && domain.split('.').all(is_label)
        });
    (!well_formed).then(|| "must be an e-mail address".into())
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// At least 8 characters with a letter and a digit; at most 128, so that hashing stays cheap.
pub fn password(text: &str) -> Option<String> {
    let length = text.chars().count();
    let strong = text.chars().any(char::is_alphabetic) && text.chars().any(|c| c.is_ascii_digit());
    (!(8..=128).contains(&length) || !strong)
        .then(|| "must be 8 to 128 characters with a letter and a digit".into())
}

/// 1 to 120 characters that are not all blank.
pub fn name(text: &str) -> Option<String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 120;
    (!fits).then(|| "must be 1 to 120 characters".into())
}

/// Name of a role or permission: 2 to 64 letters, digits, `_`, `.`, `:` or `-`.
pub fn catalog_name(text: &str) -> Option<String> {
    let fits = (2..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b));
    (!fits).then(|| "must be 2 to 64 letters, digits, '_', '.', ':' or '-'".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_of_each_rule() {
        let long = |n| "a".repeat(n);
        for good in ["abc", "a.b-c_9", &long(64)] {
            assert_eq!(username(good), None, "{good}");
        }
        for bad in ["", "ab", "a b c", "ação", "a@b", &long(65)] {
            assert!(username(bad).is_some(), "{bad}");
        }
        for good in [
            "a@b.co",
            "sim_user_1+x@simulation.test",
            "x.y@a-b.example.org",
        ] {
            assert_eq!(email(good), None, "{good}");
        }
        for bad in [
            "", "a", "@b.co", "a@", "a@b", "a@b..co", "a@@b.co", "a b@c.de", "a@-b.co", "a@b.co ",
            "é@b.co",
        ] {
            assert!(email(bad).is_some(), "{bad}");
        }
        for good in ["abcdefg1", "SimPass123!", "çççççççç1"] {
            assert_eq!(password(good), None, "{good}");
        }
        for bad in [
            "",
            "abcdef1",
            "abcdefgh",
            "12345678",
            &format!("1{}", long(128)),
        ] {
            assert!(password(bad).is_some(), "{bad}");
        }
        assert_eq!((name("x"), name(&"é".repeat(120))), (None, None));
        assert!(name("").is_some() && name("  ").is_some() && name(&long(121)).is_some());
        assert!(
            catalog_name("users.manage").is_none()
                && catalog_name("x").is_some()
                && catalog_name("a b").is_some()
        );
    }

    #[test]
    fn one_refusal_names_every_field_once() {
        let mut check = Check::default();
        check.need("username", &None, username);
        check.need("email", &Some("nope".into()), email);
        check.allow("name", &Some(String::new()), name);
        check.at_most("bio", Some("four"), 3);
        let Err(Error::Invalid(fields)) = check.done() else {
            panic!("must be refused")
        };
        assert_eq!(
            fields.keys().collect::<Vec<_>>(),
            ["bio", "email", "name", "username"]
        );
        assert_eq!(fields["username"], ["is required"]);
    }
}
