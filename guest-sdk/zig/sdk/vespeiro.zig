//! What a behavior in Zig is written with: routes, journeys, requests, pauses, JSON, and what a journey may say and draw. It
//! is the SDK of C in Zig's words: sessions, tokens and memory are in `c/`. A journey is a labeled switch, called anew for
//! each step; what it needs after a request it keeps in its state. What comes from `Me` is there until the next request.

const std = @import("std");
const c = @import("c.zig");

pub const Method = enum(c_int) { get, head, post, put, patch, delete, options };

/// One route that a behavior may use, and the category of its requests.
pub const Route = extern struct {
    method: Method,
    path: [*:0]const u8,
    category: [*:0]const u8,
};

pub fn route(comptime method: Method, comptime path: [:0]const u8, comptime category: [:0]const u8) Route {
    return .{ .method = method, .path = path, .category = category };
}

/// The wrong request that the host asks for.
pub const Fault = enum(c_int) { none, bad_credentials, forbidden, invalid_data, not_found, rate_limit };
pub const Failure = enum(c_int) { none, timeout, connect, tls, reset, protocol, too_large, circuit_open, stopped };
pub const Capture = enum(c_int) { body, nothing, headers, everything };
pub const Level = enum(c_int) { debug, info, warn, @"error" };

/// What a journey says at each step. It gives up with `error.GaveUp`; any other error fails the session, and is logged.
pub const Turn = enum { waits, done };

/// Tokens of an account, got before the first request that names them, renewed, and got anew after a 401. Give it a name
/// and a password that stay as long as the session, and say whether it is `lasting`: an account that is none of the run's,
/// such as an administrator's, outlives the run, and so would its tokens. They are marked while they live, and cleanup logs
/// out (`Me.logOutMarked`) what a session that was cut could not. The rest is the SDK's.
pub const Tokens = extern struct {
    name: ?[*:0]const u8 = null,
    password: ?[*:0]const u8 = null,
    lasting: bool = false,
    bearer: ?[*:0]u8 = null,
    refresh: ?[*:0]u8 = null,
    due_ms: u64 = 0,
    is_fresh: bool = false,
    next: ?*Tokens = null,
};

pub const Pair = struct { []const u8, []const u8 };

/// One request. All but the route may be left out.
pub const Call = struct {
    route: *const Route,
    /// Fill the path's placeholders, in order; percent-encoded here. At most 4; of the pairs, 8 each.
    args: []const []const u8 = &.{},
    query: []const Pair = &.{},
    headers: []const Pair = &.{},
    /// See `Me.json`.
    json: ?[:0]const u8 = null,
    body: ?[]const u8 = null,
    bearer: ?*Tokens = null,
    capture: Capture = .body,
    /// What this creates, `<kind>:<name>`: the host notes it before the request leaves.
    mark: ?[:0]const u8 = null,
    /// Set when the request is wrong on purpose.
    fault: Fault = .none,
    category: ?[:0]const u8 = null,
    timeout_ms: u32 = 0,
};

const Header = extern struct { name: c.Span, value: c.Span };

/// What one request brought back.
pub const Reply = extern struct {
    /// HTTP status; 0 when there was no response.
    status: c_uint,
    failure: Failure,
    body_span: c.Span,
    headers: ?[*]const Header,
    header_count: usize,
    latency_us: u64,

    pub fn body(reply: *const Reply) []const u8 {
        return slice(reply.body_span);
    }

    /// A captured header; `name` in lower case.
    pub fn header(reply: *const Reply, name: []const u8) ?[]const u8 {
        for (0..reply.header_count) |at| {
            const one = reply.headers.?[at];
            if (std.mem.eql(u8, slice(one.name), name)) return slice(one.value);
        }
        return null;
    }
};

/// Text of a journey's state; what does not fit is cut off.
pub fn Text(comptime size: usize) type {
    return extern struct {
        bytes: [size:0]u8,

        pub fn set(self: *@This(), text: []const u8) void {
            const held = @min(text.len, size);
            @memcpy(self.bytes[0..held], text[0..held]);
            self.bytes[held] = 0;
        }

        pub fn get(self: *const @This()) [:0]const u8 {
            return std.mem.span(@as([*:0]const u8, &self.bytes));
        }
    };
}

