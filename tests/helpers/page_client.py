"""A client of the servers of pages, without a browser."""

import http.client
import json


class Client:
    """Requests to a server, and every byte that came back."""

    def __init__(self, server):
        self.server, self.cookie, self.bytes = server, None, b""

    def ask(self, method, path, body=None, **changes):
        headers = {"Host": f"127.0.0.1:{self.server.server_port}", "Content-Type": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        headers = {name: value for name, value in (headers | changes).items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        if content is not None and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(content)
        response = connection.getresponse()
        response.content = response.read()
        head = "".join(f"{name}: {value}\n" for name, value in response.getheaders())
        self.bytes += head.encode() + response.content
        connection.close()
        return response

    def enter(self):
        answer = self.ask("GET", "/?" + self.server.address.partition("?")[2])
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    def json(self, method, path, body=None):
        answer = self.ask(method, path, body)
        assert answer.status == 200, answer.content
        return json.loads(answer.content)

    def answer(self, position, /, **changes):
        entry = self.json("GET", f"/entry/{position}")
        given = {"position": position, "seen": entry["revision"], "verdict": "accept", "square": entry["found"]}
        return self.ask("POST", "/answer", given | {"seconds": 1.5} | changes)
