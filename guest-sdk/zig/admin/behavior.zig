//! An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
//! `./build` makes a module of it.

const std = @import("std");
const vs = @import("vespeiro/vespeiro.zig");

const login = vs.route(.post, "/api/v1/auth/login", "auth");
const refresh = vs.route(.post, "/api/v1/auth/refresh", "auth");
const logout = vs.route(.post, "/api/v1/auth/logout", "auth");
const people = vs.route(.get, "/api/v1/users", "user-query");
const person = vs.route(.get, "/api/v1/users/{id}", "user-query");
const by_name = vs.route(.get, "/api/v1/users/username/{username}", "user-query");
const add = vs.route(.post, "/api/v1/users", "user-mutation");
const edit = vs.route(.put, "/api/v1/users/{id}", "user-mutation");
const roles = vs.route(.get, "/api/v1/users/{userId}/roles", "role-permission");
const deactivate = vs.route(.put, "/api/v1/users/{id}/deactivate", "admin");
const remove = vs.route(.delete, "/api/v1/users/{id}", "admin");

/// The steps of the journey, then those of the cleanup, in their order. Each sends something, and goes on once that was
/// answered.
const Step = enum { come, log_in, browse, mistake, add, edit, look, deactivate, remove, leave, tidy, find, clean };

/// What a session keeps from one step to the next.
const Shift = struct {
    at: Step,
    bearer: vs.Tokens,
    id: vs.Text(63),
    name: vs.Text(63),
    username: vs.Text(95),
    page: i64,
    pages: i64,
    cleaned: usize,

    fn to(my: *Shift, step: Step) Step {
        my.at = step;
        return step;
    }
};

const Created = struct { data: struct { id: []const u8 } };

/// The account in the archetype's config.
fn administrator(me: *vs.Me) !vs.Tokens {
    const config = me.config(struct { admin: struct { email: []const u8, password: []const u8 } }) catch
        return me.fail("`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`");
    return .{ .name = me.remember(config.admin.email), .password = me.remember(config.admin.password), .lasting = true };
}

fn journey(me: *vs.Me, my: *Shift) !vs.Turn {
    sw: switch (my.at) {
        .come => {
            my.bearer = try administrator(me);
            continue :sw my.to(.log_in);
        },
        .log_in => {
            if (!try me.answered()) return me.logIn(&my.bearer);
            my.page = 1;
            my.pages = me.range(1, 3);
            me.think();
            continue :sw my.to(.browse);
        },
        .browse => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &people,
                .query = &.{ .{ "page", me.text("{d}", .{my.page}) }, .{ "per_page", "20" } },
                .bearer = &my.bearer,
            }});
            try me.expect(&.{200});
            const page = try me.read(struct { data: []const struct { id: []const u8 } });
            me.observe("people on a page", @floatFromInt(page.data.len));
            my.page += 1;
            if (my.page <= my.pages) {
                me.think();
                continue :sw my.to(.browse);
            }
            continue :sw my.to(.mistake);
        },
        .mistake => {
            if (!try me.answered()) switch (me.takeFault()) {
                .not_found => return me.send(&.{.{ .route = &person, .args = &.{"nobody"}, .bearer = &my.bearer, .fault = .not_found }}),
                .invalid_data => return me.send(&.{.{
                    .route = &add,
                    .json = me.json(.{ .username = "" }),
                    .bearer = &my.bearer,
                    .fault = .invalid_data,
                }}),
                else => {},
            };
            my.username.set(me.text("sim_user_{s}_{d}_{d}", .{ me.run, me.user.index, @as(u64, me.ordinal) * 1000 }));
            my.name.set(me.fake(.name));
            me.thinkLong();
            continue :sw my.to(.add);
        },
        .add => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &add,
                .json = me.json(.{
                    .username = my.username.get(),
                    .email = me.text("{s}@simulation.test", .{my.username.get()}),
                    .password = "SimPass123!",
                    .name = my.name.get(),
                }),
                .bearer = &my.bearer,
                .mark = me.text("user:{s}", .{my.username.get()}),
            }});
            try me.expect(&.{201});
            my.id.set((try me.read(Created)).data.id);
            my.name.set(me.fake(.name));
            me.thinkLong();
            continue :sw my.to(.edit);
        },
        .edit => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &edit,
                .args = &.{my.id.get()},
                .json = me.json(.{ .name = my.name.get() }),
                .bearer = &my.bearer,
            }});
            try me.expect(&.{200});
            continue :sw my.to(.look);
        },
        .look => {
            if (!try me.answered()) return me.send(&.{
                .{ .route = &person, .args = &.{my.id.get()}, .bearer = &my.bearer },
                .{ .route = &roles, .args = &.{my.id.get()}, .bearer = &my.bearer, .capture = .nothing },
            });
            try me.expect(&.{200});
            if (me.replies()[1].status != 200) return error.GaveUp;
            const read = try me.read(struct { data: struct { name: []const u8 } });
            me.check("a new name reads as written", vs.eql(read.data.name, my.name.get()));
            me.think();
            continue :sw my.to(.deactivate);
        },
        .deactivate => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &deactivate,
                .args = &.{my.id.get()},
                .bearer = &my.bearer,
                .capture = .nothing,
            }});
            try me.expect(&.{200});
            me.think();
            continue :sw my.to(.remove);
        },
        .remove => {
            if (!try me.answered()) return removeUser(me, my);
            try me.expect(&.{204});
            me.unmark(me.text("user:{s}", .{my.username.get()}));
            continue :sw my.to(.leave);
        },
        else => return if (try me.answered()) .done else me.logOut(&my.bearer),
    }
}