pub const Choice = struct { weight: f64, category: ?[:0]const u8 = null };

pub const User = extern struct {
    index: u32,
    seed: u64,
    username: [*:0]const u8,
    email: [*:0]const u8,
    password: [*:0]const u8,
    name: [*:0]const u8,
};

/// What a journey is given.
pub const Me = extern struct {
    user: User,
    /// How many sessions this user has begun before.
    ordinal: u32,
    /// Identifier of the run; goes into the name of whatever is created.
    run: [*:0]const u8,
    config_span: c.Span,
    /// Bounds of the plan's pauses.
    delay_min_ms: u32,
    delay_max_ms: u32,
    mark_list: ?[*]const [*:0]const u8,
    mark_count: usize,
    /// Since the session began, pauses included.
    elapsed_ms: u64,
    /// How many more requests this user may send. At 0 the next request ends the session.
    requests_left: u32,
    reply_list: ?[*]const Reply,
    reply_count: usize,
    state: *anyopaque,
    session: *anyopaque,

    // Requests

    /// Whether what this step sends has been answered; without a response the person gives up. A step asks first:
    /// `if (!try me.answered()) return me.send(&.{…});`
    pub fn answered(me: *Me) error{GaveUp}!bool {
        const here = me.answeredAnyhow();
        if (here and c.vs_any_failed(me)) return error.GaveUp;
        return here;
    }

    /// The same, whatever came: look at the reply's `failure`.
    pub fn answeredAnyhow(me: *Me) bool {
        return c.vs_answered(me);
    }

    /// Send these together, and wait for their replies.
    pub fn send(me: *Me, calls: []const Call) !Turn {
        for (calls) |call| {
            if (call.args.len > 4 or call.query.len > 8 or call.headers.len > 8) return error.TooManyArguments;
            var one: c.Call = .{
                .route = call.route,
                .json = call.json orelse null,
                .body = if (call.body) |body| .{ .at = body.ptr, .size = body.len } else .{},
                .bearer = call.bearer,
                .capture = call.capture,
                .mark = call.mark orelse null,
                .fault = call.fault,
                .category = call.category orelse null,
                .timeout_ms = call.timeout_ms,
            };
            for (call.args, 0..) |arg, at| one.args[at] = me.keep(arg);
            for (call.query, 0..) |pair, at| one.query[at] = .{ .name = me.keep(pair[0]), .value = me.keep(pair[1]) };
            for (call.headers, 0..) |pair, at| one.headers[at] = .{ .name = me.keep(pair[0]), .value = me.keep(pair[1]) };
            c.vs_add(me, &one);
        }
        return turn(c.vs_post(me));
    }

    /// Log in now rather than with the first request.
    pub fn logIn(me: *Me, tokens: *Tokens) !Turn {
        return turn(c.vs_log_in(me, tokens));
    }

    /// Log out, forget the tokens and be done; nothing is sent where there is none.
    pub fn logOut(me: *Me, tokens: *Tokens) !Turn {
        return if (c.vs_has_logout(me, tokens)) turn(c.vs_log_out(me, tokens)) else .done;
    }

    /// For a cleanup: log out the tokens among the marks, one by one; done where there are none. A token keeps its mark where
    /// the target does not let it go: a step asks `me.answeredAnyhow()`.
    pub fn logOutMarked(me: *Me) !Turn {
        return if (c.vs_has_marked(me)) turn(c.vs_log_out_marked(me)) else .done;
    }

    /// The replies to what was sent last, in order.
    pub fn replies(me: *const Me) []const Reply {
        return if (me.reply_list) |list| list[0..me.reply_count] else &.{};
    }

    pub fn reply(me: *const Me) *const Reply {
        return &me.reply_list.?[0];
    }

    /// Go on only with one of these statuses; otherwise the person gives up.
    pub fn expect(me: *const Me, statuses: []const c_uint) error{GaveUp}!void {
        if (std.mem.findScalar(c_uint, statuses, me.reply().status) == null) return error.GaveUp;
    }

    /// The first reply's body, read as JSON of this type; unknown fields are left out. The person gives up where it is not.
    pub fn read(me: *Me, comptime T: type) error{GaveUp}!T {
        return parse(T, me.reply().body()) catch {
            _ = c.vs_unexpected_body(me, @typeName(T));
            return error.GaveUp;
        };
    }

    /// The archetype's configuration from the plan.
    pub fn config(me: *Me, comptime T: type) !T {
        return parse(T, slice(me.config_span));
    }

    /// What cleanup has to remove, oldest first.
    pub fn marks(me: *const Me) []const [*:0]const u8 {
        return if (me.mark_list) |list| list[0..me.mark_count] else &.{};
    }

    /// Fail the session: the behavior itself is wrong.
    pub fn fail(me: *Me, message: [:0]const u8) error{Failed} {
        _ = c.vs_fail(me, message);
        return error.Failed;
    }

    // Text

    pub fn text(me: *Me, comptime format: []const u8, values: anytype) [:0]const u8 {
        _ = me;
        return std.fmt.allocPrintSentinel(scratch, format, values, 0) catch unreachable; // without memory, scratch traps
    }

    /// Any value as JSON: `me.json(.{ .name = name })`.
    pub fn json(me: *Me, value: anytype) [:0]const u8 {
        return me.keep(std.json.Stringify.valueAlloc(scratch, value, .{}) catch unreachable);
    }

    /// A copy that stays as long as the session.
    pub fn remember(me: *Me, what: []const u8) [*:0]const u8 {
        return c.vs_remember(me, me.keep(what));
    }

    fn keep(me: *Me, what: []const u8) [:0]const u8 {
        _ = me;
        return scratch.dupeSentinel(u8, what, 0) catch unreachable;
    }

    // Pauses: within the plan's pace; they delay what is sent next, by an hour at most

    pub fn think(me: *Me) void {
        c.vs_think(me);
    }

    /// Before sending a form: in the upper half of the pace.
    pub fn thinkLong(me: *Me) void {
        c.vs_think_long(me);
    }

    /// As between quick searches: in the lowest tenth of the pace.
    pub fn thinkBriefly(me: *Me) void {
        c.vs_think_briefly(me);
    }

    pub fn thinkBetween(me: *Me, min_ms: u32, max_ms: u32) void {
        c.vs_think_between(me, min_ms, max_ms);
    }

    /// Exactly this long, whatever the pace.
    pub fn wait(me: *Me, ms: u32) void {
        c.vs_wait(me, ms);
    }

    // What a journey says

    /// Count a check: something that should hold, and whether it did.
    pub fn check(me: *Me, name: [:0]const u8, passed: bool) void {
        _ = c.vs_check(me, name, passed);
    }

    pub fn observe(me: *Me, metric: [:0]const u8, value: f64) void {
        c.vs_observe(me, metric, value);
    }

    /// Say that something was created; a call's `mark` says it earlier and is safer.
    pub fn mark(me: *Me, thing: [*:0]const u8) void {
        c.vs_mark(me, thing);
    }

    /// Say that a marked thing is gone.
    pub fn unmark(me: *Me, thing: [*:0]const u8) void {
        c.vs_unmark(me, thing);
    }

    /// Write a line to the host's log. Never a secret.
    pub fn log(me: *Me, level: Level, message: [:0]const u8) void {
        c.vs_log(me, @intFromEnum(level), message);
    }

    /// The next row of one of the plan's data feeds; null when there is none for this user.
    pub fn feed(me: *Me, comptime T: type, name: [:0]const u8) !?T {
        const row = c.vs_feed(me, name);
        return if (row.at == null) null else try parse(T, slice(row));
    }

    /// The wrong request that the host asks for right now, once: whoever takes it commits it with the next request.
    pub fn takeFault(me: *Me) Fault {
        return c.vs_take_fault(me);
    }

    /// How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted.
    pub fn wanted(me: *Me, category: [:0]const u8) f64 {
        return c.vs_wanted(me, category);
    }

    // What a journey draws: from the session's seed, and nothing else is random

    /// At least 0, less than 1.
    pub fn random(me: *Me) f64 {
        return c.vs_random(me);
    }

    /// A whole number, both bounds included.
    pub fn range(me: *Me, min: i64, max: i64) i64 {
        return c.vs_range(me, min, max);
    }

    pub fn chance(me: *Me, probability: f64) bool {
        return c.vs_chance(me, probability);
    }

    /// The position of one of the choices: by weight, steered towards the categories that the plan's mix still wants.
    pub fn choose(me: *Me, comptime choices: []const Choice) usize {
        var list: [choices.len]c.Choice = undefined;
        inline for (choices, 0..) |choice, at| list[at] = .{ .weight = choice.weight, .category = choice.category orelse null };
        return c.vs_choose(me, &list, list.len);
    }

    /// Made-up data.
    pub fn fake(me: *Me, kind: enum { name, city, bio, phone, website, birth_date, search }) []const u8 {
        return std.mem.span(switch (kind) {
            .name => c.vs_fake_name(me),
            .city => c.vs_fake_city(me),
            .bio => c.vs_fake_bio(me),
            .phone => c.vs_fake_phone(me),
            .website => c.vs_fake_website(me),
            .birth_date => c.vs_fake_birth_date(me),
            .search => c.vs_fake_search(me),
        });
    }
};

