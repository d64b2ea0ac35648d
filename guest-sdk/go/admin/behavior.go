// An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
// `./build` makes a module of it.

package main

import (
	"fmt"
	"strings"

	"my-behavior/vespeiro"
)

var (
	login      = &vespeiro.Route{vespeiro.POST, "/api/v1/auth/login", "auth"}
	refresh    = &vespeiro.Route{vespeiro.POST, "/api/v1/auth/refresh", "auth"}
	logout     = &vespeiro.Route{vespeiro.POST, "/api/v1/auth/logout", "auth"}
	people     = &vespeiro.Route{vespeiro.GET, "/api/v1/users", "user-query"}
	person     = &vespeiro.Route{vespeiro.GET, "/api/v1/users/{id}", "user-query"}
	byName     = &vespeiro.Route{vespeiro.GET, "/api/v1/users/username/{username}", "user-query"}
	add        = &vespeiro.Route{vespeiro.POST, "/api/v1/users", "user-mutation"}
	edit       = &vespeiro.Route{vespeiro.PUT, "/api/v1/users/{id}", "user-mutation"}
	roles      = &vespeiro.Route{vespeiro.GET, "/api/v1/users/{userId}/roles", "role-permission"}
	deactivate = &vespeiro.Route{vespeiro.PUT, "/api/v1/users/{id}/deactivate", "admin"}
	remove     = &vespeiro.Route{vespeiro.DELETE, "/api/v1/users/{id}", "admin"}
)

type object = map[string]any

type found struct {
	Data struct{ ID, Name string }
}

func journey(me *vespeiro.Me) {
	bearer := administrator(me)
	bearer.LogIn()
	pages := me.Range(1, 3)
	for page := 1; page <= pages; page++ {
		me.Think()
		var list struct{ Data []struct{ ID string } }
		me.Send(people.With().Query("page", page).Query("per_page", 20).Bearer(bearer)).Expect(200).JSON(&list)
		me.Observe("people on a page", float64(len(list.Data)))
	}
	mistake(me, bearer)

	me.ThinkLong()
	username := fmt.Sprintf("sim_user_%s_%d_%d", me.Run, me.User.Index, me.Ordinal*1000)
	mark := "user:" + username
	account := object{"username": username, "email": username + "@simulation.test", "password": "SimPass123!", "name": me.FakeName()}
	var added found
	me.Send(add.With().JSON(account).Bearer(bearer).Mark(mark)).Expect(201).JSON(&added)
	id := added.Data.ID

	me.ThinkLong()
	renamed := me.FakeName()
	me.Send(edit.With(id).JSON(object{"name": renamed}).Bearer(bearer)).Expect(200)
	both := me.All(
		person.With(id).Bearer(bearer),
		roles.With(id).Bearer(bearer).Capture(vespeiro.Nothing),
	)
	var read found
	both[0].Expect(200).JSON(&read)
	both[1].Expect(200)
	me.Check("a new name reads as written", read.Data.Name == renamed)

	me.Think()
	me.Send(deactivate.With(id).Bearer(bearer).Capture(vespeiro.Nothing)).Expect(200)
	me.Think()
	me.Send(remove.With(id).Bearer(bearer).Capture(vespeiro.Nothing)).Expect(204)
	me.Unmark(mark)
	bearer.LogOut()
}

// Logs out what sessions could not, then removes the users that they have left behind.
func cleanup(me *vespeiro.Me) {
	bearer := administrator(me)
	for _, mark := range me.LogOutMarked() {
		username, isUser := strings.CutPrefix(mark, "user:")
		if !isUser {
			continue
		}
		reply := me.Send(byName.With(username).Bearer(bearer))
		if reply.OK() {
			var one found
			reply.JSON(&one)
			me.Send(remove.With(one.Data.ID).Bearer(bearer).Capture(vespeiro.Nothing)).Expect(204, 404)
		}
		if reply.OK() || reply.Status == 404 {
			me.Unmark(mark)
		}
	}
	bearer.LogOut()
}

// A wrong request, when the run's error mix asks for one.
func mistake(me *vespeiro.Me, bearer *vespeiro.Tokens) {
	switch fault := me.TakeFault(); fault {
	case vespeiro.NotFound:
		me.Send(person.With("nobody").Bearer(bearer).Fault(fault))
	case vespeiro.InvalidData:
		me.Send(add.With().JSON(object{"username": ""}).Bearer(bearer).Fault(fault))
	}
}

func administrator(me *vespeiro.Me) *vespeiro.Tokens {
	var config struct {
		Admin struct{ Email, Password string }
	}
	me.Config(&config)
	if config.Admin.Email == "" {
		me.Fail("`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`")
	}
	return me.Tokens(config.Admin.Email, config.Admin.Password).Lasting()
}

var behavior = &vespeiro.Behavior{
	Name:    "my-behavior",
	Version: "0.1.0",
	Routes:  []*vespeiro.Route{login, refresh, logout, people, person, byName, add, edit, roles, deactivate, remove},
	Login:   login,
	Refresh: refresh,
	Logout:  logout,
	Journey: journey,
	Cleanup: cleanup,
}

func init() { vespeiro.Export(behavior) }

func main() {}
