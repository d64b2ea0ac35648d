//! The thin layer between our families and crate prometheus-client: one family after the other, one sample after the
//! other. Used by [`super::families`] only.

use std::fmt::Error;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::metrics::Timing;

/// Writes one metric family after the other.
pub(super) struct Writer<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Writer<'a> {
        Writer { encoder }
    }

    pub(super) fn family(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        kind: MetricType,
        samples: impl FnOnce(&mut Family) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let encoder = self
            .encoder
            .encode_descriptor(name, help, unit.as_ref(), kind)?;
        samples(&mut Family { encoder })
    }
}

/// Writes the samples of one metric family.
pub(super) struct Family<'a> {
    encoder: MetricEncoder<'a>,
}

pub(super) type Labels<'a> = [(&'a str, &'a str)];

impl Family<'_> {
    pub(super) fn counter(&mut self, labels: &Labels, value: u64) -> Result<(), Error> {
        self.sample(labels, |e| {
            e.encode_counter::<NoLabelSet, u64, u64>(&value, None)
        })
    }

    pub(super) fn counter_f64(&mut self, labels: &Labels, value: f64) -> Result<(), Error> {
        self.sample(labels, |e| {
            e.encode_counter::<NoLabelSet, f64, u64>(&value, None)
        })
    }

    pub(super) fn gauge(&mut self, labels: &Labels, value: f64) -> Result<(), Error> {
        self.sample(labels, |e| e.encode_gauge(&value))
    }

    /// `bounds` are the upper ends of the buckets, ascending, in seconds.
    pub(super) fn histogram(
        &mut self,
        labels: &Labels,
        timing: &Timing,
        bounds: &[f64],
    ) -> Result<(), Error> {
        let buckets = timing.buckets(bounds);
        self.sample(labels, |e| {
            e.encode_histogram::<NoLabelSet>(
                timing.sum().as_secs_f64(),
                timing.count(),
                &buckets,
                None,
            )
        })
    }

    fn sample(
        &mut self,
        labels: &Labels,
        write: impl FnOnce(&mut MetricEncoder) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // The crate would write empty braces: valid, but not what anybody expects to read.
        if labels.is_empty() {
            write(&mut self.encoder)
        } else {
            write(&mut self.encoder.encode_family(&labels)?)
        }
    }
}
