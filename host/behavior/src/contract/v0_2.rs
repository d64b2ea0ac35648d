//! Version 0.2 of the contract. A request names its route by its place in the description, and what belongs to the route is
//! said there once; the host has the same kinds of failures, and passes on by its word what this version does not know yet.

use crate::types::{
    Action, Body, Content, Ending, Message, Once, Operation, Piece, Request, RequestKind, Response,
    Route, RouteRef,
};
use vespeiro_model::{ChannelKind, Failure, FaultKind, Word as _};

version! {
    wit: "../../guest-sdk/wit/0.2",
    text: "../../../../guest-sdk/wit/0.2/behavior.wit",
    first: "0.2.0",
    host: {
        fn secret(&mut self, name: String) -> wasmtime::Result<Option<String>> {
            self.give_secret(&name)
        }

        fn begin(&mut self, name: String) -> wasmtime::Result<()> {
            self.take_begin(&name)
        }

        fn abandoned(&mut self, reason: String, place: Option<String>) -> wasmtime::Result<()> {
            self.take_abandoned(&reason, place.as_deref())
        }

        fn share(&mut self, value: String) -> wasmtime::Result<()> {
            self.take_share(value)
        }

        fn shared(&mut self) -> wasmtime::Result<Option<String>> {
            self.give_shared()
        }

        fn remember(&mut self, notes: String) -> wasmtime::Result<()> {
            self.take_notes(&notes)
        }

        fn remembered(&mut self) -> wasmtime::Result<Option<String>> {
            Ok(self.give_notes())
        }

        fn end(&mut self, name: String, passed: bool) -> wasmtime::Result<()> {
            self.take_end(&name, passed)
        }
    }
}

/// Most statuses of a request that are no error.
const MAX_EXPECTED: usize = 16;

/// What the places that requests name stand for.
#[derive(Default)]
struct Described {
    routes: Vec<Place>,
    categories: usize,
}

/// What follows from a route.
struct Place {
    method: Method,
    kind: RequestKind,
    /// `None`: it has one that the description lacks, and is refused.
    category: Option<u16>,
    grpc: bool,
}

impl Described {
    fn of(said: &wit::Description) -> Self {
        let categories = &said.categories;
        let routes = said.routes.iter().map(|route| Place {
            method: route.method.into(),
            kind: match route.kind {
                wit::Kind::Plain => RequestKind::Plain,
                wit::Kind::Login => RequestKind::Login,
                wit::Kind::Refresh => RequestKind::Refresh,
                wit::Kind::Logout => RequestKind::Logout,
            },
            category: categories
                .iter()
                .position(|category| *category == route.category)
                .map(|place| place as u16),
            grpc: route.grpc,
        });
        Self {
            routes: routes.collect(),
            categories: categories.len(),
        }
    }

    fn step(&self, step: wit::Step) -> Result<Step, String> {
        Ok(Step {
            delay_ms: step.delay_ms,
            action: match step.action {
                wit::Action::Requests(requests) => {
                    let each = requests.into_iter().map(|request| self.request(request));
                    Action::Requests(each.collect::<Result<_, _>>()?)
                }
                wit::Action::Operations(operations) => {
                    let each = operations.into_iter().map(|one| self.operation(one));
                    action(each.collect::<Result<_, _>>()?)
                }
                wit::Action::Done(ending) => Action::Done(match ending {
                    wit::Ending::Completed => Ending::Completed,
                    wit::Ending::Abandoned => Ending::Abandoned,
                }),
            },
        })
    }

    fn operation(&self, operation: wit::Operation) -> Result<Operation, String> {
        Ok(match operation {
            wit::Operation::Request(request) => Operation::Request(self.request(request)?),
            wit::Operation::Open(wit::Opening { protocol, request }) => {
                let protocol = match protocol {
                    wit::Protocol::Websocket => ChannelKind::WebSocket,
                    wit::Protocol::EventStream => ChannelKind::EventStream,
                };
                let request = self.request(request)?;
                if request.grpc {
                    return Err("a method of gRPC cannot open a channel".to_owned());
                }
                Operation::Open(protocol, request)
            }
            wit::Operation::Send(wit::Sending { channel, content }) => Operation::Send {
                channel,
                content: match content {
                    wit::Content::Text(text) => Content::Text(text),
                    wit::Content::Binary(bytes) => Content::Binary(bytes),
                    wit::Content::End => Content::End,
                },
            },
            wit::Operation::Receive(receiving) => Operation::Receive {
                channel: receiving.channel,
                at_most: receiving.at_most,
                within_ms: receiving.within_ms,
            },
            wit::Operation::Close(channel) => Operation::Close(channel),
        })
    }

