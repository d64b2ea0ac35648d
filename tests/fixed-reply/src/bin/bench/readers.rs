//! Reads what each load generator reports of its own run. A report of a run with errors, or of another form, is none:
//! nothing is guessed.

use serde_json::Value;

/// What a generator says of its own run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub requests: u64,
    pub seconds: f64,
    /// In microseconds; not a number where the generator says none.
    pub p50: f64,
    pub p99: f64,
}

pub fn wrk(text: &str) -> Option<Report> {
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return None;
    }
    let mut lines = text.lines().map(str::trim);
    // The spread of the threads comes before, and has shares too: only a line that begins with one is a percentile.
    let mut quantile = |share: &str| {
        let time = lines.find_map(|line| line.strip_prefix(share))?;
        micros(time.strip_prefix(' ')?.trim())
    };
    let (p50, p99) = (quantile("50%")?, quantile("99%")?);
    let (requests, rest) = lines.find_map(|line| line.split_once(" requests in "))?;
    let (seconds, _) = rest.split_once(',')?;
    Some(Report {
        requests: requests.parse().ok()?,
        seconds: micros(seconds)? / 1e6,
        p50,
        p99,
    })
}

/// wrk's `12.34ms` and the like, in microseconds.
fn micros(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match &text[unit..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 60e6,
        "h" => 3600e6,
        _ => return None,
    };
    Some(text[..unit].parse::<f64>().ok()? * factor)
}

pub fn oha(json: &Value) -> Option<Report> {
    let statuses = json["statusCodeDistribution"].as_object()?;
    if statuses.keys().any(|status| status != "200") {
        return None;
    }
    // Whatever is under way when the time is over counts as an error there, and only that may.
    let mut errors = json["errorDistribution"].as_object()?.keys();
    if errors.any(|error| error != "aborted due to deadline") {
        return None;
    }
    Some(Report {
        requests: statuses.get("200")?.as_u64()?,
        seconds: json["summary"]["total"].as_f64()?,
        p50: json["latencyPercentiles"]["p50"].as_f64()? * 1e6,
        p99: json["latencyPercentiles"]["p99"].as_f64()? * 1e6,
    })
}

/// What the programs print that the bench brings along.
pub fn one_line(json: &Value) -> Option<Report> {
    Some(Report {
        requests: json["requests"].as_u64()?,
        seconds: json["seconds"].as_f64()?,
        p50: json["p50_us"].as_f64()?,
        p99: json["p99_us"].as_f64()?,
    })
}

pub fn vespeiro(json: &Value) -> Option<Report> {
    let total = &json["total"];
    if total["errors"].as_u64()? > 0 {
        return None;
    }
    Some(Report {
        requests: total["requests"].as_u64()?,
        seconds: json["run"]["elapsed_seconds"].as_f64()?,
        p50: total["latency"]["p50"].as_f64()? * 1e6,
        p99: total["latency"]["p99"].as_f64()? * 1e6,
    })
}

/// The percentiles are not in it: see [`h2load_log`].
pub fn h2load(text: &str) -> Option<Report> {
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    if after("Application protocol:")?.trim() != "h2" {
        return None;
    }
    let (seconds, _) = after("finished in ")?.split_once(',')?;
    let count = |counts: &str, name: &str| -> Option<u64> {
        let mut counts = counts.split(',').map(str::trim);
        counts
            .find_map(|count| count.strip_suffix(name))?
            .trim()
            .parse()
            .ok()
    };
    let requests = after("requests:")?;
    let statuses = after("status codes:")?;
    let succeeded = count(requests, " succeeded")?;
    let bad = ["failed", "errored", "timeout"].map(|name| count(requests, name));
    if bad != [Some(0); 3] || count(statuses, " 2xx")? < succeeded {
        return None;
    }
    Some(Report {
        requests: succeeded,
        seconds: micros(seconds)? / 1e6,
        p50: f64::NAN,
        p99: f64::NAN,
    })
}

/// p50 and p99 of a log of h2load, in microseconds. A line is a request: when it began, its status, and its time.
pub fn h2load_log(text: &str) -> Option<[f64; 2]> {
    let times: Option<Vec<u64>> = text
        .lines()
        .map(|line| line.split('\t').nth(2)?.trim().parse().ok())
        .collect();
    let mut times = times?;
    times.sort_unstable();
    let counted = times.into_iter().map(|time| (time as f64, 1));
    quantiles(&counted.collect::<Vec<_>>())
}

