//! Pages, moments and texts, which several services have.

use prost_types::Timestamp as Moment;

use super::messages::{self, PageRequest};
use crate::clock::Timestamp;
use crate::error::{Error, FieldMap};
use crate::page::{Meta, Page};

/// The page that is asked for; what is wrong goes to `errors`.
pub fn page(asked: Option<PageRequest>, errors: &mut FieldMap) -> Page {
    let asked = asked.unwrap_or_default();
    Page::of(asked.page, asked.per_page, errors)
}

/// [`page`] for a list that takes nothing else.
pub fn only_page(asked: PageRequest) -> Result<Page, Error> {
    let mut errors = FieldMap::new();
    let page = page(Some(asked), &mut errors);
    if errors.is_empty() {
        Ok(page)
    } else {
        Err(Error::Invalid(errors))
    }
}

impl From<Meta> for messages::Page {
    fn from(meta: Meta) -> Self {
        Self {
            page: meta.page,
            per_page: meta.per_page,
            total: meta.total as u64,
            total_pages: meta.total_pages,
        }
    }
}

/// The change of a text that may be cleared: over REST `null` does that, here the empty text.
pub fn clearing(text: Option<String>) -> Option<Option<String>> {
    text.map(|text| Some(text).filter(|text| !text.is_empty()))
}

pub fn moment(at: Timestamp) -> Option<Moment> {
    let (seconds, micros) = (at.0 / 1_000_000, at.0 % 1_000_000);
    Some(Moment {
        seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
        // Below a thousand million.
        nanos: micros as i32 * 1000,
    })
}

/// A moment before 1970 is as good as 1970: nothing here is older.
pub fn timestamp(at: Moment) -> Timestamp {
    let seconds = u64::try_from(at.seconds).unwrap_or(0);
    let micros = u64::try_from(at.nanos).unwrap_or(0) / 1000;
    Timestamp(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_kept_to_the_microsecond_and_bounded() {
        let at = Timestamp(1_700_000_000_123_456);
        assert_eq!(timestamp(moment(at).unwrap()), at);
        let old = Moment {
            seconds: -5,
            nanos: -1,
        };
        let far = Moment {
            seconds: i64::MAX,
            nanos: i32::MAX,
        };
        assert_eq!(
            (timestamp(old), timestamp(far)),
            (Timestamp(0), Timestamp(u64::MAX))
        );
    }
}
