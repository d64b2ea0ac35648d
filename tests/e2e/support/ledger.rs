//! Samples of a Prometheus page, and the counts that the tests hold against each other.

use std::collections::BTreeMap;

/// Requests by method, route and status.
pub type Counts = BTreeMap<(String, String, u16), u64>;

/// One line of a page: a family's labels and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Sample {
    /// The label's value; empty when there is no such label.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The samples of one family, for instance `user_service_requests_total`.
pub fn samples(page: &str, family: &str) -> Vec<Sample> {
    page.lines()
        .filter_map(|line| line.strip_prefix(family))
        .filter(|rest| rest.starts_with(['{', ' ']))
        .map(sample)
        .collect()
}

/// Reads `{name="value",…} number`; the labels that tests look at hold no quotes and no commas.
fn sample(rest: &str) -> Sample {
    let (labels, value) = rest.rsplit_once(' ').unwrap();
    let labels = labels
        .trim_matches(['{', '}'])
        .split("\",")
        .filter_map(|pair| pair.split_once("=\""))
        .map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned()))
        .collect();
    Sample {
        labels,
        value: value.parse().unwrap(),
    }
}

#[test]
fn a_page_is_read_as_it_is_written() {
    let page = "# HELP a_total x\na_total{method=\"GET\",route=\"/u/{id}\"} 3\na_total_more 1\na_total 4\n";
    let read = samples(page, "a_total");
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].label("method"), read[0].value), ("GET", 3.0));
    assert_eq!((read[0].label("route"), read[1].value), ("/u/{id}", 4.0));
}
