// Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

package main

import "my-behavior/vespeiro"

var (
	login    = &vespeiro.Route{vespeiro.POST, "/api/v1/auth/login", "auth"}
	refresh  = &vespeiro.Route{vespeiro.POST, "/api/v1/auth/refresh", "auth"}
	logout   = &vespeiro.Route{vespeiro.POST, "/api/v1/auth/logout", "auth"}
	people   = &vespeiro.Route{vespeiro.GET, "/api/v1/users", "user-query"}
	person   = &vespeiro.Route{vespeiro.GET, "/api/v1/users/{id}", "user-query"}
	register = &vespeiro.Route{vespeiro.POST, "/api/v1/users", "user-mutation"}
	edit     = &vespeiro.Route{vespeiro.PUT, "/api/v1/users/{id}", "user-mutation"}
	roles    = &vespeiro.Route{vespeiro.GET, "/api/v1/users/{userId}/roles", "role-permission"}
)

type object = map[string]any

func journey(me *vespeiro.Me) {
	user := me.User
	if me.Ordinal == 0 {
		me.ThinkLong()
		account := object{"username": user.Username, "email": user.Email, "password": user.Password, "name": user.Name}
		me.Send(register.With().JSON(account).Mark("user:"+user.Username)).Expect(200, 201, 409)
	}
	me.Think()
	bearer := me.Tokens(user.Email, user.Password)
	var in struct {
		Data struct{ User struct{ ID string } }
	}
	bearer.LogIn().JSON(&in)
	id := in.Data.User.ID

	pages := me.Range(1, 3)
	for page := 1; page <= pages; page++ {
		me.Think()
		var list struct{ Data []struct{ ID string } }
		me.Send(people.With().Query("page", page).Query("per_page", 10).Bearer(bearer)).Expect(200).JSON(&list)
		me.Observe("people on a page", float64(len(list.Data)))
	}
	mistake(me, id, bearer)
	me.Think()
	mine := me.All(
		person.With(id).Bearer(bearer),
		roles.With(id).Bearer(bearer).Capture(vespeiro.Nothing),
	)
	mine[0].Expect(200)

	me.ThinkLong()
	renamed := me.FakeName()
	me.Send(edit.With(id).JSON(object{"name": renamed}).Bearer(bearer)).Expect(200)
	var read struct{ Data struct{ Name string } }
	me.Send(person.With(id).Bearer(bearer)).Expect(200).JSON(&read)
	me.Check("a new name reads as written", read.Data.Name == renamed)
	bearer.LogOut()
}

// A wrong request, when the run's error mix asks for one.
func mistake(me *vespeiro.Me, id string, bearer *vespeiro.Tokens) {
	switch fault := me.TakeFault(); fault {
	case vespeiro.NotFound:
		me.Send(person.With("nobody").Bearer(bearer).Fault(fault))
	case vespeiro.InvalidData:
		me.Send(edit.With(id).JSON(object{"name": ""}).Bearer(bearer).Fault(fault))
	case vespeiro.BadCredentials:
		me.Send(login.With().JSON(object{"email": me.User.Email, "password": "not-the-password-1"}).Fault(fault))
	}
}

var behavior = &vespeiro.Behavior{
	Name:    "my-behavior",
	Version: "0.1.0",
	Routes:  []*vespeiro.Route{login, refresh, logout, people, person, register, edit, roles},
	Login:   login,
	Refresh: refresh,
	Logout:  logout,
	Journey: journey,
}

func init() { vespeiro.Export(behavior) }

func main() {}
