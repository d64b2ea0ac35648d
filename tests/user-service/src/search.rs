//! Listing and searching users: the only requests that walk through all of them. Nothing is cloned, only the page
//! asked for is sorted, and a list without filters touches no more users than it skips and shows.

use std::cmp::Ordering;

use axum::extract::State;
use memchr::memmem::Finder;

use crate::app::App;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::{Error, FieldMap};
use crate::page::Page;
use crate::params::Params;
use crate::reply::Reply;
use crate::store::users::{User, Users};
use crate::store::{Key, Store};
use crate::users::UserView;

/// `GET /api/v1/users`
pub async fn list(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let mut errors = FieldMap::new();
    let page = Page::read(&params, &mut errors);
    let filter = Filter {
        active: params.flag("active", &mut errors),
        ..Filter::default()
    };
    refuse(errors)?;
    answer(&app, &params, filter, Sort::default(), page)
}

/// `GET /api/v1/users/search`
pub async fn search(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let mut errors = FieldMap::new();
    let page = Page::read(&params, &mut errors);
    let text = |name| {
        params
            .get(name)
            .map(|text| Finder::new(text.to_lowercase().as_bytes()).into_owned())
    };
    let filter = Filter {
        any: text("q"),
        username: text("username"),
        email: text("email"),
        name: text("name"),
        active: params.flag("active", &mut errors),
        after: params.moment("created_after", &mut errors),
        before: params.moment("created_before", &mut errors),
        role: None,
    };
    let sort = params.get("sort").map_or(Some(Sort::default()), Sort::parse).unwrap_or_else(|| {
        let known = "must be username, email, name, created_at or updated_at, with '-' in front to reverse";
        errors.entry("sort".into()).or_default().push(known.into());
        Sort::default()
    });
    refuse(errors)?;
    answer(&app, &params, filter, sort, page)
}

fn refuse(errors: FieldMap) -> Result<(), Error> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(errors))
    }
}

fn answer(app: &App, params: &Params, mut filter: Filter, sort: Sort, page: Page) -> Reply {
    let store: &Store = &app.read();
    if let Some(role) = params.get("role") {
        match store.roles.key_of(role) {
            Some(key) => filter.role = Some(key),
            // Nobody has a role that does not exist.
            None => return page.reply(Vec::<UserView>::new(), 0),
        }
    }
    let (found, total) = select(&store.users, &filter, sort, page.start(), page.size());
    page.reply(
        found
            .into_iter()
            .map(|user| UserView::new(store, user))
            .collect(),
        total,
    )
}