/// A behavior as its module's author defines it.
pub const Definition = struct {
    name: [:0]const u8,
    version: [:0]const u8,
    /// Every route that it may use.
    routes: []const *const Route,
    /// Where tokens log in, renew and log out.
    login: ?*const Route = null,
    refresh: ?*const Route = null,
    logout: ?*const Route = null,
    /// What the login calls the account's name.
    login_name: [:0]const u8 = "email",
    /// What a session keeps from step to step, all zero when it begins.
    State: type,
};

/// `journey` and `cleanup` are `fn (me: *Me, my: *State) !Turn`; without a cleanup, null.
pub fn define(comptime of: Definition, comptime journey: anytype, comptime cleanup: anytype) c.Behavior {
    const routes = comptime blk: {
        var list: [of.routes.len + 1]?*const Route = @splat(null);
        for (of.routes, 0..) |one, at| list[at] = one;
        break :blk list;
    };
    return .{
        .name = of.name,
        .version = of.version,
        .routes = &routes,
        .login = of.login,
        .refresh = of.refresh,
        .logout = of.logout,
        .login_name = of.login_name,
        .journey = part(of.State, journey),
        .cleanup = if (@TypeOf(cleanup) == @TypeOf(null)) null else part(of.State, cleanup),
        .state = @sizeOf(of.State),
    };
}