/// One entry for each route; times are in milliseconds, those from 100 on rounded to two digits.
pub fn locust(json: &Value) -> Option<Report> {
    let routes = json.as_array()?;
    let mut times = Vec::new();
    let (mut requests, mut began, mut ended) = (0, f64::INFINITY, 0.0_f64);
    for route in routes {
        if route["num_failures"].as_u64()? > 0 {
            return None;
        }
        requests += route["num_requests"].as_u64()?;
        began = began.min(route["start_time"].as_f64()?);
        ended = ended.max(route["last_request_timestamp"].as_f64()?);
        for (time, count) in route["response_times"].as_object()? {
            times.push((time.parse::<f64>().ok()? * 1e3, count.as_u64()?));
        }
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [p50, p99] = quantiles(&times)?;
    Some(Report {
        requests,
        seconds: ended - began,
        p50,
        p99,
    })
}

/// p50 and p99 of times in order, each with how often it was seen.
fn quantiles(times: &[(f64, u64)]) -> Option<[f64; 2]> {
    let all: u64 = times.iter().map(|(_, count)| count).sum();
    let at = |share: f64| {
        let mut left = (all as f64 * share).ceil() as u64;
        times.iter().find_map(|(time, count)| {
            left = left.saturating_sub(*count);
            (left == 0).then_some(*time)
        })
    };
    Some([at(0.5)?, at(0.99)?])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WRK: &str = "Running 5s test @ http://127.0.0.1:1/\n  1 threads and 64 connections\n  Latency Distribution\n     50%  871.00us\n     75%    3.05ms\n     99%    1.10s\n  144463 requests in 5.00s, 51.11MB read\nRequests/sec:  28889.62\n";

    #[test]
    fn wrk_tells_times_in_changing_units() {
        let report = wrk(WRK).unwrap();
        assert_eq!(
            report,
            Report {
                requests: 144_463,
                seconds: 5.0,
                p50: 871.0,
                p99: 1.1e6
            }
        );
    }

    #[test]
    fn shares_within_the_spread_of_wrk_are_not_its_percentiles() {
        let spread = "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency   609.18us  212.31us   9.15ms   89.99%\n    Req/Sec   100.42k     9.35k  115.10k    72.50%\n";
        let (start, rest) = WRK.split_at(WRK.find("  Latency Dist").unwrap());
        let report = wrk(&format!("{start}{spread}{rest}"));
        assert_eq!(report, wrk(WRK));
    }

    #[test]
    fn runs_with_errors_are_not_measurements() {
        assert_eq!(wrk(&format!("{WRK}  Non-2xx or 3xx responses: 3\n")), None);
        for (statuses, errors, fine) in [
            (
                json!({"200": 5}),
                json!({"aborted due to deadline": 64}),
                true,
            ),
            (json!({"200": 5, "503": 1}), json!({}), false),
            (json!({"200": 5}), json!({"connection closed": 1}), false),
        ] {
            let report = json!({
                "statusCodeDistribution": statuses, "errorDistribution": errors,
                "summary": {"total": 1.0}, "latencyPercentiles": {"p50": 0.1, "p99": 0.2},
            });
            assert_eq!(oha(&report).is_some(), fine, "{report}");
        }
        let own = json!({"total": {"errors": 1, "requests": 5}});
        assert_eq!(vespeiro(&own), None);
    }

    const H2LOAD: &str = "starting benchmark...\nTLS Protocol: TLSv1.3\nApplication protocol: h2\nMain benchmark duration is over for thread #0. Stopping all clients.\n\nfinished in 8.00s, 78000.20 req/s, 28.30MB/s\nrequests: 624001 total, 624065 started, 624001 done, 624001 succeeded, 0 failed, 0 errored, 0 timeout\nstatus codes: 624065 2xx, 0 3xx, 0 4xx, 0 5xx\ntime for request:      211us     11.00ms       801us       201us    80.50%\n";

    #[test]
    fn h2load_counts_what_succeeded_over_http_2_and_nothing_else() {
        let report = h2load(H2LOAD).unwrap();
        assert_eq!((report.requests, report.seconds), (624_001, 8.0));
        for (right, wrong) in [
            ("protocol: h2", "protocol: http/1.1"),
            ("0 errored", "3 errored"),
            ("624065 2xx, 0 3xx", "623900 2xx, 101 3xx"),
        ] {
            let text = H2LOAD.replace(right, wrong);
            assert_ne!(text, H2LOAD);
            assert_eq!(h2load(&text), None, "{wrong}");
        }
    }

    #[test]
    fn percentiles_come_from_the_times_of_single_requests() {
        let log: String = (1..=200)
            .rev()
            .map(|time| format!("1700000000\t200\t{time}\n"))
            .collect();
        assert_eq!(h2load_log(&log), Some([100.0, 198.0]));
        assert_eq!(h2load_log("1700000000\t200\n"), None);
        assert_eq!(h2load_log(""), None);
    }

    #[test]
    fn routes_of_locust_are_one_run() {
        let route = |start: f64, failures: u64, times: Value| json!({"num_requests": 3, "num_failures": failures, "start_time": start, "last_request_timestamp": start + 5.0, "response_times": times});
        let both = |failures| {
            locust(&json!([
                route(100.0, 0, json!({"20": 1, "3": 2})),
                route(101.5, failures, json!({"4": 3})),
            ]))
        };
        let report = both(0).unwrap();
        assert_eq!((report.requests, report.seconds), (6, 6.5));
        assert_eq!((report.p50, report.p99), (4e3, 20e3));
        assert_eq!(both(1), None);
    }
}