/// What users must meet; every part that is given.
#[derive(Default)]
struct Filter {
    any: Option<Finder<'static>>,
    username: Option<Finder<'static>>,
    email: Option<Finder<'static>>,
    name: Option<Finder<'static>>,
    active: Option<bool>,
    role: Option<Key>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Filter {
    /// Whether there is nothing to meet.
    fn is_open(&self) -> bool {
        let texts = [&self.any, &self.username, &self.email, &self.name];
        texts.iter().all(|text| text.is_none())
            && self.active.is_none()
            && self.role.is_none()
            && self.after.is_none()
            && self.before.is_none()
    }

    /// The cheap parts first: only who meets them has its texts searched.
    fn accepts(&self, user: &User) -> bool {
        let has = |finder: &Option<Finder>, text: &str| {
            finder
                .as_ref()
                .is_none_or(|f| f.find(text.as_bytes()).is_some())
        };
        self.active.is_none_or(|active| user.active == active)
            && self.role.is_none_or(|role| user.roles.contains(&role))
            && self.after.is_none_or(|after| user.created_at > after)
            && self.before.is_none_or(|before| user.created_at < before)
            && has(&self.any, user.folded.all())
            && has(&self.username, user.folded.username())
            && has(&self.email, user.folded.email())
            && has(&self.name, user.folded.name())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Field {
    Username,
    Email,
    Name,
    #[default]
    CreatedAt,
    UpdatedAt,
}

/// The order of results; ties are broken by age, so that pages never overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sort {
    field: Field,
    reverse: bool,
}

impl Sort {
    fn parse(text: &str) -> Option<Self> {
        let (reverse, name) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let field = match name {
            "username" => Field::Username,
            "email" => Field::Email,
            "name" => Field::Name,
            "created_at" => Field::CreatedAt,
            "updated_at" => Field::UpdatedAt,
            _ => return None,
        };
        Some(Self { field, reverse })
    }

    fn compare(self, a: &User, b: &User) -> Ordering {
        let by_field = match self.field {
            Field::Username => a.folded.username().cmp(b.folded.username()),
            Field::Email => a.folded.email().cmp(b.folded.email()),
            Field::Name => a.folded.name().cmp(b.folded.name()),
            Field::CreatedAt => Ordering::Equal,
            Field::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        };
        let order = by_field.then(a.key.cmp(&b.key));
        if self.reverse { order.reverse() } else { order }
    }
}

/// The `size` users from position `start` of all that `filter` accepts in the order of `sort`, and how many those are.
fn select<'a>(
    users: &'a Users,
    filter: &Filter,
    sort: Sort,
    start: usize,
    size: usize,
) -> (Vec<&'a User>, usize) {
    if sort.field != Field::CreatedAt {
        return select_sorted(users, filter, sort, start, size);
    }
    // The table is in this order already.
    let in_order: Box<dyn Iterator<Item = &User>> = if sort.reverse {
        Box::new(users.iter().rev())
    } else {
        Box::new(users.iter())
    };
    if filter.is_open() {
        // `skip` walks: a page far past the end must not.
        let shown = if start < users.len() {
            in_order.skip(start).take(size).collect()
        } else {
            Vec::new()
        };
        return (shown, users.len());
    }
    let (mut shown, mut total) = (Vec::new(), 0);
    for user in in_order.filter(|user| filter.accepts(user)) {
        if total >= start && shown.len() < size {
            shown.push(user);
        }
        total += 1;
    }
    (shown, total)
}

fn select_sorted<'a>(
    users: &'a Users,
    filter: &Filter,
    sort: Sort,
    start: usize,
    size: usize,
) -> (Vec<&'a User>, usize) {
    let mut found: Vec<&User> = users.iter().filter(|user| filter.accepts(user)).collect();
    let total = found.len();
    if start >= total {
        return (Vec::new(), total);
    }
    let end = total.min(start + size);
    // Parts off what is behind the page, then what is before it: only the page itself is sorted in full.
    if end < total {
        found.select_nth_unstable_by(end, |a, b| sort.compare(a, b));
        found.truncate(end);
    }
    if start > 0 {
        found.select_nth_unstable_by(start, |a, b| sort.compare(a, b));
        found.drain(..start);
    }
    found.sort_unstable_by(|a, b| sort.compare(a, b));
    (found, total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::passwords::Password;

    fn users(names: &[String]) -> Users {
        let mut users = Users::default();
        for (at, name) in names.iter().enumerate() {
            let moment = Timestamp(at as u64);
            let (username, email) = (format!("user{at}"), format!("{}@x.test", 9999 - at));
            users
                .insert(&username, &email, name, Password::new("x"), moment)
                .unwrap();
        }
        users
    }

    proptest! {
        #[test]
        fn the_pages_put_together_are_the_sorted_list(
            names in prop::collection::vec("[abAB]{1,3}", 0..60),
            size in 1usize..20,
            field in prop::sample::select(vec!["username", "email", "name", "created_at", "updated_at"]),
            reverse: bool,
            needle in prop::option::of("[ab]{1,2}"),
        ) {
            let users = users(&names);
            let sort = Sort { reverse, ..Sort::parse(field).unwrap() };
            let finder = needle.as_ref().map(|needle| Finder::new(needle.as_bytes()).into_owned());
            let filter = Filter { name: finder, ..Filter::default() };
            let mut expected: Vec<&User> = users
                .iter()
                .filter(|user| needle.as_ref().is_none_or(|needle| user.name.to_lowercase().contains(needle)))
                .collect();
            expected.sort_by(|a, b| sort.compare(a, b));
            let mut pages = Vec::new();
            for start in (0..names.len() + size).step_by(size) {
                let (page, total) = select(&users, &filter, sort, start, size);
                prop_assert_eq!(total, expected.len());
                prop_assert!(page.len() <= size);
                pages.extend(page.iter().map(|user| user.key));
            }
            prop_assert_eq!(pages, expected.iter().map(|user| user.key).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_page_number_beyond_all_bounds_is_empty() {
        let users = users(&["a".into()]);
        for field in ["created_at", "name"] {
            let sort = Sort::parse(field).unwrap();
            let (shown, total) = select(&users, &Filter::default(), sort, usize::MAX, 100);
            assert_eq!((shown.len(), total), (0, 1));
        }
    }

    #[test]
    fn sorts_are_known_or_refused() {
        assert_eq!(
            Sort::parse("-name"),
            Some(Sort {
                field: Field::Name,
                reverse: true
            })
        );
        for bad in ["", "-", "--name", "Name", "password"] {
            assert_eq!(Sort::parse(bad), None, "{bad}");
        }
    }
}
