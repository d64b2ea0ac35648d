//! The test harness: plays a behavior natively, against scripted replies, so that an author tests a journey without a
//! network. It runs the executor that the module runs, and refuses what the host would refuse.

const std = @import("std");
const c = @import("c.zig");
const vespeiro = @import("vespeiro.zig");

const Text = [*:0]const u8;

/// What a request to a route is answered. Of several for one route each is given once, in order, and the last one stays.
pub const Reply = extern struct {
    /// `GET /users/{id}`, or `*` for all that no other is for; the last entry of all has none.
    route: ?Text = null,
    status: c_uint = 0,
    /// JSON.
    body: ?Text = null,
    /// Instead of a status.
    failure: vespeiro.Failure = .none,
    /// Only for paths that end like this.
    ends: ?Text = null,
};

pub const Script = extern struct {
    /// Up to one without a route.
    replies: [*]const Reply,
    seed: u64 = 1,
    user: u32 = 0,
    ordinal: u32 = 0,
    config: ?Text = null,
    delay_min_ms: u32 = 100,
    delay_max_ms: u32 = 2000,
    /// How many requests there may be.
    budget: u32 = 1000,
    without_pauses: bool = false,
    /// The fault to ask for until it is committed.
    fault: vespeiro.Fault = .none,
    /// Points by category, in the order of the routes.
    wanted: ?[*]const f32 = null,
    /// Marks to clean up after, up to null.
    cleanup: ?[*]const ?Text = null,
    /// What the data feed of any name gives.
    feed: ?Text = null,
};

pub const Request = extern struct {
    /// `GET /users/{id}`
    route: Text,
    path: Text,
    body: ?Text,
    mark: ?Text,
    category: Text,
    authorization: ?Text,
    fault: vespeiro.Fault,
    timeout_ms: u32,
    step: usize,
    delay_ms: u32,
};

pub const Said = extern struct {
    name: Text,
    passed: bool,
    value: f64,
};

const most = 1024;

/// What came of a session. It is overwritten by the next one.
pub const Played = extern struct {
    ending_text: ?Text,
    error_text: ?Text,
    request_list: [most]Request,
    check_list: [most]Said,
    observed_list: [most]Said,
    mark_list: [most]Text,
    unmark_list: [most]Text,
    log_list: [most]Text,
    request_count: usize,
    check_count: usize,
    observed_count: usize,
    mark_count: usize,
    unmark_count: usize,
    log_count: usize,
    steps: usize,
    elapsed_ms: u64,

    /// The session has to have ended like this, `completed` or `abandoned`.
    pub fn ended(played: *const Played, how: [:0]const u8) !void {
        if (!c.vs_ended(played, how)) return error.EndedOtherwise;
    }

    /// Why there is no ending.
    pub fn failure(played: *const Played) []const u8 {
        return if (played.error_text) |text| std.mem.span(text) else "";
    }

    pub fn requests(played: *const Played) []const Request {
        return played.request_list[0..played.request_count];
    }

    /// The route of a request.
    pub fn route(played: *const Played, at: usize) []const u8 {
        return std.mem.span(played.requests()[at].route);
    }

    pub fn checks(played: *const Played) []const Said {
        return played.check_list[0..played.check_count];
    }

    /// How many marks, of requests and outside of them, were not taken back.
    pub fn leftBehind(played: *const Played) usize {
        return c.vs_left_behind(played);
    }

    pub fn wasUnmarked(played: *const Played, thing: [:0]const u8) bool {
        return c.vs_was_unmarked(played, thing);
    }
};

/// Play one session to its end.
pub fn play(behavior: *const c.Behavior, script: Script) *const Played {
    return c.vs_play(behavior, &script);
}
