"""What users of locust cost that play the journey of the behavior `bench`. Called by `scripts/bench --part scripted`. It
has to send what guest-sdk/rust/examples/bench.rs sends, and to read what that reads. The quicker of locust's two clients."""

from locust import FastHttpUser, constant, task

PASSWORD = "SimPass123!"


class Person(FastHttpUser):
    wait_time = constant(0)
    count = 0

    def on_start(self):
        Person.count += 1
        self.name = f"sim_user_abcdefgh_{Person.count}"
        self.sequence = 0
        login = {"email": f"{self.name}@simulation.test", "password": PASSWORD}
        data = self.client.post("/api/v1/auth/login", json=login).json()["data"]
        self.id = data["id"]
        self.headers = {"authorization": f"Bearer {data['access_token']}", "accept": "application/json"}

    @task
    def write_and_read(self):
        body = {
            "username": self.name,
            "email": f"{self.name}@simulation.test",
            "password": PASSWORD,
            "name": f"Simulation User {Person.count}",
            "city": "Lisbon",
            "bio": "someone who is written and read in turn, to see what it costs",
            "sequence": self.sequence,
        }
        self.sequence += 1
        reply = self.client.post("/api/v1/users", json=body, headers=self.headers)
        self.id = reply.json()["data"]["id"]
        path = f"/api/v1/users/{self.id}"
        reply = self.client.get(path, headers=self.headers, name="/api/v1/users/{id}")
        self.id = reply.json()["data"]["id"]
