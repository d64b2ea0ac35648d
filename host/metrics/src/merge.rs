//! What can be counted apart and added up: by workers between two hand-overs, and by the totals since the start of the run.
//! Structs of such counts are declared with `counts!`, so that a new count is one field.
//!
//! What must stay true: merging in any split and order gives the same as counting everything in one place.

use std::time::Duration;

/// Something that counts.
pub trait Merge {
    fn merge(&mut self, other: &Self);
    /// Forgets the values, keeps the memory.
    fn reset(&mut self);
    fn is_empty(&self) -> bool;

    /// Whether it can be added to one that is shaped as `like`, which nothing has been counted in: of what another process
    /// sends, not one value is taken that this has not looked at.
    fn fits(&self, like: &Self) -> bool;
}

/// No shard comes to more of anything in a second: sums of such counts stay far from overflow.
pub(super) const MOST: u64 = 1 << 48;

impl Merge for u64 {
    fn merge(&mut self, other: &u64) {
        *self += other;
    }

    fn reset(&mut self) {
        *self = 0;
    }

    fn is_empty(&self) -> bool {
        *self == 0
    }

    fn fits(&self, _: &u64) -> bool {
        *self <= MOST
    }
}

impl Merge for Duration {
    fn merge(&mut self, other: &Duration) {
        *self += *other;
    }

    fn reset(&mut self) {
        *self = Duration::ZERO;
    }

    fn is_empty(&self) -> bool {
        self.is_zero()
    }

    fn fits(&self, _: &Duration) -> bool {
        self.as_secs() <= 1 << 32
    }
}

impl<T: Merge, const N: usize> Merge for [T; N] {
    fn merge(&mut self, other: &Self) {
        let pairs = self.iter_mut().zip(other);
        pairs.for_each(|(mine, theirs)| mine.merge(theirs));
    }

    fn reset(&mut self) {
        self.iter_mut().for_each(T::reset);
    }

    fn is_empty(&self) -> bool {
        self.iter().all(T::is_empty)
    }

    fn fits(&self, like: &Self) -> bool {
        self.iter().zip(like).all(|(mine, like)| mine.fits(like))
    }
}

/// By number: of routes or of categories. The last place is for what has no number, and stays the last when the list grows.
impl<T: Merge + Default> Merge for Vec<T> {
    fn merge(&mut self, other: &Vec<T>) {
        // The other one may be of an earlier generation of the catalog, or of a later one.
        grow(self, other.len());
        if let (Some((rest, numbered)), Some((their_rest, their_numbered))) =
            (self.split_last_mut(), other.split_last())
        {
            rest.merge(their_rest);
            let pairs = numbered.iter_mut().zip(their_numbered);
            pairs.for_each(|(mine, theirs)| mine.merge(theirs));
        }
    }

    fn reset(&mut self) {
        self.iter_mut().for_each(T::reset);
    }

    fn is_empty(&self) -> bool {
        self.iter().all(T::is_empty)
    }

    fn fits(&self, like: &Vec<T>) -> bool {
        // It may be of an earlier generation of the catalog.
        let mut pairs = self.iter().zip(like);
        self.len() <= like.len() && pairs.all(|(mine, like)| mine.fits(like))
    }
}

/// Has at least so many places; what was counted stays under its number.
pub(super) fn grow<T: Default>(list: &mut Vec<T>, len: usize) {
    if list.len() < len {
        // Not twice as much: each interval has these lists for all routes, and none grows again but by a swap.
        list.reserve_exact(len - list.len());
        let last = list.pop().unwrap_or_default();
        list.resize_with(len - 1, T::default);
        list.push(last);
    }
}

/// Declares a struct of counts, each of which can be merged. A field begins as its type's default or as the value given.
macro_rules! counts {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$doc:meta])* $field_vis:vis $field:ident: $type:ty $(= $new:expr)?,)+
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(serde::Serialize, serde::Deserialize)]
        $vis struct $name {
            $($(#[$doc])* $field_vis $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::merge::counts!(@ $($new)?),)+ }
            }
        }

        impl $crate::merge::Merge for $name {
            fn merge(&mut self, other: &Self) {
                $($crate::merge::Merge::merge(&mut self.$field, &other.$field);)+
            }

            fn reset(&mut self) {
                $($crate::merge::Merge::reset(&mut self.$field);)+
            }

            fn is_empty(&self) -> bool {
                $($crate::merge::Merge::is_empty(&self.$field))&&+
            }

            fn fits(&self, like: &Self) -> bool {
                $($crate::merge::Merge::fits(&self.$field, &like.$field))&&+
            }
        }
    )+};
    (@) => { Default::default() };
    (@ $new:expr) => { $new };
}
pub(super) use counts;
