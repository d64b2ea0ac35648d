//! Pages of lists: what was asked for (`page`, `per_page`) and what `meta` tells about it. Used by every list.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::error::{Error, FieldMap};
use crate::params::{Params, within};

const DEFAULT_PER_PAGE: u64 = 20;
const NUMBERS: RangeInclusive<u64> = 1..=u64::MAX;
const SIZES: RangeInclusive<u64> = 1..=100;

/// The part of a list that was asked for. `per_page` is between 1 and 100.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    number: u64,
    per_page: u64,
}

/// What is told of a page.
#[derive(Serialize)]
pub struct Meta {
    pub page: u64,
    pub per_page: u64,
    pub total: usize,
    pub total_pages: u64,
}

/// A page of a list, as the API shows it.
#[derive(Serialize)]
pub struct Listing<T> {
    pub data: Vec<T>,
    pub meta: Meta,
}

impl Page {
    /// Reads `page` and `per_page`; what is wrong goes to `errors`.
    pub fn read(params: &Params, errors: &mut FieldMap) -> Self {
        Self {
            number: params.number("page", NUMBERS, 1, errors),
            per_page: params.number("per_page", SIZES, DEFAULT_PER_PAGE, errors),
        }
    }

    /// As [`Page::read`], of numbers.
    pub fn of(number: Option<u64>, per_page: Option<u64>, errors: &mut FieldMap) -> Self {
        let mut read = |name, given: Option<u64>, range, default| {
            given.map_or(default, |given| {
                within(name, Some(given), range, default, errors)
            })
        };
        Self {
            number: read("page", number, NUMBERS, 1),
            per_page: read("per_page", per_page, SIZES, DEFAULT_PER_PAGE),
        }
    }

    /// [`Page::read`] for a list that takes no other parameter.
    pub fn only(params: &Params) -> Result<Self, Error> {
        let mut errors = FieldMap::new();
        let page = Self::read(params, &mut errors);
        if errors.is_empty() {
            Ok(page)
        } else {
            Err(Error::Invalid(errors))
        }
    }

    /// Position in the whole list of this page's first item.
    pub fn start(&self) -> usize {
        usize::try_from((self.number - 1).saturating_mul(self.per_page)).unwrap_or(usize::MAX)
    }

    /// How many items a full page has.
    pub fn size(&self) -> usize {
        // At most 100, so nothing is lost.
        self.per_page as usize
    }

    /// This page's items out of `total`.
    pub fn listing<T>(&self, data: Vec<T>, total: usize) -> Listing<T> {
        let meta = Meta {
            page: self.number,
            per_page: self.per_page,
            total,
            total_pages: (total as u64).div_ceil(self.per_page),
        };
        Listing { data, meta }
    }
}
