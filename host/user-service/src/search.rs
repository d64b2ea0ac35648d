//! Listing and searching users: the only requests that walk through all of them. Nothing is cloned, only the page
//! asked for is sorted, and a list by state or role alone touches no more users than it skips and shows.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use memchr::memmem::Finder;

use crate::app::App;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::{Error, FieldMap};
use crate::page::{Listing, Page};
use crate::params::Params;
use crate::reply::{self, Reply};
use crate::store::users::{User, Users};
use crate::store::{Key, Store};
use crate::user_view::UserView;

/// `GET /api/v1/users`
pub async fn list(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let mut errors = FieldMap::new();
    let wanted = Wanted {
        active: params.flag("active", &mut errors),
        role: text(&params, "role"),
        ..Wanted::default()
    };
    let page = Page::read(&params, &mut errors);
    answer(&app, wanted, page, errors)
}

/// `GET /api/v1/users/search`
pub async fn search(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let mut errors = FieldMap::new();
    let wanted = Wanted {
        any: text(&params, "q"),
        username: text(&params, "username"),
        email: text(&params, "email"),
        name: text(&params, "name"),
        active: params.flag("active", &mut errors),
        role: text(&params, "role"),
        after: params.moment("created_after", &mut errors),
        before: params.moment("created_before", &mut errors),
        sort: text(&params, "sort"),
    };
    let page = Page::read(&params, &mut errors);
    answer(&app, wanted, page, errors)
}

fn text(params: &Params, name: &str) -> Option<String> {
    params.get(name).map(str::to_owned)
}

fn answer(app: &App, wanted: Wanted, page: Page, errors: FieldMap) -> Reply {
    app.users(wanted, page, errors, |users| {
        reply::json(StatusCode::OK, &users)
    })
}

/// What is asked for; no part that is empty.
#[derive(Default)]
pub struct Wanted {
    pub any: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub active: Option<bool>,
    pub role: Option<String>,
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
    pub sort: Option<String>,
}

impl App {
    /// Those who are wanted, unless `errors` or the sort say that the request is wrong.
    pub fn users<T>(
        &self,
        wanted: Wanted,
        page: Page,
        mut errors: FieldMap,
        show: impl FnOnce(Listing<UserView<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let sort = wanted.sort.as_deref();
        let sort = sort.map_or(Some(Sort::default()), Sort::parse).unwrap_or_else(|| {
            let known = "must be username, email, name, created_at or updated_at, with '-' in front to reverse";
            errors.entry("sort".into()).or_default().push(known.into());
            Sort::default()
        });
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        let finder = |text: Option<String>| {
            text.map(|text| Finder::new(text.to_lowercase().as_bytes()).into_owned())
        };
        let store: &Store = &self.read();
        let nobody = BTreeSet::new();
        let members_of = |name: &str| {
            let role = store
                .roles
                .key_of(name)
                .and_then(|key| store.roles.get(key));
            role.map_or(&nobody, |role| &role.links.members)
        };
        let filter = Filter {
            any: finder(wanted.any),
            username: finder(wanted.username),
            email: finder(wanted.email),
            name: finder(wanted.name),
            active: wanted.active,
            role: wanted.role.as_deref().map(members_of),
            after: wanted.after,
            before: wanted.before,
        };
        let (found, total) = select(&store.users, &filter, sort, page.start(), page.size());
        let shown = found.into_iter().map(|user| UserView::new(store, user));
        show(page.listing(shown.collect(), total))
    }
}

/// What users must meet; every part that is given.
#[derive(Default)]
struct Filter<'a> {
    any: Option<Finder<'static>>,
    username: Option<Finder<'static>>,
    email: Option<Finder<'static>>,
    name: Option<Finder<'static>>,
    active: Option<bool>,
    /// Members of the role asked for.
    role: Option<&'a BTreeSet<Key>>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Filter<'_> {
    /// The cheap parts first: only who meets them has its texts searched.
    fn accepts(&self, user: &User) -> bool {
        let has = |finder: &Option<Finder>, text: &str| {
            finder
                .as_ref()
                .is_none_or(|f| f.find(text.as_bytes()).is_some())
        };
        self.active.is_none_or(|active| user.active == active)
            && self.role.is_none_or(|members| members.contains(&user.key))
            && self.after.is_none_or(|after| user.created_at > after)
            && self.before.is_none_or(|before| user.created_at < before)
            && has(&self.any, user.folded.all())
            && has(&self.username, user.folded.username())
            && has(&self.email, user.folded.email())
            && has(&self.name, user.folded.name())
    }

    /// Everyone whom the filter may accept, oldest first: the smallest set at hand.
    fn candidates<'u>(
        &'u self,
        users: &'u Users,
    ) -> Box<dyn DoubleEndedIterator<Item = &'u User> + 'u> {
        match (self.role, self.active) {
            (Some(members), _) => Box::new(members.iter().filter_map(|key| users.get(*key))),
            (None, Some(false)) => {
                Box::new(users.inactive().iter().filter_map(|key| users.get(*key)))
            }
            (None, _) => Box::new(users.iter()),
        }
    }

