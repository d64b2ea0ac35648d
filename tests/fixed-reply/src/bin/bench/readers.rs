//! Reads what each load generator reports of its own run. A report of a run with errors, or of another form, is none:
//! nothing is guessed.

use serde_json::Value;

/// What a generator says of its own run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub requests: u64,
    pub seconds: f64,
    /// In microseconds.
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

pub fn reqwest_loop(json: &Value) -> Option<Report> {
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
}
