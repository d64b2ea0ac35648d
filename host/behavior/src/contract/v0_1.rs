//! Version 0.1 of the contract. It names routes and categories by their texts at each request, knows no kinds of requests,
//! and has fewer failures than the host.

use std::collections::HashMap;

use crate::types::{Action, Body, Ending, Once, Request, RequestKind, Response, Route, RouteRef};
use vespeiro_model::{Failure, FaultKind};

version! {
    wit: "../../guest-sdk/wit",
    text: "../../../../guest-sdk/wit/behavior.wit",
    first: "0.1.0",
    host: {}
}

/// The category whose requests are about who somebody is: this version has no other word for it.
const AUTH: &str = "auth";

/// What the texts of requests stand for.
#[derive(Default)]
struct Described {
    /// By path template: the place of each method's route.
    routes: HashMap<String, [Option<u16>; Method::COUNT]>,
    categories: Vec<String>,
}

impl Described {
    fn of(said: &wit::Description) -> Self {
        let mut routes = HashMap::<String, [Option<u16>; Method::COUNT]>::new();
        for (place, route) in said.routes.iter().enumerate() {
            let of_path = routes.entry(route.path.clone()).or_default();
            // A description of more than 65,536 is refused.
            of_path[Method::from(route.method) as usize].get_or_insert(place as u16);
        }
        Self {
            routes,
            categories: said.categories.clone(),
        }
    }

    fn step(&self, step: wit::Step) -> Result<Step, String> {
        Ok(Step {
            delay_ms: step.delay_ms,
            action: match step.action {
                wit::Action::Requests(requests) => {
                    let each = requests.into_iter().map(|request| self.request(request));
                    Action::Requests(each.collect())
                }
                wit::Action::Done(ending) => Action::Done(match ending {
                    wit::Ending::Completed => Ending::Completed,
                    wit::Ending::Abandoned => Ending::Abandoned,
                }),
            },
        })
    }

    fn request(&self, request: wit::Request) -> Request {
        let method = Method::from(request.method);
        let of_path = self.routes.get(&request.route);
        let category = self.categories.iter().position(|c| *c == request.category);
        Request {
            method,
            kind: kind(&request),
            grpc: false,
            path: request.path,
            route: match of_path.and_then(|places| places[method as usize]) {
                Some(place) => RouteRef::Described(place),
                None => RouteRef::Undescribed(request.route.into()),
            },
            category: category.map(|place| place as u16),
            headers: request.headers,
            body: request.body.map(Body::Bytes),
            expect: Vec::new(),
            capture: request.capture.into(),
            timeout_ms: request.timeout_ms,
            mark: request.mark,
            fault: request.fault.map(Into::into),
        }
    }
}

/// A POST of the category `auth` that carries no bearer token is there to get one; one that carries it gives it back. This
/// version can say no more, and a refresh of a token that is refused is as suspicious as a login.
fn kind(request: &wit::Request) -> RequestKind {
    if request.method != wit::Method::Post || request.category != AUTH {
        return RequestKind::Plain;
    }
    let bearer = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("authorization")
            && value
                .get(..6)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    };
    match request.headers.iter().any(bearer) {
        true => RequestKind::Logout,
        false => RequestKind::Login,
    }
}

impl From<wit::Route> for Route {
    fn from(route: wit::Route) -> Self {
        Self {
            method: route.method.into(),
            path: route.path,
            category: route.category,
            target: None,
            grpc: false,
        }
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body,
            latency_us: response.latency_us,
        }
    }
}

impl From<wit::Fault> for FaultKind {
    fn from(fault: wit::Fault) -> Self {
        match fault {
            wit::Fault::BadCredentials => Self::BadCredentials,
            wit::Fault::Forbidden => Self::Forbidden,
            wit::Fault::InvalidData => Self::InvalidData,
            wit::Fault::NotFound => Self::NotFound,
            wit::Fault::RateLimit => Self::RateLimit,
        }
    }
}

/// It knows nothing that is done once.
fn once(_: &wit::Description) -> Vec<Once> {
    Vec::new()
}

fn purpose(_: Once) -> wit::Purpose {
    wit::Purpose::Journey
}

/// Its sessions open no channels, so that nothing comes of any.
fn of_channel(_: Outcome) -> wit::Outcome {
    wit::Outcome::Failed(wit::Failure::Protocol)
}

/// A kind that this version lacks becomes the nearest one.
impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Connect | Failure::Generator | Failure::File => Self::Connect,
            Failure::Tls => Self::Tls,
            Failure::Reset | Failure::Unprocessed | Failure::Channel => Self::Reset,
            Failure::Protocol | Failure::Redirects => Self::Protocol,
            Failure::TooLarge | Failure::Headers => Self::TooLarge,
            Failure::CircuitOpen => Self::CircuitOpen,
            Failure::Stopped => Self::Stopped,
        }
    }
}