fn part(comptime State: type, comptime played: anytype) *const fn (me: *Me) callconv(.c) c.Turn {
    return &struct {
        fn step(me: *Me) callconv(.c) c.Turn {
            const said: anyerror!Turn = played(me, @as(*State, @ptrCast(@alignCast(me.state))));
            return if (said) |one| switch (one) {
                .waits => .waits,
                .done => .done,
            } else |wrong| switch (wrong) {
                error.GaveUp => .gave_up,
                error.Failed => .failed,
                else => c.vs_fail(me, @errorName(wrong)),
            };
        }
    }.step;
}

fn turn(said: c.Turn) !Turn {
    return switch (said) {
        .waits => .waits,
        .done => .done,
        .gave_up => error.GaveUp,
        .failed => error.Failed,
    };
}

fn slice(span: c.Span) []const u8 {
    return if (span.at) |at| at[0..span.size] else &.{};
}

fn parse(comptime T: type, text: []const u8) !T {
    return std.json.parseFromSliceLeaky(T, scratch, text, .{ .ignore_unknown_fields = true });
}

/// Memory that is there until the next request is sent.
pub const scratch: std.mem.Allocator = .{ .ptr = undefined, .vtable = &.{
    .alloc = allocate,
    .resize = std.mem.Allocator.noResize,
    .remap = std.mem.Allocator.noRemap,
    .free = std.mem.Allocator.noFree,
} };

fn allocate(_: *anyopaque, size: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
    return if (alignment.toByteUnits() > 16) null else c.vs_scratch(size);
}

pub fn eql(one: []const u8, other: []const u8) bool {
    return std.mem.eql(u8, one, other);
}
