//! That a person agrees with themselves, whoever they are and however often they edit.

use serde_json::Value;

use super::*;

fn people() -> impl Iterator<Item = Person> {
    (0..2000).map(Person::of)
}

/// The locale that a text of the tables belongs to.
fn locale_of(holds: impl Fn(&Locale) -> bool) -> Vec<&'static str> {
    let locales = LOCALES.iter().filter(|locale| holds(locale));
    locales.map(|locale| locale.tag).collect()
}

#[track_caller]
fn agrees(person: &Person, profile: &Value) {
    let text = |field: &str| profile[field].as_str();
    let only = [person.language()];
    if let Some(location) = text("location") {
        assert_eq!(
            locale_of(|l| l
                .cities
                .iter()
                .any(|c| location == c.name || location == c.wide)),
            only,
            "{location}"
        );
    }
    if let Some(phone) = text("phone") {
        let city = person.city();
        assert!(phone.starts_with(city.phone), "{phone} of {}", city.name);
        assert_eq!(phone.len(), city.phone.len() + city.digits);
    }
    if let Some(bio) = text("bio") {
        assert!(
            locale_of(|l| l.likes.iter().any(|like| bio.contains(like))).contains(&only[0]),
            "{bio}"
        );
        assert!(bio.starts_with(person.trade()), "{bio}");
        let trade = &person.locale().trades[usize::from(person.trade)];
        assert!(trade.born.contains(&person.born.0));
    }
    if let Some(page) = text("website") {
        assert!(page.starts_with(person.locale().page), "{page}");
        assert!(page.ends_with(".simulation.test"), "{page}");
    }
    if let Some(birth) = text("birth_date") {
        assert_eq!(birth, person.birth_date());
    }
}

#[test]
fn everything_about_a_person_is_of_one_locale_and_agrees() {
    let mut spoken = std::collections::BTreeMap::new();
    for person in people() {
        *spoken.entry(person.language()).or_insert(0) += 1;
        let first = person.first_name();
        assert_eq!(
            locale_of(|l| l.women.contains(&first) || l.men.contains(&first)),
            [person.language()],
            "{first}"
        );
        let last = person.last_name();
        assert_eq!(
            locale_of(|l| l.last.contains(&last)),
            [person.language()],
            "{last}"
        );
        agrees(&person, &serde_json::to_value(person.profile()).unwrap());
    }
    // Both are spoken by many.
    assert_eq!(spoken.len(), 2);
    assert!(spoken.values().all(|count| *count > 800), "{spoken:?}");
}

#[test]
fn an_edit_changes_a_field_or_two_and_the_person_stays() {
    let mut rng = Rng::with_seed(3);
    let mut edited = std::collections::BTreeMap::new();
    for person in people() {
        for _ in 0..5 {
            let edit = serde_json::to_value(person.edit(&mut rng)).unwrap();
            let fields = edit.as_object().unwrap();
            assert!((1..=2).contains(&fields.len()), "{edit}");
            for field in fields.keys() {
                *edited.entry(field.clone()).or_insert(0) += 1;
            }
            agrees(&person, &edit);
        }
    }
    assert_eq!(edited.len(), 5, "{edited:?}");
}

#[test]
fn a_user_is_the_same_person_each_time_and_writes_their_name_in_three_ways() {
    for index in [0, 1, 17, u32::MAX] {
        assert_eq!(Person::of(index), Person::of(index));
    }
    let mut names: Vec<String> = people().map(|person| person.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 500, "{} names", names.len());
    for person in people() {
        let plain = format!("{} {}", person.first_name(), person.last_name());
        let names = [Style::Plain, Style::Full, Style::Trade].map(|style| person.name_in(style));
        assert!(
            names.iter().all(|name| name.starts_with(&plain)),
            "{names:?}"
        );
        assert_eq!(names[0], plain);
        assert!(names[1] != plain && names[2] != plain && names[1] != names[2]);
    }
}

#[test]
fn nobody_is_called_what_is_unknown() {
    let mut rng = Rng::with_seed(1);
    for person in people() {
        let (first, last) = unknown(&mut rng, &person);
        for known in people() {
            let name = known.name_in(Style::Full).to_lowercase();
            assert!(!name.contains(first) && !name.contains(last), "{name}");
        }
    }
}