/// Logs out what sessions could not, then removes the users that they have left behind.
fn cleanup(me: *vs.Me, my: *Shift) !vs.Turn {
    sw: switch (my.at) {
        .come => {
            my.bearer = try administrator(me);
            continue :sw my.to(.tidy);
        },
        .tidy => {
            if (!me.answeredAnyhow() and try me.logOutMarked() == .waits) return .waits;
            continue :sw my.to(.find);
        },
        .find => {
            while (my.cleaned < me.marks().len and username(me, my) == null) my.cleaned += 1;
            if (my.cleaned == me.marks().len) continue :sw my.to(.leave);
            if (!try me.answered()) return me.send(&.{.{ .route = &by_name, .args = &.{username(me, my).?}, .bearer = &my.bearer }});
            if (me.reply().status == 200) {
                my.id.set((try me.read(Created)).data.id);
                continue :sw my.to(.clean);
            }
            if (me.reply().status == 404) me.unmark(me.marks()[my.cleaned]);
            my.cleaned += 1;
            continue :sw my.to(.find);
        },
        .clean => {
            if (!try me.answered()) return removeUser(me, my);
            try me.expect(&.{ 204, 404 });
            me.unmark(me.marks()[my.cleaned]);
            my.cleaned += 1;
            continue :sw my.to(.find);
        },
        else => return if (try me.answered()) .done else me.logOut(&my.bearer),
    }
}

/// The name in the mark of a user; null for a mark of another kind.
fn username(me: *const vs.Me, my: *const Shift) ?[]const u8 {
    const mark = std.mem.span(me.marks()[my.cleaned]);
    return if (std.mem.startsWith(u8, mark, "user:")) mark["user:".len..] else null;
}

fn removeUser(me: *vs.Me, my: *Shift) !vs.Turn {
    return me.send(&.{.{ .route = &remove, .args = &.{my.id.get()}, .bearer = &my.bearer, .capture = .nothing }});
}

pub const behavior = vs.define(.{
    .name = "my-behavior",
    .version = "0.1.0",
    .routes = &.{ &login, &refresh, &logout, &people, &person, &by_name, &add, &edit, &roles, &deactivate, &remove },
    .login = &login,
    .refresh = &refresh,
    .logout = &logout,
    .State = Shift,
}, journey, cleanup);

comptime {
    @export(&behavior, .{ .name = "vs_behavior_of_module" });
}