    fn request(&self, request: wit::Request) -> Result<Request, String> {
        let place = request.route;
        let Some(route) = self.routes.get(usize::from(place)) else {
            let last = self.routes.len();
            return Err(format!(
                "a request names the route {place}, and its description has {last}"
            ));
        };
        if let Some(category) = request.category
            && usize::from(category) >= self.categories
        {
            let last = self.categories;
            return Err(format!(
                "a request names the category {category}, and its description has {last}"
            ));
        }
        if request.expect.len() > MAX_EXPECTED {
            let expected = request.expect.len();
            return Err(format!(
                "a request expects {expected} statuses, and {MAX_EXPECTED} are allowed"
            ));
        }
        let body = request.body.map(Body::from);
        if route.grpc && matches!(body, Some(Body::Pieces(_))) {
            return Err("a method of gRPC takes its message as bytes alone".to_owned());
        }
        Ok(Request {
            method: route.method,
            kind: route.kind,
            grpc: route.grpc,
            path: request.path,
            route: RouteRef::Described(place),
            category: request.category.or(route.category),
            headers: request.headers,
            body,
            expect: request.expect,
            capture: request.capture.into(),
            timeout_ms: request.timeout_ms,
            mark: request.mark,
            fault: request.fault.map(FaultKind::try_from).transpose()?,
        })
    }
}

impl From<wit::Body> for Body {
    fn from(body: wit::Body) -> Self {
        match body {
            wit::Body::Bytes(bytes) => Self::Bytes(bytes),
            wit::Body::Pieces(pieces) => {
                let each = pieces.into_iter().map(|piece| match piece {
                    wit::Piece::Bytes(bytes) => Piece::Bytes(bytes),
                    wit::Piece::File(name) => Piece::File(name),
                });
                Self::Pieces(each.collect())
            }
        }
    }
}

/// Operations that are all requests are sent as such.
fn action(operations: Vec<Operation>) -> Action {
    if !operations
        .iter()
        .all(|one| matches!(one, Operation::Request(_)))
    {
        return Action::Operations(operations);
    }
    let requests = operations.into_iter().filter_map(|one| match one {
        Operation::Request(request) => Some(request),
        _ => None,
    });
    Action::Requests(requests.collect())
}

fn once(said: &wit::Description) -> Vec<Once> {
    let flags = [
        (wit::Once::PREPARE, Once::Prepare),
        (wit::Once::TEARDOWN, Once::Teardown),
    ];
    let told = flags
        .into_iter()
        .filter(|(flag, _)| said.once.contains(*flag));
    told.map(|(_, once)| once).collect()
}

fn purpose(once: Once) -> wit::Purpose {
    match once {
        Once::Prepare => wit::Purpose::Prepare,
        Once::Teardown => wit::Purpose::Teardown,
    }
}

fn of_channel(outcome: Outcome) -> wit::Outcome {
    match outcome {
        Outcome::Opened(opened) => wit::Outcome::Opened(wit::Opened {
            channel: opened.channel,
            status: opened.status,
            headers: opened.headers,
            latency_us: opened.latency_us,
        }),
        Outcome::Received(received) => wit::Outcome::Received(wit::Received {
            messages: received.messages.into_iter().map(Into::into).collect(),
            dropped: received.dropped,
        }),
        Outcome::Done | Outcome::Response(_) | Outcome::Failed(_) => wit::Outcome::Done,
    }
}

impl From<Message> for wit::Message {
    fn from(message: Message) -> Self {
        Self {
            content: match message.content {
                Content::Text(text) => wit::Content::Text(text),
                Content::Binary(bytes) => wit::Content::Binary(bytes),
                Content::End => wit::Content::End,
            },
            event: message.event,
            id: message.id,
            at_us: message.at_us,
        }
    }
}

impl From<wit::Route> for Route {
    fn from(route: wit::Route) -> Self {
        Self {
            method: route.method.into(),
            path: route.path,
            category: route.category,
            target: route.target,
            grpc: route.grpc,
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
            grpc: response.grpc.map(|grpc| wit::GrpcStatus {
                code: grpc.code.number().into(),
                message: grpc.message,
                trailers: grpc.trailers,
            }),
        }
    }
}

impl TryFrom<wit::Fault> for FaultKind {
    type Error = String;

    fn try_from(fault: wit::Fault) -> Result<Self, String> {
        Ok(match fault {
            wit::Fault::BadCredentials => Self::BadCredentials,
            wit::Fault::Forbidden => Self::Forbidden,
            wit::Fault::InvalidData => Self::InvalidData,
            wit::Fault::NotFound => Self::NotFound,
            wit::Fault::RateLimit => Self::RateLimit,
            wit::Fault::Other(word) => {
                let known = Self::from_word(&word).filter(|kind| !kind.is_hosts());
                return known.ok_or_else(|| {
                    format!("a request commits the fault {word:?}, which this host does not know")
                });
            }
        })
    }
}

impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Connect => Self::Connect,
            Failure::Tls => Self::Tls,
            Failure::Reset => Self::Reset,
            Failure::Protocol => Self::Protocol,
            Failure::TooLarge => Self::TooLarge,
            Failure::Redirects => Self::Redirects,
            Failure::Unprocessed => Self::Unprocessed,
            Failure::Channel => Self::Channel,
            Failure::Generator => Self::Generator,
            Failure::CircuitOpen => Self::CircuitOpen,
            Failure::Stopped => Self::Stopped,
            other => Self::Other(other.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_but_for_two_have_a_case_of_their_own() {
        let others = Failure::ALL
            .into_iter()
            .filter(|kind| matches!((*kind).into(), wit::Failure::Other(_)));
        assert_eq!(
            others.collect::<Vec<_>>(),
            [Failure::Headers, Failure::File]
        );
    }
}