    /// How many users the filter accepts, where that is known without asking each.
    fn known_total(&self, users: &Users) -> Option<usize> {
        let texts = [&self.any, &self.username, &self.email, &self.name];
        if texts.iter().any(|text| text.is_some()) || self.after.is_some() || self.before.is_some()
        {
            return None;
        }
        match (self.role, self.active) {
            (None, None) => Some(users.len()),
            (None, Some(true)) => Some(users.len() - users.inactive().len()),
            (None, Some(false)) => Some(users.inactive().len()),
            (Some(members), None) => Some(members.len()),
            (Some(_), Some(_)) => None,
        }
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
    filter: &'a Filter,
    sort: Sort,
    start: usize,
    size: usize,
) -> (Vec<&'a User>, usize) {
    if sort.field != Field::CreatedAt {
        return select_sorted(users, filter, sort, start, size);
    }
    let known = filter.known_total(users);
    if let Some(total) = known.filter(|total| start >= *total) {
        return (Vec::new(), total);
    }
    // The candidates are in this order already.
    let candidates = filter.candidates(users);
    let in_order = if sort.reverse {
        Box::new(candidates.rev())
    } else {
        candidates
    };
    let (mut shown, mut seen) = (Vec::new(), 0);
    for user in in_order.filter(|user| filter.accepts(user)) {
        if seen >= start && shown.len() < size {
            shown.push(user);
            if let Some(total) = known.filter(|_| shown.len() == size) {
                return (shown, total);
            }
        }
        seen += 1;
    }
    (shown, seen)
}

fn select_sorted<'a>(
    users: &'a Users,
    filter: &'a Filter,
    sort: Sort,
    start: usize,
    size: usize,
) -> (Vec<&'a User>, usize) {
    let accepted = filter.candidates(users).filter(|user| filter.accepts(user));
    let mut found: Vec<&User> = accepted.collect();
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
            active: Option<bool>,
            members in prop::option::of(prop::collection::btree_set(0usize..60, 0..30)),
        ) {
            let mut users = users(&names);
            let keys: Vec<Key> = users.iter().map(|user| user.key).collect();
            keys.iter().step_by(3).for_each(|key| users.set_active(*key, false, Timestamp(99)));
            let role: Option<BTreeSet<Key>> =
                members.map(|members| members.into_iter().filter_map(|at| keys.get(at).copied()).collect());
            let sort = Sort { reverse, ..Sort::parse(field).unwrap() };
            let finder = needle.as_ref().map(|needle| Finder::new(needle.as_bytes()).into_owned());
            let filter = Filter { name: finder, active, role: role.as_ref(), ..Filter::default() };
            let mut expected: Vec<&User> = users
                .iter()
                .filter(|user| needle.as_ref().is_none_or(|needle| user.name.to_lowercase().contains(needle)))
                .filter(|user| active.is_none_or(|active| user.active == active))
                .filter(|user| role.as_ref().is_none_or(|role| role.contains(&user.key)))
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
            let filter = Filter::default();
            let (shown, total) = select(&users, &filter, sort, usize::MAX, 100);
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
