"""A key pair, the tiny server that publishes its public half, and access tokens signed with it."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_test"
CLIENT_ID = "shop-web"


class TokenDesk:
    """Signs like Cognito: RS256, `token_use` access, groups as roles."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        keys = json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(keys))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def jwks_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/.well-known/jwks.json"

    def token(self, subject: str, *groups: str, seconds: float = 600, **changes: object) -> str:
        now = int(time.time())
        claims = {
            "sub": subject,
            "iss": ISSUER,
            "client_id": CLIENT_ID,
            "token_use": "access",
            "cognito:groups": list(groups),
            "iat": now,
            "auth_time": now,
            "exp": now + int(seconds),
            "jti": f"{subject}-{now}",
            "username": subject,
            "scope": "aws.cognito.signin.user.admin",
        }
        return jwt.encode({**claims, **changes}, self._key, "RS256", headers={"kid": "k1"})

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(2)
        self._server.server_close()


def _handler(keys: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(keys)))
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
