//! The comparisons: which generators stand side by side, over which wire, against which server.

use anyhow::Result;

use super::comparison::{Entrant, Pace, compare};
use super::generators::{Generator, Wire};
use super::nginx::{self, Offer};
use super::servers::Server;
use super::tools::Tools;

fn title(what: &str, pace: Pace) {
    println!(
        "\n== {what}: one core each for generator and server, 64 at a time, medians of {} runs of {} s, in turns",
        pace.runs, pace.seconds
    );
}

fn all(generators: &[Generator], wire: Wire) -> Vec<Entrant> {
    let own = [Generator::Base, Generator::Vespeiro];
    let generators = generators.iter().chain(&own);
    generators.map(|&one| Entrant(one, wire)).collect()
}

pub fn plain(tools: &Tools, pace: Pace) -> Result<()> {
    use Generator::{Oha, Reqwest, ReqwestAlike, Wrk};
    title("HTTP/1.1", pace);
    let mut server = Server::fixed_reply(&tools.fixed_reply)?;
    let entrants = all(&[Wrk, Oha, Reqwest, ReqwestAlike], Wire::Plain);
    compare(tools, &mut server, &entrants, pace)?;
    println!(
        "reqwest: a bare loop of GETs; reqwest-alike: a bare loop of the requests that vespeiro's behavior sends."
    );
    Ok(())
}

pub fn https(tools: &Tools, pace: Pace) -> Result<()> {
    use Generator::{Oha, ReqwestAlike, Wrk};
    title("HTTPS, HTTP/1.1 over TLS 1.3 with nginx", pace);
    let mut server = nginx::start(tools, Offer::Http1)?;
    let entrants = all(&[Wrk, Oha, ReqwestAlike], Wire::Tls);
    compare(tools, &mut server, &entrants, pace)
}

pub fn http2(tools: &Tools, pace: Pace) -> Result<()> {
    use Generator::{H2load, Oha, ReqwestAlike};
    title("HTTP/2 over TLS 1.3 with nginx", pace);
    let mut server = nginx::start(tools, Offer::Http2)?;
    let shared = Wire::Http2 { connections: 1 };
    let apart = Wire::Http2 { connections: 64 };
    let mut entrants = all(&[H2load, Oha, ReqwestAlike], shared);
    entrants.extend(all(&[H2load, Oha], apart));
    compare(tools, &mut server, &entrants, pace)?;
    println!(
        "1x64: one connection with 64 requests at a time; 64x1: 64 connections with one each."
    );
    Ok(())
}

pub fn no_reuse(tools: &Tools, pace: Pace) -> Result<()> {
    use Generator::{Oha, ReqwestAlike, Wrk};
    title("A new connection for each request, HTTP/1.1", pace);
    let mut server = Server::fixed_reply(&tools.fixed_reply)?;
    let entrants = all(&[Wrk, Oha, ReqwestAlike], Wire::NoReuse);
    compare(tools, &mut server, &entrants, pace)?;
    println!("wrk's times begin when its connection is made.");
    Ok(())
}

pub fn scripted(tools: &Tools, pace: Pace) -> Result<()> {
    use Generator::{Goose, Locust};
    title("Scripted users with the same journey, HTTP/1.1", pace);
    let mut server = Server::fixed_reply(&tools.fixed_reply)?;
    let entrants = all(&[Goose, Locust], Wire::Plain);
    compare(tools, &mut server, &entrants, pace)?;
    println!("locust's times are whole milliseconds.");
    Ok(())
}
