# notes.py PORT...: on each PORT, a service that says what it was asked for, and by whom the
# proxy says that it was. On `login:PORT`, a login that lets everybody in without a word on who
# they are.
import http.server
import sys
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = [f"{name}={value}" for name, value in self.headers.items() if name.lower().startswith("remote")]
        self.answer(f"{' '.join([self.path, *names])}\n".encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Login(Answer):
    def do_GET(self):
        self.answer(b"")


for word in sys.argv[1:]:
    login, port = word.startswith("login:"), int(word.removeprefix("login:"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Login if login else Answer)
    threading.Thread(target=server.serve_forever).start()
