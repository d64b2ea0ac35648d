// The token holder: logs in, keeps an account's token fresh, logs out. Me.Tokens makes one for each account; Me.All asks it
// before each request that names it.

package vespeiro

import "encoding/json"

// A token is renewed when a fifth of its life is left, but no earlier than this before its end.
const marginMs = 30_000

// Tokens of an account.
type Tokens struct {
	me             *Me
	name, password string
	bearer, again  string
	dueMs          float64
}

// Tokens of an account, not logged in yet.
func (me *Me) Tokens(name, password string) *Tokens {
	return &Tokens{me: me, name: name, password: password}
}

// LoggedIn says whether there is a token, valid or not.
func (tokens *Tokens) LoggedIn() bool { return tokens.bearer != "" }

// LogIn gets a token now; the reply is the target's answer.
func (tokens *Tokens) LogIn() *Reply {
	behavior := tokens.me.session.behavior
	if behavior.Login == nil {
		tokens.me.Fail("tokens need the behavior's Login route")
	}
	field := behavior.LoginName
	if field == "" {
		field = "email"
	}
	body := map[string]string{field: tokens.name, "password": tokens.password}
	reply := tokens.me.Send(behavior.Login.With().JSON(body)).Expect()
	tokens.take(reply)
	return reply
}

// LogOut says so to the target and forgets the token; nothing is sent when not logged in.
func (tokens *Tokens) LogOut() {
	bearer, logout := tokens.bearer, tokens.me.session.behavior.Logout
	tokens.Forget()
	if bearer != "" && logout != nil {
		tokens.me.Send(logout.With().Header("authorization", bearer).Capture(Nothing)).Expect()
	}
}

// Forget the token without a word to the target.
func (tokens *Tokens) Forget() { tokens.bearer, tokens.again = "", "" }

func (tokens *Tokens) isDue() bool {
	return tokens.bearer == "" || float64(tokens.me.ElapsedMs) >= tokens.dueMs
}

func (tokens *Tokens) renew() {
	refresh, token := tokens.me.session.behavior.Refresh, tokens.again
	tokens.again = "" // it rotates: never twice
	if refresh != nil && token != "" {
		reply := tokens.me.Send(refresh.With().JSON(map[string]string{"refresh_token": token}))
		if reply.OK() {
			tokens.take(reply)
			return
		}
	}
	tokens.LogIn()
}

type grant struct {
	Access  string   `json:"access_token"`
	Refresh string   `json:"refresh_token"`
	Life    *float64 `json:"expires_in"`
}

func (tokens *Tokens) take(reply *Reply) {
	var answer struct {
		grant
		Data *grant `json:"data"`
	}
	had := &answer.grant
	if json.Unmarshal(reply.Body, &answer) == nil && answer.Data != nil {
		had = answer.Data
	}
	if had.Access == "" {
		tokens.me.Log(Warn, reply.call.route.String()+": unexpected body: no `access_token`")
		panic(gaveUp{})
	}
	tokens.bearer, tokens.again, tokens.dueMs = "Bearer "+had.Access, had.Refresh, 1e18
	if had.Life != nil {
		life := *had.Life * 1000
		tokens.dueMs = float64(tokens.me.ElapsedMs) + life - min(life/5, marginMs)
	}
}
